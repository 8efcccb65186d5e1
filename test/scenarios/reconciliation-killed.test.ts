import assert from "node:assert/strict";
import { test } from "node:test";
import { Logger, runOnce } from "graphile-worker";
import { sql } from "kysely";
import { createLinkShare } from "../../src/jobs/link-share.ts";
import { createTasks } from "../../src/jobs/tasks.ts";
import { openDoomed } from "../support/doomed.ts";
import { type Companies, CUSTOMER, createLinkedCompanies } from "../support/linked-world.ts";
import { concludeQuietly, MINUTE_MS } from "../support/reconciling.ts";
import type { World } from "../support/world.ts";

test("killed before any statement or commit of a reconciliation, a worker leaves its successor to the same end", async () => {
  await using linked = await createLinkedCompanies({ expectErrors: true, docusign: { validate: false } });
  const { world } = linked;
  concludeSome(linked);
  const begun = await takeSnapshot(world);
  const { statements, end } = await runHourKilledAt(world, Number.POSITIVE_INFINITY);
  assert.equal(end.contracts.length, 3);
  assert.equal(end.entry?.state, "done");

  for (let last = 1; last <= statements; last += 1) {
    await begun.restore();
    const killed = await runHourKilledAt(world, last);
    assert.deepEqual(killed.end, end, `killed at statement ${last} of ${statements}`);
  }
});

/** What the account sent, with two documents, what the user received, and what a rule excludes. */
function concludeSome({ world, admin, colleague, partner }: Companies): void {
  const completedAt = world.clock.now;
  const two = [{ name: "契約書.pdf" }, { name: "別紙.pdf" }];
  concludeQuietly(world, 1, () => ({ from: colleague, to: [CUSTOMER], documents: two, completedAt }));
  concludeQuietly(world, 1, () => ({ from: colleague, to: [admin], purged: true, completedAt }));
  concludeQuietly(world, 1, () => ({ from: partner, to: [admin], completedAt }));
}

type Outcome = { readonly statements: number; readonly end: Awaited<ReturnType<typeof readEnd>> };

/** The next hour by a worker that dies at the statement, then by one that lives. */
async function runHourKilledAt(world: World, last: number): Promise<Outcome> {
  const { tasks, back } = world.service.foundation;
  const hour = new Date("2031-01-15T04:00:00Z");
  world.clock.now = hour;
  await sql`
    select graphile_worker.add_job('reconcile-all',
      json_build_object('_cron', json_build_object('ts', ${hour}::timestamptz)))`.execute(back.db);
  const statements = await reconcileUntilKilled(world, last);
  await sql`update graphile_worker._private_jobs set run_at = now(), attempts = 0, last_error = null`.execute(
    tasks.db,
  );
  await world.runJobs();
  if (!(await isOver(world))) {
    // The dead one's lock was there a moment longer.
    world.clock.pass(MINUTE_MS);
    await world.runJobs();
  }
  return { statements, end: await readEnd(world) };
}

async function isOver(world: World): Promise<boolean> {
  const { rows } = await sql`select 1 from graphile_worker.jobs`.execute(world.service.foundation.back.db);
  return rows.length === 0;
}

async function reconcileUntilKilled(world: World, last: number): Promise<number> {
  const { tasks, back } = world.service.foundation;
  await using doomed = openDoomed(world.database.connectionString, last);
  const all = createTasks({ ...tasks, db: doomed.db }, createLinkShare(1));
  const taskList = Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith("reconcile")));
  await runOnce({ pgPool: back.pool, noHandleSignals: true, logger: new Logger(() => () => {}), taskList });
  return doomed.statements();
}

async function readEnd(world: World) {
  const { db } = world.service.foundation.back;
  const contracts = await db
    .selectFrom("contract")
    .select(["envelope_id", "document_id"])
    .orderBy("envelope_id")
    .orderBy("document_id")
    .execute();
  const ledger = await db
    .selectFrom("envelope")
    .select(["envelope_id", "state", "reason"])
    .orderBy("envelope_id")
    .execute();
  const link = await db.selectFrom("link").select(["state", "sent_reached", "received_reached"]).execute();
  const changes = await db.selectFrom("change").select("contract_id").execute();
  const [entry] = await db
    .selectFrom("reconciliation")
    .select(["state", "listed", "known", "missed", "excluded"])
    .where("kind", "=", "hourly")
    .orderBy("started_at")
    .orderBy("window_from")
    .execute();
  return { contracts, ledger, link, changes: changes.length, entry };
}

/** The link as it is, and nothing of its hour. */
async function takeSnapshot(world: World): Promise<{ restore(): Promise<void> }> {
  const { db } = world.service.foundation.back;
  const link = await db
    .selectFrom("link")
    .select(["state", "cause", "sent_reached", "received_reached", "colleague_sent_at", "checked_at"])
    .executeTakeFirstOrThrow();
  return {
    async restore() {
      await sql`truncate change, contract, stored_document, envelope`.execute(db);
      await sql`delete from reconciliation where kind <> 'first'`.execute(db);
      await sql`delete from graphile_worker._private_jobs`.execute(db);
      await db.updateTable("link").set(link).execute();
    },
  };
}
