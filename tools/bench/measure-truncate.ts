import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { emptySlots, prepareEventBodies } from "../../src/store/events/event-bodies.ts";
import { signedMessage } from "./messages.ts";
import { type ReceiverGroup, startReceivers } from "./receiver-group.ts";
import type { Bench, Row } from "./report.ts";
import type { Flood } from "./senders.ts";
import { median, medianRatio, percentile } from "./statistics.ts";

const BODIES = 1_000_000;
/** Each pair of turns empties a day of its own. */
const DAYS = 5;
const WARM_UP_TURNS = 3;
const LETTERS = 1024 * 1024;
const RETENTION_DAYS = 30;
const SENDERS = 100;
const DURATION_MS = 3_000;
const EMPTIED_AFTER_MS = 1_000;
const MOST = 1.2;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Answers at half the highest rate while housekeeping empties a day of event bodies, and while it does not. */
export async function measureTruncate(bench: Bench): Promise<Row[]> {
  await using group = await startReceivers(bench, ["torikomi"]);
  await using opened = new AsyncDisposableStack();
  const { db, close } = openDatabase(group.databases.get("torikomi") ?? "", { max: 2 });
  opened.defer(close);
  await prepareEventBodies(db, RETENTION_DAYS + DAYS);
  const days = Array.from({ length: DAYS }, (_, turn) => dayBefore(RETENTION_DAYS + DAYS - turn));
  const sizes: number[] = [];
  for (const day of days) sizes.push(await fillDay(db, day));
  for (let turn = 0; turn < WARM_UP_TURNS; turn += 1) await send(group, await findRate(group));
  const found: Found = { emptying: [], resting: [], tookMs: [], sizes };
  for (const day of days) {
    const rate = await findRate(group);
    // Otherwise what the turn before has left to write would be written in the middle of a turn.
    await sql`checkpoint`.execute(db);
    found.resting.push(percentile(await send(group, rate), 0.99));
    await sql`checkpoint`.execute(db);
    const emptied = emptyMeanwhile(db, new Date(day.getTime() + DAY_MS));
    found.emptying.push(percentile(await send(group, rate), 0.99));
    found.tookMs.push(await emptied);
  }
  return [describe(found)];
}

function dayBefore(days: number): Date {
  return new Date(Math.floor(Date.now() / DAY_MS - days) * DAY_MS);
}

/** Fills the day's slot as the receiver would have done; returns its bytes on disk. */
async function fillDay(db: Database, day: Date): Promise<number> {
  const { rows } = await sql<{ slot: number; name: string }>`
    select slot, 'event_bodies.slot_' || slot as name from (
      select ${day.getTime() / DAY_MS}::int % (
        select count(*) from pg_inherits where inhparent = 'event_body'::regclass
      ) as slot
    ) as own`.execute(db);
  const { slot, name } = rows[0] ?? { slot: 0, name: "" };
  const { body } = signedMessage("00000000-0000-4000-8000-000000000000");
  // Random letters in place of the subject's filling, so that compression gains no more than with real bodies.
  const [start, end] = [body.indexOf("xxx"), body.lastIndexOf("xxx") + 3];
  const letters = Buffer.from(randomBytes(LETTERS).toString("base64"));
  await sql`
    insert into event_body (slot, event_id, received_at, body)
    select ${slot}, n, ${day}::timestamptz + n * interval '1 day' / ${BODIES + 1}::int,
      ${body.subarray(0, start)}::bytea
        || substring(${letters}::bytea from 1 + (n * 13) % ${LETTERS}::int for ${end - start}::int)
        || ${body.subarray(end)}::bytea
    from generate_series(1, ${BODIES}::int) as n`.execute(db);
  await sql`vacuum (analyze) ${sql.table(name)}`.execute(db);
  const size = await sql<{ bytes: string }>`
    select pg_total_relation_size(${name}::regclass) as bytes`.execute(db);
  return Number(size.rows[0]?.bytes);
}

/** Half of the highest rate. */
async function findRate({ ports, senders, prepare }: ReceiverGroup): Promise<number> {
  await prepare(60_000);
  const flood = { port: ports.get("torikomi"), senders: SENDERS, warmUpMs: 500, durationMs: 1_500 };
  const { perSecond } = await senders.ask<Flood>("flood", flood);
  return perSecond / 2;
}

/** Returns how long each answer took, in milliseconds. */
async function send({ ports, senders, prepare }: ReceiverGroup, perSecond: number): Promise<number[]> {
  await prepare(30_000);
  const port = ports.get("torikomi");
  return await senders.ask<number[]>("pace", { port, senders: SENDERS, perSecond, durationMs: DURATION_MS });
}

/** Empties what is older, as housekeeping does, once the senders are at work; returns the milliseconds that took. */
async function emptyMeanwhile(db: Database, before: Date): Promise<number> {
  await sleep(EMPTIED_AFTER_MS);
  const begin = performance.now();
  if ((await emptySlots(db, before)) !== 1) throw new Error("no day was emptied");
  return performance.now() - begin;
}

type Found = Readonly<Record<"emptying" | "resting" | "tookMs" | "sizes", number[]>>;

function describe({ emptying, resting, tookMs, sizes }: Found): Row {
  const ratio = medianRatio(emptying, resting);
  const size = (median(sizes) / 1024 ** 3).toFixed(1);
  return {
    measured: `99th percentile of answers at half the highest rate, while a day of ${BODIES.toLocaleString("en")} event bodies (${size} GiB) is emptied`,
    here: `${median(emptying).toFixed(1)} ms`,
    against: `without: ${median(resting).toFixed(1)} ms; emptying took ${Math.round(median(tookMs))} ms (median of ${DAYS} pairs)`,
    result: `${ratio.toFixed(2)} ×`,
    goal: `≤ ${MOST} ×`,
    met: ratio <= MOST,
  };
}
