import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { type EnvelopeId, type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { MOST_ATTEMPTS } from "../../src/domain/retries.ts";
import { runDueJobs } from "../../src/jobs/worker.ts";
import { PRIORITY } from "../../src/store/queue/queue.ts";
import { runBacklogTurn } from "../../src/usecases/importing/import-backlog.ts";
import { importEnvelope } from "../../src/usecases/importing/import-envelope.ts";
import { reconcileAll } from "../../src/usecases/reconciling/reconcile-all.ts";
import type { Envelope } from "../support/docusign/state.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  endLink,
  fateOf,
  linkIdOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { assertAddsUp, concludeQuietly, entriesOf, HOUR_MS, ledgerOf } from "../support/reconciling.ts";
import { stepOn } from "../support/stepping.ts";
import type { World } from "../support/world.ts";

const DOWNLOAD = "/envelopes/{envelopeId}/documents/{documentId}";

/** Envelopes of the days before the linking, one an hour. */
function concludeHistory({ world, colleague }: Companies, count: number): Envelope[] {
  const start = world.clock.now.getTime() - 20 * 24 * HOUR_MS;
  return concludeQuietly(world, count, (number) => ({
    from: colleague,
    to: [CUSTOMER],
    subject: `old ${number}`,
    completedAt: new Date(start + number * 60_000),
  }));
}

/** As a worker with several jobs at once does. */
async function runAtOnce(world: World): Promise<void> {
  const { tasks, working, log } = world.service.foundation;
  await runDueJobs(tasks, { pgPool: working.pool, log, concurrency: 4 });
  await world.runJobs();
}

async function queuedTasks({ service }: World): Promise<string[]> {
  const { rows } = await sql<{ task: string }>`
    select task_identifier || ' ' || priority as task from graphile_worker.jobs order by id`.execute(
    service.foundation.working.db,
  );
  return rows.map(({ task }) => task);
}

test("a first import begins with the linking and brings all history", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  concludeHistory(companies, 5);

  assert.equal(await world.link(admin), "linked");
  assert.deepEqual(await queuedTasks(world), [`reconcile-link ${PRIORITY.firstImport}`]);
  const before = await linkOf(world);
  await world.runJobs();

  assert.deepEqual([before.firstImport.done, before.firstImport.total], [0, 5]);
  assert.ok(new Date(before.firstImport.estimatedEnd) > world.clock.now);
  assert.equal((await subjects(world)).length, 5);
  const after = await linkOf(world);
  assert.deepEqual(after.firstImport, { done: 5, total: 5, estimatedEnd: null });
  assertAddsUp(after);
});

test("a large first import is announced with count and duration, and waits for the owner's go", async () => {
  await using companies = await createCompanies({ config: { largeImport: 20 } });
  const { world, admin, colleague } = companies;
  concludeHistory(companies, 20);

  assert.equal(await world.link(admin), "awaiting-approval");
  assert.deepEqual(await queuedTasks(world), []);
  const heard = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "heard" });
  await world.runHour();

  const waiting = await linkOf(world);
  assert.equal(waiting.state, "awaiting-approval");
  assert.deepEqual([waiting.firstImport.done, waiting.firstImport.total], [0, 20]);
  assert.deepEqual(waiting.totals, { atDocuSign: 21, imported: 0, excluded: 0, deleted: 0, waiting: 21 });
  // Thirty calls, five a second.
  assert.equal(new Date(waiting.firstImport.estimatedEnd).getTime() - world.clock.now.getTime(), 6_000);
  assert.deepEqual(await subjects(world), []);
  assert.deepEqual(await entriesOf(world), []);
  assert.equal(await fateOf(world, heard), "waiting awaiting-approval");

  const approved = await (await world.api()).send("POST", "/v1/link/approve");
  assert.equal(approved.status, 200);
  assert.deepEqual(approved.body.totals, waiting.totals);
  assert.deepEqual(await queuedTasks(world), [`reconcile-link ${PRIORITY.firstImport}`]);
  await world.runJobs();

  const { totals } = await linkOf(world);
  assert.deepEqual(totals, { atDocuSign: 21, imported: 21, excluded: 0, deleted: 0, waiting: 0 });
  assert.equal((await subjects(world)).length, 21);
  assert.deepEqual((await linkOf(world)).firstImport, { done: 21, total: 21, estimatedEnd: null });
});

test("the count that is announced is of what the account sent and of what the user received, each envelope once", async () => {
  await using companies = await createCompanies({ config: { largeImport: 5 } });
  const { world, admin, colleague, partner } = companies;
  concludeHistory(companies, 6);
  for (const from of [partner, partner, colleague]) await concludeUnheard(world, { from, to: [admin] });

  assert.equal(await world.link(admin), "awaiting-approval");
  const announced = await linkOf(world);
  await (await world.api()).send("POST", "/v1/link/approve");
  await world.runJobs();

  assert.deepEqual([announced.firstImport.total, announced.totals.waiting], [9, 9]);
  assert.deepEqual((await linkOf(world)).firstImport, { done: 9, total: 9, estimatedEnd: null });
});

test("what waited for the owner's go still waits in the totals of a link that was ended before", async () => {
  await using companies = await createCompanies({ config: { largeImport: 5 } });
  const { world, admin } = companies;
  concludeHistory(companies, 7);
  await world.link(admin);

  await endLink(world);

  const { items } = (await (await world.api()).get("/v1/links")).body;
  assert.deepEqual(items[0].totals, { atDocuSign: 7, imported: 0, excluded: 0, deleted: 0, waiting: 7 });
});

test("one envelope fewer needs nobody's go", async () => {
  await using companies = await createCompanies({ config: { largeImport: 20 } });
  concludeHistory(companies, 19);

  assert.equal(await companies.world.link(companies.admin), "linked");
});

test("a first import leaves a quarter of the hour's calls, to the call, and goes on when the hour is over", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  concludeHistory(companies, 60);
  await world.link(admin);
  world.docusign.setLimits({ hourly: 40 });
  const spentBefore = callsTo(companies);

  await runAtOnce(world);

  // 40 calls, of which 10 are others'; the linking has spent some of the rest.
  assert.equal(callsTo(companies), 30, `the linking spent ${spentBefore}`);
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

test("what a first import has found is paced with it before its listing has ended, for want of a last look", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  // Nothing of a colleague's: whether the user is an admin has to be asked.
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

/** Calls of the hour to the account, as DocuSign counts them. */
function callsTo({ world, account }: Companies): number {
  const hour = Math.floor(world.clock.now.getTime() / HOUR_MS);
  return world.docusign.calls.filter(
    ({ accountId, at }) => accountId === account.accountId && Math.floor(at.getTime() / HOUR_MS) === hour,
  ).length;
}

async function passHours(world: World, count: number): Promise<void> {
  for (let hour = 0; hour < count; hour += 1) {
    await world.runHour();
    await runAtOnce(world);
  }
}

const ODD_RESETS: Readonly<Record<string, string | null>> = {
  "not said": null,
  "said to be in the year 2099": "4070908800",
};

for (const [what, reset] of Object.entries(ODD_RESETS)) {
  test(`where the end of the hour's calls is ${what}, a first import goes on with the next full hour`, async () => {
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

test("where listings give no totals, envelopes are counted one by one, and a large import is announced all the same", async () => {
  await using companies = await createCompanies({ config: { largeImport: 20 } });
  companies.world.docusign.setListingHabits({ withoutTotals: true });
  concludeHistory(companies, 20);

  assert.equal(await companies.world.link(companies.admin), "awaiting-approval");

  assert.equal((await linkOf(companies.world)).firstImport.total, 20);
});

test("an hour that strikes before a first import has begun gives it no place before others", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  await world.link(admin);

  await reconcileAll(world.service.foundation.tasks, new Date("2031-01-15T04:00:00Z"));
  const before = await queuedTasks(world);
  await world.runJobs();
  await reconcileAll(world.service.foundation.tasks, new Date("2031-01-15T05:00:00Z"));

  assert.deepEqual(before, [`reconcile-link ${PRIORITY.firstImport}`]);
  assert.deepEqual(await queuedTasks(world), [`reconcile-link ${PRIORITY.reconciliation}`]);
});

test("a turn of the backlog takes twenty envelopes at most, and none once its process ends", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  const { tasks } = world.service.foundation;
  concludeHistory(companies, 25);
  await world.link(admin);
  await stepOn(world);
  const turn = { linkId: await linkIdOf(world), lane: 0 };
  const ended = new AbortController();
  ended.abort();

  await runBacklogTurn(tasks, { ...turn, signal: ended.signal });
  const none = await subjects(world);
  await runBacklogTurn(tasks, { ...turn, signal: new AbortController().signal });

  assert.deepEqual(none, []);
  assert.equal((await subjects(world)).length, 20);
});

test("what events bring while a first import goes on is no part of its progress", async () => {
  await using companies = await createCompanies();
  const { world, admin, colleague } = companies;
  concludeHistory(companies, 2);
  await world.link(admin);
  world.docusign.failNext(1, { status: 503 }, DOWNLOAD);
  await world.runJobs();

  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "heard" });
  await world.runJobs();

  const { firstImport, totals } = await linkOf(world);
  assert.deepEqual([firstImport.done, firstImport.total], [1, 2]);
  assert.deepEqual([totals.imported, totals.waiting], [2, 1]);
});

test("what the customer's other systems spend counts too", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  concludeHistory(companies, 30);
  await world.link(admin);
  world.docusign.setLimits({ hourly: 100 });
  world.docusign.spendCalls(account, 60);

  await runAtOnce(world);

  assert.equal(callsTo(companies), 15);
});

test("while a first import is held back, events are imported at once and the hour's findings before the rest", async () => {
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

test("while a first import is held back its envelopes are told to wait for that, and what an event brought for its own cause", async () => {
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
  assert.equal(await fateOf(world, held ?? assert.fail("none is held")), "waiting budget-reserve");
  assert.equal(await fateOf(world, heard), "waiting docusign-unavailable");
});

test("while a first import goes on, an envelope of it that DocuSign fails is told to wait for DocuSign", async () => {
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

test("what the hour finds while a first import is held back comes in from the reserve", async () => {
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

test("what is left of a first import that is over is no longer paced with it", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  concludeHistory(companies, 1);
  world.docusign.failNext(2, { status: 500 }, DOWNLOAD);
  await world.link(admin);
  await world.runJobs();
  const { tasks } = world.service.foundation;
  // As after days: only the hour tries it any more.
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

test("a first import goes on where it was when the service is started anew", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  concludeHistory(companies, 40);
  await world.link(admin);
  world.docusign.setLimits({ hourly: 40 });
  await world.runJobs();
  const done = (await subjects(world)).length;
  assert.ok(done > 0 && done < 40, String(done));

  await world.restart();
  await passHours(world, 2);

  assert.equal((await subjects(world)).length, 40);
  assert.equal(world.docusign.callsTo(DOWNLOAD).length, 40);
  assert.deepEqual((await linkOf(world)).firstImport, { done: 40, total: 40, estimatedEnd: null });
});

test("a first import of several pages is counted and listed exactly, whatever the pages share", async () => {
  await using companies = await createCompanies({ docusign: { validate: false } });
  const { world, admin, colleague } = companies;
  const start = world.clock.now.getTime() - 24 * HOUR_MS;
  concludeQuietly(world, 2_200, (number) => ({
    from: colleague,
    to: [admin],
    completedAt: new Date(start + Math.floor(number / 7) * 1000),
    purged: true,
  }));

  await world.link(admin);
  await world.runJobs();

  const link = await linkOf(world);
  assert.deepEqual(link.firstImport, { done: 2_200, total: 2_200, estimatedEnd: null });
  assert.equal(link.totals.excluded, 2_200);
});
