import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { sql } from "kysely";
import { startService } from "../../src/service.ts";
import { reconcileAll } from "../../src/usecases/reconciling/reconcile-all.ts";
import { type ReconcileStep, reconcileStep } from "../../src/usecases/reconciling/reconcile-link.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  explain,
  fateOf,
  linkIdOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import {
  callsOf,
  concludeQuietly,
  DAY_MS,
  entriesOf,
  entryOfNextHour,
  HOUR_MS,
  linesOf,
  MINUTE_MS,
} from "../support/reconciling.ts";
import type { World } from "../support/world.ts";

const DOWNLOAD = "/envelopes/{envelopeId}/documents/{documentId}";

test("if the next hour begins while a run is postponed, both hours are reconciled afterwards", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "before four" });
  world.docusign.goDown();
  await world.runHour();
  world.clock.pass(30 * MINUTE_MS);
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "before five" });

  world.clock.pass(30 * MINUTE_MS);
  await reconcileAll(world.service.foundation.tasks, world.clock.now);
  world.docusign.comeUp();
  await world.runJobs();

  assert.deepEqual(await subjects(world), ["before five", "before four"]);
  const [newest, older] = await entriesOf(world);
  assert.deepEqual([older.to, newest.to], ["2031-01-15T04:00:00.000Z", "2031-01-15T05:00:00.000Z"]);
});

test("hours missed during an outage are reconciled when a worker returns", async () => {
  const now = new Date();
  await using linked = await createLinkedCompanies({ at: now.toISOString() });
  const { world, colleague } = linked;
  concludeQuietly(world, 1, () => ({
    from: colleague,
    to: [CUSTOMER],
    subject: "meanwhile",
    completedAt: new Date(now.getTime() - HOUR_MS),
  }));
  await sql`
    insert into graphile_worker._private_known_crontabs (identifier, known_since, last_execution)
    values ('reconcile-all', now() - interval '3 days', now() - interval '3 hours')`.execute(
    world.service.foundation.working.db,
  );

  const { log } = world.service.foundation;
  const config = { ...world.config, port: 0, shutdownTimeoutMs: 25_000 };
  await using _ = await startService(config, "work", { log, now: () => new Date() });

  assert.deepEqual(
    await until(
      async () => await subjects(world),
      (found) => found.length > 0,
    ),
    ["meanwhile"],
  );
});

test("fifty links share a job, which runs at once; the jobs of further links follow within the first minutes", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  const { tasks } = world.service.foundation;
  const hour = new Date("2031-01-15T04:00:00Z");
  world.clock.now = hour;
  const shares = async (): Promise<{ links: number; delayMs: number }[]> => {
    const { rows } = await sql<{ links: number; run_at: Date }>`
      select json_array_length(payload -> 'linkIds') as links, greatest(run_at, ${hour}) as run_at
      from graphile_worker._private_jobs where run_at <= now() or run_at > ${hour} order by run_at`.execute(
      tasks.db,
    );
    return rows.map(({ links, run_at }) => ({ links, delayMs: run_at.getTime() - hour.getTime() }));
  };

  await reconcileAll(tasks, hour);
  assert.deepEqual(await shares(), [{ links: 1, delayMs: 0 }], "due by the database's clock too");

  await copyLink(world, 120);
  await reconcileAll(tasks, hour);
  await reconcileAll(tasks, hour);
  const spread = await shares();
  assert.deepEqual(
    spread.map(({ links }) => links),
    [50, 50, 21],
  );
  assert.deepEqual(
    spread.map(({ delayMs }) => delayMs / MINUTE_MS),
    [0, 1, 2],
  );
  await sql`delete from graphile_worker._private_jobs`.execute(tasks.db);
});

/** Copies the link for other tenants. */
async function copyLink(world: World, count: number): Promise<void> {
  const { db } = world.service.foundation.working;
  for (let number = 0; number < count; number += 1) {
    const tenant = `tenant ${number}`;
    await sql`insert into cabinet_group (tenant, id, name, created_at) values (${tenant}, 'group-1', 'n', now())`.execute(
      db,
    );
    await sql`
      insert into link (id, tenant, group_id, state, account_id, account_name, base_uri, user_id, user_name, linked_at, approval, connect_sent, connect_received)
      select ${randomUUID()}, ${tenant}, group_id, state, account_id, account_name, base_uri, user_id, user_name, linked_at, approval, connect_sent, connect_received
      from link where tenant = 'tenant-1'`.execute(db);
  }
}

test("steps of one link never overlap, whichever process runs them", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  const { tasks } = world.service.foundation;
  const request = { linkId: await linkIdOf(world), to: world.clock.now };
  const inside: ReconcileStep[] = [];
  world.docusign.onNext("/envelopes", async () => void inside.push(await reconcileStep(tasks, request)));

  const step = await reconcileStep(tasks, request);

  assert.equal(step.kind, "more");
  assert.deepEqual(
    inside.map((other) => [other.kind, other.kind === "put-off" && other.reason]),
    [["put-off", "busy"]],
  );
});

test("envelopes that Connect should have reported are counted for the operator, but none without Connect", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  const { docusign } = world;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  await world.runHour();
  assert.equal(await metric(world, "torikomi_envelopes_missed_by_events_total"), "1");

  const other = docusign.addAccount({ connect: false });
  const admin = docusign.addUser(other, { name: "高橋", role: "DS Admin" });
  await world.link(admin, { tenant: "tenant-2" });
  await world.runJobs();
  await concludeUnheard(world, { from: admin, to: [CUSTOMER] });
  await world.runHour();

  assert.equal((await entriesOf(world, "tenant-2"))[0].missed, 1);
  assert.equal(await metric(world, "torikomi_envelopes_missed_by_events_total"), "1");
  const told = linesOf(world, "Connect did not report envelopes");
  assert.deepEqual(
    told.map(({ linkId, envelopes }) => [linkId, envelopes]),
    [[(await linkOf(world)).id, 1]],
  );
});

test("an hourly run lists completions since a day before the last run, and no earlier ones", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  const reached = world.clock.now;

  const { from } = await entryOfNextHour(world);

  assert.equal(from, new Date(reached.getTime() - DAY_MS).toISOString());
});

test("an hourly run lists from the last envelope that proved account-wide access, for up to ninety days", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  const proof = world.clock.now;
  concludeQuietly(world, 1, () => ({ from: colleague, to: [CUSTOMER], completedAt: proof, purged: true }));
  await world.runHour();
  for (let days = 0; days < 88; days += 11) {
    world.clock.pass(11 * DAY_MS);
    await world.runHour();
  }

  const young = await entryOfNextHour(world);
  world.clock.pass(3 * DAY_MS);
  const before = await entryOfNextHour(world);
  const old = await entryOfNextHour(world);

  assert.equal(young.from, proof.toISOString());
  assert.equal(old.from, new Date(Date.parse(before.to) - DAY_MS).toISOString());
});

test("each call to DocuSign's API is counted for the operator", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  const before = Number(await metric(world, "torikomi_docusign_calls_total"));
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });

  const calls = await callsOf(world, async () => await world.runHour());

  assert.ok(calls.length > 3, calls.join());
  assert.equal(Number(await metric(world, "torikomi_docusign_calls_total")), before + calls.length);
});

async function metric(world: World, name: string): Promise<string | undefined> {
  const text = await (await fetch(`${world.url}/metrics`)).text();
  return new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1];
}

test("a failing import is retried with growing waits for days, then parked with its cause, then retried hourly", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  const { docusign } = world;
  docusign.failNext(1, { status: 500 }, DOWNLOAD);
  const envelope = await docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();

  const waits = await tryUntilParked(linked, envelope);

  const days = waits.reduce((sum, wait) => sum + wait, 0) / DAY_MS;
  assert.ok(days > 3 && days < 5, `parked after ${days} days`);
  assert.ok(waits.every((wait, index) => wait >= (waits[index - 1] ?? 0)));
  const parked = await explain(world, envelope);
  assert.deepEqual(
    [parked.outcome, parked.reason, parked.lastError],
    ["waiting", "import-failed", "http-500"],
  );

  const tried = docusign.callsTo(DOWNLOAD).length;
  docusign.failNext(1, { status: 500 }, DOWNLOAD);
  const entry = await entryOfNextHour(world);
  assert.equal(entry.failed, 1);
  assert.equal(docusign.callsTo(DOWNLOAD).length, tried + 1);
  assert.equal((await explain(world, envelope)).waitingFor.until, null);

  await world.runHour();
  assert.equal(await fateOf(world, envelope), "imported sent");
});

/** Runs the imports whenever one is due, and makes each fail; returns the waits in milliseconds. */
async function tryUntilParked({ world }: Companies, envelope: { envelopeId: string }): Promise<number[]> {
  const waits: number[] = [];
  for (let attempt = 0; attempt < 120; attempt += 1) {
    const { until: next } = (await explain(world, envelope)).waitingFor;
    if (next === null) return waits;
    waits.push(new Date(next).getTime() - world.clock.now.getTime());
    world.clock.now = new Date(next);
    world.docusign.failNext(1, { status: 500 }, DOWNLOAD);
    await world.runJobs();
  }
  throw new Error("it is never parked");
}

async function until<T>(read: () => Promise<T>, isEnough: (value: T) => boolean): Promise<T> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const value = await read();
    if (isEnough(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the condition was not met in time");
}

test("the next hour retries a failed import, however long it would have waited", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const unavailable = { status: 503 };
  world.docusign.failNext(1_000, unavailable, DOWNLOAD);
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "late" });
  for (let attempt = 0; attempt < 12; attempt += 1) {
    await world.runJobs();
    world.clock.pass(25 * MINUTE_MS);
  }
  world.docusign.calmDown();

  await world.runHour();

  assert.deepEqual(await subjects(world), ["late"]);
});

test("an hourly finding is imported even if DocuSign cannot confirm that the user is still an admin", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  await concludeUnheard(world, { from: admin, to: [CUSTOMER], subject: "found" });
  world.docusign.failNext(1_000, { status: 500 }, "/users/{userId}");

  await world.runHour();

  assert.deepEqual(await subjects(world), ["found"]);
  world.docusign.calmDown();
});
