import assert from "node:assert/strict";
import { test } from "node:test";
import { type EnvelopeId, type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { MOST_ATTEMPTS } from "../../src/domain/retries.ts";
import { importEnvelope } from "../../src/usecases/importing/import-envelope.ts";
import { concludeHistory, passHours, runAtOnce } from "../support/first-import.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  fateOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { assertAddsUp, HOUR_MS, ledgerOf } from "../support/reconciling.ts";

const DOWNLOAD = "/envelopes/{envelopeId}/documents/{documentId}";

test("a first import leaves exactly a quarter of the hour's calls unused and resumes after the hour", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  concludeHistory(companies, 60);
  await world.link(admin);
  world.docusign.setLimits({ hourly: 40 });
  const spentBefore = callsTo(companies);

  await runAtOnce(world);

  // 40 calls, 10 of which are reserved for others; linking has used some of the rest.
  assert.equal(callsTo(companies), 30, `linking used ${spentBefore}`);
  const held = await linkOf(world);
  assert.equal(held.firstImport.total, 60);
  assert.ok(held.firstImport.done > 0 && held.firstImport.done < 60, String(held.firstImport.done));
  assert.ok(new Date(held.firstImport.estimatedEnd) > new Date("2031-01-15T04:00:00Z"));
  assert.equal(account.accountId, held.account.id);
  assertAddsUp(held);

  await passHours(world, 3);

  assert.equal((await subjects(world)).length, 60);
  assert.equal(world.docusign.callsTo(DOWNLOAD).length, 60);
});

test("envelopes found by a first import are paced with it even before its listing has ended", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  // Without envelopes from a colleague, DocuSign must be asked if the user is an admin.
  concludeHistory({ ...companies, colleague: admin }, 60);
  await world.link(admin);
  world.docusign.setLimits({ hourly: 40 });
  world.docusign.failNext(100, { status: 503 }, "/users/{userId}");
  await runAtOnce(world);
  const { tasks } = world.service.foundation;
  const { link_id: linkId, envelope_id: envelopeId } = await tasks.db
    .selectFrom("envelope")
    .select(["link_id", "envelope_id"])
    .where("state", "=", "waiting")
    .limit(1)
    .executeTakeFirstOrThrow();

  const outcome = await importEnvelope(tasks, {
    linkId: parseUuid<LinkId>(String(linkId))!,
    envelopeId: parseUuid<EnvelopeId>(envelopeId)!,
    foundBy: "reconciliation",
  });

  assert.deepEqual(outcome, {
    kind: "waiting",
    reason: "budget-reserve",
    until: new Date("2031-01-15T04:00:00Z"),
  });
});

/** Calls to the account in this hour, as DocuSign counts them. */
function callsTo({ world, account }: Companies): number {
  const hour = Math.floor(world.clock.now.getTime() / HOUR_MS);
  return world.docusign.calls.filter(
    ({ accountId, at }) => accountId === account.accountId && Math.floor(at.getTime() / HOUR_MS) === hour,
  ).length;
}

const ODD_RESETS: Readonly<Record<string, string | null>> = {
  missing: null,
  "reported as in the year 2099": "4070908800",
};

for (const [what, reset] of Object.entries(ODD_RESETS)) {
  test(`if the end of the hour's call limit is ${what}, a first import resumes at the next full hour`, async () => {
    await using companies = await createCompanies();
    const { world, admin } = companies;
    concludeHistory(companies, 60);
    world.docusign.setLimits({ hourly: 40, reset });
    await world.link(admin);

    await runAtOnce(world);
    const held = (await linkOf(world)).firstImport.done;
    await passHours(world, 3);

    assert.ok(held > 0 && held < 60, String(held));
    assert.equal((await subjects(world)).length, 60);
  });
}

test("calls of the customer's other systems count too", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  concludeHistory(companies, 30);
  await world.link(admin);
  world.docusign.setLimits({ hourly: 100 });
  world.docusign.spendCalls(account, 60);

  await runAtOnce(world);

  assert.equal(callsTo(companies), 15);
});

test("while a first import is held back, events are imported at once and hourly findings before the rest", async () => {
  await using companies = await createCompanies();
  const { world, admin, colleague } = companies;
  concludeHistory(companies, 60);
  await world.link(admin);
  world.docusign.setLimits({ hourly: 40 });
  await world.runJobs();
  const held = (await subjects(world)).length;

  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "heard" });
  await world.runJobs();
  assert.deepEqual(
    (await subjects(world)).filter((subject) => !subject.startsWith("old")),
    ["heard"],
  );
  assert.equal((await subjects(world)).length, held + 1);

  const found = await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "found" });
  const downloads = world.docusign.callsTo(DOWNLOAD).length;
  await world.runHour();
  const next = world.docusign.callsTo(DOWNLOAD)[downloads];
  assert.ok(next?.path.includes(found.envelopeId), next?.path);
});

test("while a first import is held back, its envelopes show that cause, and an event's envelope shows its own", async () => {
  await using companies = await createCompanies();
  const { world, admin, colleague } = companies;
  const old = concludeHistory(companies, 60);
  await world.link(admin);
  world.docusign.setLimits({ hourly: 40 });
  await world.runJobs();
  world.docusign.failNext(1, { status: 503 }, DOWNLOAD);

  const heard = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  assert.equal(await fateOf(world, heard), "waiting queued");
  await world.runJobs();

  const ledger = await ledgerOf(world);
  const held = old.find(({ envelopeId }) => ledger.get(envelopeId)?.state === "waiting");
  assert.equal(
    await fateOf(world, held ?? assert.fail("no envelope is held back")),
    "waiting budget-reserve",
  );
  assert.equal(await fateOf(world, heard), "waiting docusign-unavailable");
});

test("during a first import, an envelope of it for which DocuSign fails is shown as waiting for DocuSign", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  const [old] = concludeHistory(companies, 1);
  world.docusign.failNext(1, { status: 503 }, DOWNLOAD);
  await world.link(admin);
  await world.runJobs();

  const { firstImport } = await linkOf(world);
  assert.deepEqual([firstImport.done, firstImport.total], [0, 1]);
  assert.equal(await fateOf(world, old!), "waiting docusign-unavailable");
});

test("envelopes that the hour finds while a first import is held back are imported from the reserve", async () => {
  await using companies = await createCompanies();
  const { world, account, admin, colleague } = companies;
  concludeHistory(companies, 60);
  await world.link(admin);
  world.docusign.setLimits({ hourly: 40 });
  await world.runJobs();
  const before = await subjects(world);
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "found" });
  world.docusign.onNext(
    () => true,
    () => world.docusign.spendCalls(account, 30),
  );

  await world.runHour();

  assert.deepEqual(await subjects(world), ["found", ...before].sort());
});

test("envelopes left over from a completed first import are no longer paced with it", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  concludeHistory(companies, 1);
  world.docusign.failNext(2, { status: 500 }, DOWNLOAD);
  await world.link(admin);
  await world.runJobs();
  const { tasks } = world.service.foundation;
  // As if days had passed: only the hourly reconciliation retries it now.
  await tasks.db.updateTable("envelope").set({ attempts: MOST_ATTEMPTS, waiting_until: null }).execute();
  await world.runHour();
  const parked = await linkOf(world);
  world.docusign.setLimits({ hourly: 100 });
  world.docusign.onNext(
    () => true,
    () => world.docusign.spendCalls(account, 80),
  );

  await world.runHour();

  assert.deepEqual(parked.firstImport, { done: 1, total: 1, estimatedEnd: null });
  assert.equal((await subjects(world)).length, 1);
});
