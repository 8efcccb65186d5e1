import assert from "node:assert/strict";
import { test } from "node:test";
import type { Failure } from "../support/docusign/faults.ts";
import { type Companies, CUSTOMER, createCompanies, linkOf } from "../support/linked-world.ts";
import { concludeQuietly, DAY_MS, HOUR_MS, MINUTE_MS } from "../support/reconciling.ts";
import type { World } from "../support/world.ts";

const DOWNLOAD = "/envelopes/{envelopeId}/documents/{documentId}";
const UNAVAILABLE: Failure = { status: 503 };

/** Concludes envelopes on the day before linking. */
function concludeHistory({ world, colleague }: Companies, count: number): void {
  const completedAt = new Date(world.clock.now.getTime() - DAY_MS);
  concludeQuietly(world, count, () => ({ from: colleague, to: [CUSTOMER], completedAt }));
}

/** Returns how much longer the first import is expected to take, in milliseconds. */
async function expectedOf(world: World): Promise<number> {
  const { estimatedEnd } = (await linkOf(world)).firstImport;
  return new Date(estimatedEnd).getTime() - world.clock.now.getTime();
}

async function approve(world: World): Promise<void> {
  assert.equal((await (await world.api()).send("POST", "/v1/link/approve")).status, 200);
}

test("before it begins, a first import is expected to make five calls a second, three for two envelopes", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  concludeHistory(companies, 5);

  await world.link(admin);

  const { firstImport, totals } = await linkOf(world);
  assert.deepEqual([firstImport.done, firstImport.total], [0, 5]);
  assert.equal(await expectedOf(world), 1_600);
  assert.deepEqual(totals, { atDocuSign: 0, imported: 0, excluded: 0, deleted: 0, waiting: 0 });
});

test("if DocuSign does not report an account's limit, the usual three thousand calls an hour are assumed", async () => {
  await using companies = await createCompanies({
    config: { largeImport: 1_000 },
    docusign: { limits: { isTold: false } },
  });
  const { world, admin } = companies;
  concludeHistory(companies, 1_600);

  assert.equal(await world.link(admin), "awaiting-approval");

  // 2,250 of the 2,400 calls fit into the hour, since a quarter is reserved; the rest takes half a minute.
  assert.equal(await expectedOf(world), HOUR_MS + 30_000);
});

test("a first import that is held back is expected to resume with the next hour's calls", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  concludeHistory(companies, 60);
  await world.link(admin);
  world.docusign.setLimits({ hourly: 40 });

  await world.runJobs();

  const { done, total } = (await linkOf(world)).firstImport;
  const calls = Math.ceil((total - done) * 1.5);
  const [fullHours, lastCalls] = [Math.ceil(calls / 30) - 1, calls % 30 || 30];
  const untilNextHour = new Date("2031-01-15T04:00:00Z").getTime() - world.clock.now.getTime();
  assert.ok(done > 0 && done < 60, String(done));
  assert.equal(await expectedOf(world), untilNextHour + fullHours * HOUR_MS + lastCalls * 200);
});

test("during a first import, its progress and its expected end at the current pace are shown", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  concludeHistory(companies, 6);
  await world.link(admin);
  // DocuSign does not return the documents of two envelopes yet.
  world.docusign.failNext(2, UNAVAILABLE, DOWNLOAD);
  await world.runJobs();
  world.clock.pass(30 * MINUTE_MS);

  const { firstImport } = await linkOf(world);
  const expected = await expectedOf(world);
  await world.runJobs();

  assert.deepEqual([firstImport.done, firstImport.total], [4, 6]);
  // Four took half an hour, so two more take a quarter of an hour.
  assert.equal(expected, 15 * MINUTE_MS);
  assert.deepEqual((await linkOf(world)).firstImport, { done: 6, total: 6, estimatedEnd: null });
});

test("the days that a link spent in error do not delay the expected end of its first import", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  concludeHistory(companies, 60);
  await world.link(admin);
  world.docusign.setLimits({ hourly: 40 });
  await world.runJobs();
  world.docusign.revokeConsent(admin);
  await world.runHour();
  const { state, firstImport } = await linkOf(world);
  world.clock.pass(10 * DAY_MS);

  assert.equal(await world.link(admin), "linked");

  const expected = await expectedOf(world);
  assert.equal(state, "error");
  assert.ok(firstImport.done > 0 && firstImport.done < 60, String(firstImport.done));
  assert.ok(expected < 5 * HOUR_MS, String(expected));
});

test("the days that a link awaited approval do not delay the expected end either, even if it was repaired before", async () => {
  await using companies = await createCompanies({ config: { largeImport: 5 } });
  const { world, admin } = companies;
  concludeHistory(companies, 6);
  assert.equal(await world.link(admin), "awaiting-approval");
  world.docusign.revokeConsent(admin);
  await world.runHour();
  assert.equal((await linkOf(world)).state, "error");
  await world.link(admin);
  assert.equal((await linkOf(world)).state, "awaiting-approval");
  world.clock.pass(10 * DAY_MS);

  await approve(world);
  world.docusign.failNext(2, UNAVAILABLE, DOWNLOAD);
  await world.runJobs();

  const { done } = (await linkOf(world)).firstImport;
  const expected = await expectedOf(world);
  assert.equal(done, 4);
  assert.ok(expected < MINUTE_MS, String(expected));
});
