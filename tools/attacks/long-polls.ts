import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { sql } from "kysely";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { startCabinet } from "../../test/support/cabinet/cabinet.ts";
import { createTestDatabase, startTestServer } from "../../test/support/postgres.ts";
import { startChild } from "../bench/child.ts";
import { startProgram } from "../bench/program.ts";
import { percentile } from "../bench/statistics.ts";
import type { PollingCounts, PollingWish } from "./polling-clients.ts";

// Repeats an attack on the loopback interface: one tenant's token waits for news 3,000 times, 100 of them admitted, the
// others refused and back a second later. Meanwhile another tenant reads its changes. Ends with status 1 if the 99th
// percentile of its answers is 100 ms or more, at any time or right after news that wake the waiting readers.

const CLIENTS = 3_000;
const SECONDS = 30;
const NEWS_EVERY_MS = 2_000;
/** Answers that begin within this time count as right after the news. */
const AFTER_NEWS_MS = 500;
const PAUSE_MS = 10;
const MOST_MS = 100;

await using server = await startTestServer();
await using database = await createTestDatabase(server.adminUrl);
const { db, close } = openDatabase(database.connectionString);
await using cabinet = await startCabinet({ clientId: "page", clientSecret: "page", redirectUris: [] });
await using program = await startProgram({
  role: "serve",
  connectionString: database.connectionString,
  cabinetIssuer: cabinet.issuer,
});
for (const tenant of ["tenant-1", "tenant-2"]) await addTenant(db, tenant);
const tokens = {
  attacker: await cabinet.token({ tenant: "tenant-1", scope: "contracts:read" }),
  victim: await cabinet.token({ tenant: "tenant-2", scope: "contracts:read" }),
};
await using clients = await startChild("../attacks/polling-clients.ts");

const quiet = await readFor(5_000);
print(`without the attack: ${describe(quiet)}`);
const wish: PollingWish = {
  port: Number(new URL(program.url).port),
  token: tokens.attacker,
  clients: CLIENTS,
};
await clients.ask("start", wish);
print(`${CLIENTS} clients are connected`);
await pause(3_000);
await clients.ask("takeCounts");
const newsAt: number[] = [];
const ending = new AbortController();
const news = addNews(ending.signal);
const begin = performance.now();
const attacked = await readFor(SECONDS * 1_000);
const seconds = (performance.now() - begin) / 1_000;
ending.abort();
await news;
const counts = await clients.ask<PollingCounts>("takeCounts");
await close();

const woken = attacked.filter(({ at }) => newsAt.some((time) => at >= time && at < time + AFTER_NEWS_MS));
print(`with ${CLIENTS} waiting clients: ${describe(attacked)}`);
print(`within ${AFTER_NEWS_MS} ms after news for them: ${describe(woken)}`);
for (const [status, count] of Object.entries(counts))
  print(`${Math.round(count / seconds)} answers with ${status} a second`);
process.exitCode = [attacked, woken].every((some) => some.length > 0 && p99(some) < MOST_MS) ? 0 : 1;

type Reading = { readonly at: number; readonly ms: number };

/** Reads the other tenant's changes again and again. */
async function readFor(ms: number): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const end = performance.now() + ms; performance.now() < end; await pause(PAUSE_MS)) {
    const at = performance.now();
    const response = await fetch(`${program.url}/v1/changes`, {
      headers: { authorization: `Bearer ${tokens.victim}` },
    });
    if (!response.ok) throw new Error(`the other tenant got ${response.status}`);
    await response.arrayBuffer();
    readings.push({ at, ms: performance.now() - at });
  }
  return readings;
}

async function addNews(end: AbortSignal): Promise<void> {
  while (!end.aborted) {
    await addContract(db, "tenant-1");
    newsAt.push(performance.now());
    await pause(NEWS_EVERY_MS, null, { signal: end }).catch(() => {});
  }
}

async function addTenant(at: Database, tenant: string): Promise<void> {
  await sql`insert into cabinet_group (tenant, id, name, created_at) values (${tenant}, 'sales', 'sales', now())`.execute(
    at,
  );
  await sql`
    insert into link (id, tenant, group_id, state, account_id, account_name, base_uri, user_id, user_name, linked_at,
      approval, connect_sent, connect_received)
    values (gen_random_uuid(), ${tenant}, 'sales', 'active', gen_random_uuid(), '甲', 'https://demo.docusign.net',
      gen_random_uuid(), '山田', now(), 'not-needed', 'active', 'active')`.execute(at);
  for (let count = 0; count < 50; count += 1) await addContract(at, tenant);
}

/** As an import commits it, with the notification that follows. */
async function addContract(at: Database, tenant: string): Promise<void> {
  const [id, envelopeId] = [randomUUID(), randomUUID()];
  await at.transaction().execute(async (tx) => {
    await sql`
      insert into envelope (tenant, envelope_id, link_id, state, reason, found_by, found_at)
      select tenant, ${envelopeId}, id, 'imported', 'sent', 'event', now() from link where tenant = ${tenant}`.execute(
      tx,
    );
    await sql`
      insert into contract (id, tenant, envelope_id, document_id, link_id, group_id, file_name, concluded_on,
        completed_at, account_id, bytes, sha256, document_key, imported_at)
      select ${id}, tenant, ${envelopeId}, '1', id, group_id, '契約書.pdf', current_date, now(), account_id, 1,
        repeat('0', 64), ${id}, now() from link where tenant = ${tenant}`.execute(tx);
    await sql`
      insert into change (tenant, type, contract_id, contract, recorded_at)
      select tenant, 'imported', id, jsonb_build_object('id', id, 'tenant', tenant, 'groupId', group_id,
        'fileName', file_name, 'concludedOn', concluded_on, 'importedAt', '2026-11-30T00:00:00.000Z', 'pages', 1,
        'bytes', bytes, 'sha256', sha256, 'source', jsonb_build_object('envelopeId', envelope_id,
          'documentId', document_id, 'accountId', account_id, 'completedAt', '2026-11-30T00:00:00.000Z',
          'subject', subject)), now()
      from contract where id = ${id}`.execute(tx);
  });
  await sql`select pg_notify('torikomi_changes', ${tenant})`.execute(at);
}

function p99(readings: readonly Reading[]): number {
  return percentile(
    readings.map(({ ms }) => ms),
    0.99,
  );
}

function describe(readings: readonly Reading[]): string {
  const times = readings.map(({ ms }) => ms);
  const [median, most] = [percentile(times, 0.5), Math.max(...times)];
  return `${readings.length} answers, median ${median.toFixed(1)} ms, 99th percentile ${p99(readings).toFixed(1)} ms, slowest ${most.toFixed(1)} ms`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
