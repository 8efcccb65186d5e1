import assert from "node:assert/strict";
import { test } from "node:test";
import { importEnvelope } from "../../src/usecases/importing/import-envelope.ts";
import { putGroup } from "../support/link-changes.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  endLink,
  fateOf,
  historyOf,
  importRequestOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { HOUR_MS } from "../support/reconciling.ts";
import { addAdmin, relink } from "../support/relinking.ts";
import type { Answer } from "../support/world.ts";

/** 0:00 on 1 December in Japan. */
const DECEMBER = "2030-11-30T15:00:00.000Z";

const COMPLETIONS = {
  "the day before": "2030-11-30T14:59:59.999Z",
  "that moment": DECEMBER,
  "long before": "2030-06-01T00:00:00Z",
};

/** Envelopes of the company, completed around the start of December, and one of December that its admin received. */
async function createHistory(largeImport = 10_000): Promise<Companies> {
  const companies = await createCompanies({ config: { largeImport } });
  const { world, admin, colleague, partner } = companies;
  for (const [subject, moment] of Object.entries(COMPLETIONS)) {
    const completedAt = new Date(moment);
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject, completedAt });
  }
  const completedAt = new Date("2030-12-24T00:00:00Z");
  await concludeUnheard(world, { from: partner, to: [admin], subject: "received", completedAt });
  return companies;
}

async function edit({ world }: Companies, body: object): Promise<Answer> {
  return await (await world.api()).send("PATCH", "/v1/link", body);
}

test("a link with a start date imports what was completed from 0:00 of that date in Japan on", async () => {
  await using companies = await createHistory();
  const { world, admin } = companies;

  assert.equal(await world.link(admin, { wish: { from: "2030-12-01" } }), "linked");
  await world.runJobs();

  const { from, sentFrom, receivedFrom, totals, excludedByRule } = await linkOf(world);
  assert.deepEqual([from, sentFrom, receivedFrom], ["2030-12-01", DECEMBER, DECEMBER]);
  assert.deepEqual(await subjects(world), ["received", "that moment"]);
  assert.deepEqual([totals.atDocuSign, excludedByRule], [4, { "before-window": 2 }]);
});

test("a start date is at most today in Japan", async () => {
  await using companies = await createHistory();
  const { world } = companies;
  await putGroup(world, "group-1");
  const begin = async (from: unknown): Promise<number> =>
    (await (await world.api()).send("POST", "/v1/link", { groupId: "group-1", from })).status;

  world.clock.now = new Date("2031-01-15T14:59:59Z");
  const before = [await begin("2031-01-15"), await begin("2031-01-16"), await begin("2031-02-30")];
  world.clock.pass(1000);
  const after = [await begin("2031-01-16"), await begin("2031-1-1"), await begin(null)];

  assert.deepEqual(before, [201, 400, 400]);
  assert.deepEqual(after, [201, 400, 201]);
});

test("a start date moves earlier and never later, and what it excluded is then imported", async () => {
  await using companies = await createHistory();
  const { world, admin } = companies;
  await world.link(admin, { wish: { from: "2030-12-01" } });
  await world.runJobs();

  const later = await edit(companies, { from: "2030-12-02" });
  const same = await edit(companies, { from: "2030-12-01" });
  const earlier = await edit(companies, { from: "2030-11-30" });
  const waiting = await linkOf(world);
  await world.runJobs();
  const imported = await subjects(world);
  const none = await edit(companies, { from: null });
  await world.runJobs();
  const again = await edit(companies, { from: "2030-11-30" });

  assert.deepEqual([later.status, same.status, earlier.status], [400, 200, 200]);
  assert.equal(earlier.body.sentFrom, "2030-11-29T15:00:00.000Z");
  assert.deepEqual([waiting.totals.waiting, waiting.excludedByRule], [1, { "before-window": 1 }]);
  assert.deepEqual(imported, ["received", "that moment", "the day before"]);
  assert.deepEqual([none.status, none.body.sentFrom, none.body.receivedFrom], [200, null, null]);
  assert.equal((await subjects(world)).length, 4);
  assert.equal(again.status, 400);
  const actions = (await historyOf(world))[0].audit.map(({ action }: any) => action);
  assert.deepEqual(actions, ["linked", "edited", "edited", "edited"]);
});

test("envelopes that an earlier start date includes leave calls to others, as in a first import", async () => {
  await using companies = await createHistory();
  const { world, admin, account } = companies;
  await world.link(admin, { wish: { from: "2030-12-01" } });
  await world.runJobs();
  const { docusign } = world;
  docusign.setLimits({ hourly: 100 });
  docusign.spendCalls(account, 80);
  await world.runHour();
  docusign.spendCalls(account, 80);
  await docusign.concludeEnvelope({ from: admin, to: [CUSTOMER], subject: "new" });
  await world.runJobs();

  await edit(companies, { from: null });
  await world.runJobs();
  const held = await subjects(world);
  const { firstImport } = await linkOf(world);
  world.clock.pass(HOUR_MS);
  await world.runJobs();

  assert.deepEqual(held, ["new", "received", "that moment"]);
  assert.notEqual(firstImport.estimatedEnd, null);
  assert.equal((await subjects(world)).length, 5);
  assert.equal((await linkOf(world)).firstImport.estimatedEnd, null);
});

test("a start date never goes before the start that the tenant's earlier links give", async () => {
  await using companies = await createHistory();
  const { world, admin } = companies;
  await world.link(admin);
  await world.runJobs();
  const endedAt = world.clock.now.toISOString();
  await relink(world, addAdmin(companies, "Z"));
  await endLink(world);
  world.clock.pass(24 * HOUR_MS);

  await world.link(admin, { wish: { from: "2031-01-16" } });
  const raised = await linkOf(world);
  const moved = await edit(companies, { from: "2030-01-01" });
  const none = await edit(companies, { from: null });

  assert.deepEqual(
    [raised.sentFrom, raised.receivedFrom],
    ["2031-01-15T15:00:00.000Z", "2031-01-15T15:00:00.000Z"],
  );
  assert.deepEqual(
    [moved.body.from, moved.body.sentFrom, moved.body.receivedFrom],
    ["2030-01-01", endedAt, endedAt],
  );
  assert.deepEqual([none.body.from, none.body.sentFrom], [null, endedAt]);
});

test("the approval of a large import takes a start date, which may be later or earlier than that of the linking", async () => {
  await using companies = await createHistory(1);
  const { world, admin } = companies;
  const api = await world.api();
  assert.equal(await world.link(admin, { wish: { from: "2030-12-10" } }), "awaiting-approval");

  const future = await api.send("POST", "/v1/link/approve", { from: "2031-01-16" });
  const approved = await api.send("POST", "/v1/link/approve", { from: "2030-12-01" });
  await world.runJobs();

  assert.equal(future.status, 400);
  assert.deepEqual([approved.body.state, approved.body.from], ["active", "2030-12-01"]);
  assert.deepEqual(await subjects(world), ["received", "that moment"]);
});

test("a repair ignores the start date", async () => {
  await using companies = await createHistory();
  const { world, admin } = companies;
  await world.link(admin);
  world.docusign.revokeConsent(admin);
  await world.runJobs();
  assert.equal((await linkOf(world)).state, "error");

  assert.equal(await world.link(admin, { wish: { from: "2031-01-01" } }), "linked");

  const { from, sentFrom } = await linkOf(world);
  assert.deepEqual([from, sentFrom], [null, null]);
});

test("a listing that a new start date overtakes is judged by the new one", async () => {
  await using companies = await createHistory();
  const { world, admin } = companies;
  await world.link(admin, { wish: { from: "2030-12-01" } });
  const isListing = ({ template }: { template: string }) => template === "/envelopes";
  world.docusign.onNext(isListing, async () =>
    assert.equal((await edit(companies, { from: null })).status, 200),
  );

  await world.runJobs();
  const { excludedByRule } = await linkOf(world);

  assert.deepEqual(excludedByRule, {});
  assert.equal((await subjects(world)).length, 4);
});

test("an import that a new start date overtakes is judged by the new one", async () => {
  await using companies = await createHistory();
  const { world, admin, colleague } = companies;
  await world.link(admin, { wish: { from: "2030-12-01" } });
  await world.runJobs();
  const completedAt = new Date("2030-10-01T00:00:00Z");
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER], completedAt });
  const request = await importRequestOf(world, envelope);
  world.docusign.onNext("/envelopes/{envelopeId}", async () => {
    assert.equal((await edit(companies, { from: null })).status, 200);
  });

  const { kind } = await importEnvelope(world.service.foundation.tasks, request);
  world.clock.pass(3 * 60_000);
  await world.runJobs();

  assert.equal(kind, "waiting");
  assert.equal(await fateOf(world, envelope), "imported sent");
});

for (const body of [{}, { from: "" }, { from: 20301201 }, { state: "active" }]) {
  test(`an edit with ${JSON.stringify(body)} is refused`, async () => {
    await using companies = await createCompanies();

    assert.equal((await edit(companies, body)).status, 400);
  });
}
