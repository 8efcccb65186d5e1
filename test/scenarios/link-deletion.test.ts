import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { endLink as endLinkOf } from "../../src/usecases/linking/end-link.ts";
import { minimalEvent, post } from "../support/connect.ts";
import type { Call } from "../support/docusign/exchange.ts";
import type { Role } from "../support/docusign/state.ts";
import { countTokens, isRemoval, UNNAMED } from "../support/link-changes.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  endLink,
  historyOf,
  linkOf,
} from "../support/linked-world.ts";
import { callsOf } from "../support/reconciling.ts";

const OWNER = { tenant: "tenant-1", subject: "owner" };

const isCreation = ({ method, template }: Call): boolean => method === "POST" && template === "/connect";

const isOfConnect = ({ template }: Call): boolean => template.startsWith("/connect");

test("ending a link destroys its tokens, answers events with 410, and keeps history and contracts", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;
  const { id } = await linkOf(world);
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "kept" });
  await world.runJobs();
  const before = await world.contracts();

  assert.equal((await endLink(world)).status, 204);

  assert.equal(await countTokens(world), 0);
  assert.deepEqual(world.docusign.configurations(account), []);
  assert.equal((await post(world, id, minimalEvent())).status, 410);
  assert.equal((await (await world.api()).get("/v1/link")).status, 404);
  const history = await historyOf(world);
  assert.deepEqual(
    history.map((link) => [link.id, link.state, link.endedAt]),
    [[id, "ended", "2031-01-15T03:10:00.000Z"]],
  );
  assert.deepEqual(await world.contracts(), before);
  const calls = world.docusign.calls.length;
  await world.runHour();
  assert.equal(world.docusign.calls.length, calls, "an ended link makes no calls");
});

test("an hourly run during a deletion does not create the removed configurations again", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  let removals = 0;
  world.docusign.onNext(
    (call) => isRemoval(call) && ++removals === 2,
    async () => await world.runHour(),
  );

  const ended = await endLink(world);

  assert.equal(ended.status, 204);
  assert.deepEqual(world.docusign.configurations(account), []);
  await world.runHour();
  assert.deepEqual(world.docusign.configurations(account), []);
});

test("a deletion during an hourly run removes the configurations that this run creates", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;
  for (const { connectId } of world.docusign.configurations(account)) {
    world.docusign.removeConfiguration(account, connectId);
  }
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "missed" });
  const { tasks } = world.service.foundation;
  const ended = Promise.withResolvers<void>();
  world.docusign.onNext(isCreation, async () => {
    const begun = Promise.withResolvers<void>();
    const openAccount: typeof tasks.openAccount = (...options) => {
      begun.resolve();
      return tasks.openAccount(...options);
    };
    endLinkOf({ ...tasks, openAccount }, OWNER).then(ended.resolve, ended.reject);
    await begun.promise;
  });

  await world.runHour();
  await ended.promise;

  assert.equal((await (await world.api()).get("/v1/link")).status, 404);
  assert.deepEqual(world.docusign.configurations(account), []);
});

test("if DocuSign never removes the configurations, the link can end once they are removed by hand or the authorization is withdrawn", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin } = companies;
  world.docusign.failNext(1_000, { status: 400, ...UNNAMED }, isRemoval);

  assert.equal((await endLink(world)).status, 502);
  for (const { connectId } of world.docusign.configurations(account)) {
    world.docusign.removeConfiguration(account, connectId);
  }
  assert.equal((await endLink(world)).status, 204);
  assert.equal(await world.link(admin), "linked");
  await world.runJobs();
  assert.equal((await endLink(world)).status, 502);
  world.docusign.revokeConsent(admin);

  assert.equal((await endLink(world)).status, 204);
});

test("a deletion succeeds even if DocuSign rejects all Connect calls with an unknown code, as for a suspended account", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  world.docusign.failNext(1_000, { status: 400, ...UNNAMED }, isOfConnect);

  assert.equal((await endLink(world)).status, 204);
});

test("a deletion succeeds and removes its configurations even if DocuSign rejects the listing", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  world.docusign.failNext(1_000, { status: 400, ...UNNAMED }, "/envelopes");

  assert.equal((await endLink(world)).status, 204);

  assert.deepEqual(world.docusign.configurations(account), []);
});

const losses: { what: string; lose: (companies: Companies, role: Role) => void }[] = [
  { what: "the authorization is gone", lose: ({ world, admin }) => world.docusign.revokeConsent(admin) },
  {
    what: "the user is no longer an admin",
    lose: ({ world, admin, account }, role) => world.docusign.setRole(admin, account, role),
  },
];

for (const { what, lose } of losses) {
  test(`a deletion succeeds if ${what}, noticed before or only now`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, account, admin } = companies;

    lose(companies, "DS Sender");
    assert.equal((await endLink(world)).status, 204);
    world.docusign.setRole(admin, account, "DS Admin");
    assert.equal(await world.link(admin), "linked");
    await world.runJobs();
    lose(companies, "DS Viewer");
    await world.runHour();
    assert.equal((await linkOf(world)).state, "error");
    assert.equal((await endLink(world)).status, 204);

    assert.equal(await countTokens(world), 0);
  });
}

test("two simultaneous deletions end the link once", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;

  let statuses: number[] = [];
  const calls = await callsOf(world, async () => {
    statuses = (await Promise.all([endLink(world), endLink(world)])).map(({ status }) => status);
  });

  assert.ok(statuses.includes(204), statuses.join());
  assert.ok(
    statuses.every((status) => status === 204 || status === 404),
    statuses.join(),
  );
  const [link] = await historyOf(world);
  assert.deepEqual(
    link.audit.map(({ action }: { action: string }) => action),
    ["linked", "ended"],
  );
  const ofConnect = calls.filter((call) => call.includes("/connect"));
  assert.deepEqual(ofConnect, ["DELETE /connect/{connectId}", "DELETE /connect/{connectId}"]);
});

test("a link that is ended just as DocuSign confirms its user's admin right again stays ended", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin } = companies;
  world.docusign.setRole(admin, account, "DS Sender");
  await world.runHour();
  assert.equal((await linkOf(world)).cause.code, "not-admin");
  world.docusign.setRole(admin, account, "DS Admin");
  world.docusign.onNext("/users/{userId}", async () => assert.equal((await endLink(world)).status, 204));

  await world.runHour();

  const [ended] = await historyOf(world);
  assert.deepEqual([ended.state, await countTokens(world)], ["ended", 0]);
  const { rows } = await sql`select 1 from graphile_worker.jobs`.execute(world.service.foundation.working.db);
  assert.deepEqual(rows, [], "nothing is queued for it");
});
