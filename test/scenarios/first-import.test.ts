import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { PRIORITY } from "../../src/store/queue/queue.ts";
import { reconcileAll } from "../../src/usecases/reconciling/reconcile-all.ts";
import { reconcileLinks } from "../../src/usecases/reconciling/reconcile-links.ts";
import { concludeHistory, passHours } from "../support/first-import.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  endLink,
  fateOf,
  linkIdOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { assertAddsUp, concludeQuietly, entriesOf, HOUR_MS } from "../support/reconciling.ts";
import type { World } from "../support/world.ts";

const DOWNLOAD = "/envelopes/{envelopeId}/documents/{documentId}";

async function queuedTasks({ service }: World): Promise<string[]> {
  const { rows } = await sql<{ task: string }>`
    select task_identifier || ' ' || priority as task from graphile_worker.jobs order by id`.execute(
    service.foundation.working.db,
  );
  return rows.map(({ task }) => task);
}

test("a first import starts when the account is linked and imports all history", async () => {
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

test("a large first import is announced with count and duration and waits for the owner's approval", async () => {
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
  // Thirty calls at five a second.
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

test("the announced count covers sent and received envelopes, each once", async () => {
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

test("envelopes that awaited approval still count as waiting in the totals of a link that was ended first", async () => {
  await using companies = await createCompanies({ config: { largeImport: 5 } });
  const { world, admin } = companies;
  concludeHistory(companies, 7);
  await world.link(admin);

  await endLink(world);

  const { items } = (await (await world.api()).get("/v1/links")).body;
  assert.deepEqual(items[0].totals, { atDocuSign: 7, imported: 0, excluded: 0, deleted: 0, waiting: 7 });
});

test("one envelope below the threshold needs no approval", async () => {
  await using companies = await createCompanies({ config: { largeImport: 20 } });
  concludeHistory(companies, 19);

  assert.equal(await companies.world.link(companies.admin), "linked");
});

test("if listings return no totals, envelopes are counted one by one, and a large import is still announced", async () => {
  await using companies = await createCompanies({ config: { largeImport: 20 } });
  companies.world.docusign.setListingHabits({ withoutTotals: true });
  concludeHistory(companies, 20);

  assert.equal(await companies.world.link(companies.admin), "awaiting-approval");

  assert.equal((await linkOf(companies.world)).firstImport.total, 20);
});

test("an hourly run that is due before a first import has begun does not raise the first import's priority", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  await world.link(admin);

  const { tasks } = world.service.foundation;
  const { signal } = new AbortController();
  const linkIds = [await linkIdOf(world)];

  await reconcileLinks(tasks, { linkIds, hour: new Date("2031-01-15T04:00:00Z"), signal });
  const before = await queuedTasks(world);
  await world.runJobs();
  await reconcileAll(tasks, new Date("2031-01-15T05:00:00Z"));

  assert.deepEqual(before, [`reconcile-link ${PRIORITY.firstImport}`]);
  assert.deepEqual(await queuedTasks(world), [`reconcile-links ${PRIORITY.reconciliation}`]);
});

test("imports triggered by events do not count as progress of a running first import", async () => {
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

test("a first import resumes where it was after a restart of the service", async () => {
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

test("a first import of several pages is counted and listed exactly, even if pages overlap", async () => {
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
