import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { pino } from "pino";
import { type EnvelopeId, parseUuid } from "../../src/domain/identifiers.ts";
import { openFoundation } from "../../src/foundation.ts";
import { findCurrentLink, type Link } from "../../src/store/links/links.ts";
import { importEnvelope } from "../../src/usecases/importing/import-envelope.ts";
import { importNow } from "../../src/usecases/importing/import-now.ts";
import { type DryRunReconciliation, dryRunReconciliation } from "../../src/usecases/operating/dry-run.ts";
import {
  type NowOptions,
  type ReconciledLink,
  reconcileNow,
  settleWindow,
} from "../../src/usecases/operating/reconcile-now.ts";
import { interceptPool } from "../support/intercept-pool.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  endLink,
  fateOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { callsOf, concludeQuietly, DAY_MS, HOUR_MS, MINUTE_MS } from "../support/reconciling.ts";
import { stepOn } from "../support/stepping.ts";
import type { World } from "../support/world.ts";

const DOWNLOAD = "/envelopes/{envelopeId}/documents/{documentId}";

async function currentLink({ service }: World): Promise<Link> {
  return (await findCurrentLink(service.foundation.tasks.db, "tenant-1")) ?? assert.fail("no link");
}

type Watched<Result> = { readonly result: Result; readonly shown: object[]; readonly calls: string[] };

/** Runs an operator's command; returns its result, its progress reports and its DocuSign calls. */
async function watch<Result>(
  world: World,
  act: (link: Link, options: NowOptions) => Promise<Result>,
  { signal }: AbortController = new AbortController(),
): Promise<Watched<Result>> {
  const shown: object[] = [];
  const link = await currentLink(world);
  const results: Result[] = [];
  const calls = await callsOf(world, async () => {
    results.push(
      await act(link, { from: null, to: null, signal, onProgress: (one) => void shown.push(one) }),
    );
  });
  return { result: results[0]!, shown, calls };
}

async function reconcile(world: World, stop?: AbortController): Promise<Watched<ReconciledLink>> {
  const { tasks } = world.service.foundation;
  return await watch(world, async (link, options) => await reconcileNow(tasks, link, options), stop);
}

async function dryRun(world: World, stop?: AbortController): Promise<Watched<DryRunReconciliation>> {
  const { tasks } = world.service.foundation;
  return await watch(world, async (link, options) => await dryRunReconciliation(tasks, link, options), stop);
}

async function conclude({ world, colleague }: Companies, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1)
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: `契約${number}` });
}

test("an operator sees what is listed and imported, the number of calls and the duration", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await conclude(companies, 2);
  world.clock.pass(HOUR_MS);
  world.docusign.onNext(DOWNLOAD, () => world.clock.pass(1_234));

  const { result, shown, calls } = await reconcile(world);

  assert.equal(result.calls, calls.length);
  assert.equal(result.durationMs, 1_234);
  assert.equal(result.imports.imported, 2);
  assert.equal(result.obstacle, null);
  assert.deepEqual(shown, [
    { phase: "listing", listed: 2 },
    { phase: "importing", done: 0, total: 2 },
    { phase: "importing", done: 1, total: 2 },
    { phase: "importing", done: 2, total: 2 },
  ]);
});

test("no import is shown if there is nothing to import", async () => {
  await using companies = await createLinkedCompanies();
  companies.world.clock.pass(HOUR_MS);

  const { shown } = await reconcile(companies.world);

  assert.deepEqual(shown, [{ phase: "listing", listed: 0 }]);
});

test("an operator's run leases each envelope for two minutes, after which others may take it", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await conclude(companies, 3);
  world.clock.pass(HOUR_MS);
  const seen: Date[] = [];
  world.docusign.onNext(DOWNLOAD, async () => {
    const { rows } = await sql<{ until: Date }>`
      select waiting_until as until from envelope where waiting_until > ${world.clock.now}`.execute(
      world.service.foundation.working.db,
    );
    seen.push(...rows.map(({ until }) => until));
  });

  await reconcile(world);

  assert.ok(seen.length > 0);
  for (const until of seen) assert.equal(until.getTime() - world.clock.now.getTime(), 2 * 60 * 1000);
});

test("an operator's run reads envelopes that were listed more than a minute ago again with one call", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await conclude(companies, 12);
  world.clock.pass(HOUR_MS);
  await stepOn(world, { manual: true });
  world.clock.pass(MINUTE_MS + 1);

  const { result, calls } = await reconcile(world);

  assert.equal(result.imports.imported, 12);
  const count = (path: string): number => calls.filter((call) => call === `GET ${path}`).length;
  // Both sides of the window, and the envelopes once more.
  assert.deepEqual(["/envelopes", "/envelopes/{envelopeId}", DOWNLOAD].map(count), [3, 0, 12]);
});

test("an operator's run can complete a first import, and leaves envelopes that wait to the workers", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  await conclude(companies, 1);
  await world.link(admin);
  await reconcile(world);
  const { firstImport } = await currentLink(world);
  await conclude(companies, 1);
  world.clock.pass(HOUR_MS);
  await sql`delete from graphile_worker._private_jobs`.execute(world.service.foundation.working.db);
  world.docusign.failNext(1, { status: 503 }, DOWNLOAD);

  const { result } = await reconcile(world);
  world.clock.pass(HOUR_MS);
  await world.runJobs();

  assert.deepEqual(firstImport.doneAt, new Date("2031-01-15T03:10:00Z"));
  assert.equal(result.obstacle?.reason, "docusign-unavailable");
  assert.ok(result.obstacle?.until != null && result.obstacle.until < world.clock.now);
  assert.equal((await subjects(world)).length, 2);
});

test("an envelope that an operator's run leaves waiting resumes when due, even if a worker found no work meanwhile", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await conclude(companies, 1);
  world.clock.pass(HOUR_MS);
  world.docusign.onNext(DOWNLOAD, async () => await world.runJobs());
  world.docusign.failNext(1, { status: 503 }, DOWNLOAD);

  const { obstacle } = (await reconcile(world)).result;
  assert.equal(obstacle?.reason, "docusign-unavailable");
  world.clock.now = obstacle?.until ?? assert.fail("for ever");
  await world.runJobs();

  assert.equal((await subjects(world)).length, 1);
});

test("an operator's run reports an interruption before its listing or during its imports", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await conclude(companies, 8);
  world.clock.pass(HOUR_MS);
  const [before, during] = [new AbortController(), new AbortController()];
  before.abort();

  const first = await reconcile(world, before);
  world.docusign.onNext(DOWNLOAD, () => during.abort());
  const second = await reconcile(world, during);

  assert.deepEqual(first.result.obstacle, { reason: "interrupted", until: null });
  assert.deepEqual(second.result.obstacle, { reason: "interrupted", until: null });
  assert.ok((await subjects(world)).length < 8);
});

test("an operator's run that imported everything is complete, even if it used the account's last calls", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  await conclude(companies, 1);
  world.clock.pass(HOUR_MS);
  world.docusign.setLimits({ hourly: 1_000, isKept: false });
  world.docusign.onNext(DOWNLOAD, () => world.docusign.spendCalls(account, 1_000));

  const { result } = await reconcile(world);

  assert.equal(result.imports.imported, 1);
  assert.deepEqual([result.obstacle, result.waiting], [null, {}]);
});

test("an operator's run interrupted during its last import is complete", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await conclude(companies, 1);
  world.clock.pass(HOUR_MS);
  const stop = new AbortController();
  world.docusign.onNext(DOWNLOAD, () => stop.abort());

  const { result } = await reconcile(world, stop);

  assert.deepEqual([result.imports.imported, result.obstacle], [1, null]);
});

test("an operator's run reports that its link has ended meanwhile", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { tasks } = world.service.foundation;
  const link = await currentLink(world);
  assert.equal((await endLink(world)).status, 204);
  const { signal } = new AbortController();

  const { obstacle } = await reconcileNow(tasks, link, {
    from: null,
    to: null,
    signal,
    onProgress: () => {},
  });

  assert.deepEqual(obstacle, { reason: "link-ended", until: null });
});

test("a window that ends before an hourly run's usual start lists everything before its end", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const link = await currentLink(world);
  const usual = new Date(world.clock.now.getTime() - DAY_MS);
  const windowTo = (to: Date): string => {
    const { from } = settleWindow(link, { from: null, to }, world.clock.now);
    return from?.toISOString() ?? "usual";
  };

  assert.equal(windowTo(usual), "2003-01-01T00:00:00.000Z");
  assert.equal(windowTo(new Date(usual.getTime() + 1)), usual.toISOString());
});

test("an internal error ends all of an operator's imports at once and is thrown", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const left: EnvelopeId[] = [];
  for (let number = 0; number < 12; number += 1) {
    const { envelopeId } = await concludeUnheard(world, { from: companies.colleague, to: [CUSTOMER] });
    left.push(parseUuid<EnvelopeId>(envelopeId) ?? assert.fail("no id"));
  }
  let asked = 0;
  const { tasks } = world.service.foundation;
  const { id: linkId } = await currentLink(world);
  const importing = importNow(tasks, {
    linkId,
    foundBy: "replay",
    turn: async () => {
      asked += 1;
      if (asked === 1) throw new Error("the list of envelopes is gone");
      const envelopeId = left.shift();
      if (envelopeId === undefined) return "nothing-due";
      await importEnvelope(tasks, { linkId, envelopeId, foundBy: "replay" });
      return "turn-over";
    },
    signal: new AbortController().signal,
  });

  await assert.rejects(importing, /the list of envelopes is gone/);

  assert.ok(left.length > 0);
  assert.equal((await world.contracts()).length, 12 - left.length);
});

test("an operator's run reports a missing group even if no envelope waits for it", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await (await world.api()).send("DELETE", "/v1/groups/group-1");

  const { result } = await reconcile(world);

  assert.deepEqual(result.obstacle, { reason: "group-missing", until: null });
});

test("an operator's run and an explanation report a missing group rather than an awaited approval", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin, colleague } = companies;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  assert.equal(await world.link(admin), "awaiting-approval");
  await (await world.api()).send("DELETE", "/v1/groups/group-1");

  const { result } = await reconcile(world);

  assert.deepEqual(result.obstacle, { reason: "group-missing", until: null });
  assert.equal(await fateOf(world, envelope), "waiting group-missing");
});

test("an operator's run that cannot list imports nothing that waits", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.failNext(1, { status: 503 }, DOWNLOAD);
  const waiting = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  world.clock.pass(HOUR_MS);
  world.docusign.failNext(1, { status: 503 }, "/envelopes");

  const { result } = await reconcile(world);

  assert.equal(result.obstacle?.reason, "docusign-unavailable");
  assert.equal(result.imports.imported, 0);
  assert.equal(await fateOf(world, waiting), "waiting docusign-unavailable");
});

test("an operator's run does not wait for others' leases if the link currently imports nothing", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.failNext(1, { status: 503 }, DOWNLOAD);
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  world.clock.pass(HOUR_MS);
  await lease(world);
  await (await world.api()).send("DELETE", "/v1/groups/group-1");

  const { result } = await reconcile(world);

  assert.equal(result.obstacle?.reason, "group-missing");
});

test("an operator's run does not wait for others' leases on a first import that is held back", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  const completedAt = new Date(world.clock.now.getTime() - HOUR_MS);
  concludeQuietly(world, 60, () => ({ from: admin, to: [CUSTOMER], completedAt }));
  await world.link(admin);
  world.docusign.setLimits({ hourly: 40 });
  await world.runJobs();
  await lease(world);

  const { result } = await reconcile(world);

  assert.equal(result.obstacle?.reason, "budget-reserve");
});

/** Leases an envelope as another process that then disappears. */
async function lease(world: World): Promise<void> {
  const { id: linkId } = await currentLink(world);
  const { now } = world.clock;
  const leaseUntil = new Date(now.getTime() + 2 * 60 * 1000);
  const { numAffectedRows } = await sql`
    update envelope set waiting_until = ${leaseUntil} where (tenant, envelope_id) in (
      select tenant, envelope_id from envelope
      where link_id = ${linkId} and state = 'waiting' and waiting_until <= ${now} limit 1
    )`.execute(world.service.foundation.tasks.db);
  assert.equal(numAffectedRows, 1n);
}

test("a dry run reports its start of window, its calls and the number of listed envelopes", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  await conclude(companies, 2);
  await world.link(admin);

  const first = await dryRun(world);
  await world.runJobs();
  const reached = world.clock.now;
  world.clock.pass(HOUR_MS);
  const later = await dryRun(world);

  assert.equal(first.result.from.toISOString(), "2003-01-01T00:00:00.000Z");
  assert.equal(first.result.calls, first.calls.length);
  assert.equal(first.calls.length, 2);
  assert.deepEqual(first.shown, [
    { phase: "listing", listed: 2 },
    { phase: "listing", listed: 2 },
  ]);
  assert.deepEqual(later.result.from, new Date(reached.getTime() - DAY_MS));
});

test("a dry run reports an interruption", async () => {
  await using companies = await createLinkedCompanies();
  const stop = new AbortController();
  stop.abort();

  const { result, calls } = await dryRun(companies.world, stop);

  assert.deepEqual([result.obstacle, calls], [{ reason: "interrupted", until: null }, []]);
});

test("a dry run that fails in our database is not reported as a DocuSign fault", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await conclude(companies, 1);
  await using other = await openFoundation(world.config, {
    log: pino({ level: "silent" }),
    now: () => world.clock.now,
  });
  interceptPool(other.working.pool, async (statement, act) => {
    if (statement.includes("from envelope where tenant = listed.tenant"))
      throw new Error("the ledger cannot be read");
    return await act();
  });

  const dry = watch(world, async (link, options) => await dryRunReconciliation(other.tasks, link, options));

  await assert.rejects(dry, /the ledger cannot be read/);
});

test("a dry run reports a revoked authorization", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  world.docusign.revokeConsent(admin);

  const { result } = await dryRun(world);

  assert.deepEqual(result.obstacle, { reason: "link-error", until: null });
  assert.equal((await linkOf(world)).state, "active");
});
