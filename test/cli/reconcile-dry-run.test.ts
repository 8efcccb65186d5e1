import assert from "node:assert/strict";
import { test } from "node:test";
import { concludeUnheard, createCompanies, createLinkedCompanies } from "../support/linked-world.ts";
import type { World } from "../support/world.ts";
import { runCommand } from "./commands.ts";
import { conclude, wish } from "./concluded.ts";

const MINUTE_MS = 60_000;

test("a dry run shows what would be imported and what not, and writes nothing", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, partner, colleague } = companies;
  await world.docusign.concludeEnvelope(wish(companies, "imported"));
  await world.runJobs();
  const sent = await concludeUnheard(world, wish(companies, "sent"));
  const foreign = await concludeUnheard(world, {
    from: partner,
    to: [admin, colleague],
    subject: "received",
  });
  const purged = await concludeUnheard(world, wish(companies, "purged"));
  await world.docusign.purgeDocuments(purged, "documents_purged");
  world.clock.pass(MINUTE_MS);
  const before = await everything(world);

  const plain = await runCommand(world, "reconcile --dry-run");
  const json = await runCommand(world, "reconcile --dry-run --json");

  assert.equal(plain.exit, 0);
  assert.match(plain.out, /imported 1/);
  assert.match(plain.out, /import 2/);
  assert.match(plain.out, /excluded \(documents-purged\) 1/);
  const [{ envelopes, summary }] = JSON.parse(json.out).links;
  const fates = new Map(envelopes.map((one: any) => [one.envelopeId, `${one.outcome}: ${one.reason}`]));
  assert.equal(fates.get(sent.envelopeId), "import: sent");
  assert.equal(fates.get(foreign.envelopeId), "import: received");
  assert.equal(fates.get(purged.envelopeId), "excluded: documents-purged");
  assert.deepEqual(summary, { imported: 1, import: 2, "excluded (documents-purged)": 1 });
  assert.deepEqual(await everything(world), before);
});

test("a dry run that DocuSign throttles reports the reset, and the next one makes no calls before it", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  const until = new Date(world.clock.now.getTime() + 10 * MINUTE_MS);
  world.docusign.throttle(account, until);

  const first = await runCommand(world, "reconcile --dry-run --json");
  const calls = world.docusign.calls.length;
  const second = await runCommand(world, "reconcile --dry-run --json");

  for (const { exit, out } of [first, second]) {
    assert.equal(exit, 75);
    assert.deepEqual(JSON.parse(out).links[0].notNow, {
      reason: "account-throttled",
      until: until.toISOString(),
    });
  }
  assert.equal(world.docusign.calls.length, calls);
});

test("a dry run of a link with revoked authorization makes no calls", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  world.docusign.revokeConsent(admin);
  await world.runHour();
  const calls = world.docusign.calls.length;

  const { exit, out } = await runCommand(world, "reconcile --dry-run --json");

  assert.equal(exit, 75);
  assert.deepEqual(JSON.parse(out).links[0].notNow, { reason: "link-error", until: null });
  assert.equal(world.docusign.calls.length, calls);
});

test("a dry run reports what already waits and what was deleted in the cabinet", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const deleted = await world.docusign.concludeEnvelope(wish(companies, "deleted"));
  await world.runJobs();
  const [contract] = await world.contracts();
  const api = await world.api();
  assert.equal((await api.send("DELETE", `/v1/contracts/${contract.id}`)).status, 204);
  world.docusign.failNext(1, { status: 503 }, "/envelopes/{envelopeId}");
  const waiting = await world.docusign.concludeEnvelope(wish(companies, "waiting"));
  await world.runJobs();
  world.clock.pass(MINUTE_MS);

  const { out } = await runCommand(world, "reconcile --dry-run --json");

  const fates = new Map(
    JSON.parse(out).links[0].envelopes.map((one: any) => [one.envelopeId, `${one.outcome}: ${one.reason}`]),
  );
  assert.equal(fates.get(deleted.envelopeId), "deleted: deleted-in-cabinet");
  assert.equal(fates.get(waiting.envelopeId), "waiting: docusign-unavailable");
});

for (const [what, failure, reason] of [
  ["cannot answer", { status: 503 }, "docusign-unavailable"],
  ["denies the linked user the listing", { status: 403 }, "link-error"],
] as const) {
  test(`a dry run that DocuSign ${what} reports the cause and writes nothing`, async () => {
    await using companies = await createLinkedCompanies();
    const { world } = companies;
    world.docusign.failNext(1, failure, "/envelopes");
    const before = await everything(world);

    const { exit, out } = await runCommand(world, "reconcile --dry-run --json");

    assert.equal(exit, 75);
    assert.deepEqual(JSON.parse(out).links[0].notNow, { reason, until: null });
    assert.deepEqual(await everything(world), before);
  });
}

test("a dry run lists fifty envelopes line by line and summarizes the rest", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  await conclude(companies, ...Array.from({ length: 53 }, (_, index) => `契約${index}`));
  world.clock.pass(MINUTE_MS);
  await world.link(admin);
  world.clock.pass(MINUTE_MS);

  const { exit, out } = await runCommand(world, "reconcile --dry-run");

  assert.equal(exit, 0);
  assert.equal(out.match(/import: sent/g)?.length, 50);
  assert.match(out, /… and 3 more: --json prints all\n {2}listed {4}53: import 53/);
});

async function everything(world: World): Promise<unknown> {
  const { db } = world.service.foundation.tasks;
  return {
    envelopes: await db.selectFrom("envelope").selectAll().orderBy("envelope_id").execute(),
    contracts: await db.selectFrom("contract").selectAll().orderBy("id").execute(),
    reconciliations: await db.selectFrom("reconciliation").selectAll().orderBy("id").execute(),
    links: await db.selectFrom("link").selectAll().orderBy("id").execute(),
    audit: await db.selectFrom("audit").selectAll().orderBy("id").execute(),
  };
}
