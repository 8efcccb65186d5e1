import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { emptySlot, prepareEventBodies, slotHours } from "../../src/store/events/event-bodies.ts";
import { PAUSE_MS } from "../../src/usecases/keeping/empty-event-bodies.ts";
import { signedMessage } from "./messages.ts";
import { type ReceiverGroup, startReceivers } from "./receiver-group.ts";
import type { Bench, Row } from "./report.ts";
import type { Flood } from "./senders.ts";
import { median, medianRatio, percentile } from "./statistics.ts";

const BODIES = 1_000_000;
const RETENTION_DAYS = 30;
const SLOT_HOURS = slotHours(RETENTION_DAYS);
const SLOT_BODIES = (BODIES * SLOT_HOURS) / 24;
/** Each pair of turns empties a slot of its own. */
const PAIRS = 4;
const WARM_UP_TURNS = 3;
const LETTERS = 1024 * 1024;
const SENDERS = 100;
/** A pause has several turns of the senders, which hold all requests of a turn in memory. */
const TURN_MS = PAUSE_MS / 3;
const EMPTIED_AFTER_MS = 1_000;
const MOST = 1.2;
const HOUR_MS = 60 * 60 * 1000;

/** Answers at half the highest rate while the slots of a day of event bodies are emptied, and while they are not. */
export async function measureTruncate(bench: Bench): Promise<Row[]> {
  await using group = await startReceivers(bench, ["torikomi"]);
  await using opened = new AsyncDisposableStack();
  const { db, close } = openDatabase(group.databases.get("torikomi") ?? "", { max: 2 });
  opened.defer(close);
  await prepareEventBodies(db, RETENTION_DAYS);
  const parts = listParts();
  const sizes: number[] = [];
  for (const part of parts) sizes.push(await fillSlot(db, part));
  for (let turn = 0; turn < WARM_UP_TURNS; turn += 1) await send(group, await findRate(group));
  const found: Found = { emptying: [], resting: [], tookMs: [], sizes };
  for (const part of parts) {
    const rate = await findRate(group);
    const rest = async (): Promise<void> => void found.resting.push(await sendForAPause(group, db, rate));
    const empty = async (): Promise<void> => {
      const end = new Date((part + 1) * SLOT_HOURS * HOUR_MS);
      const emptying = async (): Promise<void> => void found.tookMs.push(await emptySoon(db, end));
      found.emptying.push(await sendForAPause(group, db, rate, emptying));
    };
    const turns = part % 2 === 0 ? [rest, empty] : [empty, rest];
    for (const turn of turns) await turn();
  }
  return [describe(found)];
}

/** Consecutive periods of a slot since 1970, which are older than the retention. */
function listParts(): number[] {
  const due = Math.floor(Date.now() / HOUR_MS / SLOT_HOURS) - (RETENTION_DAYS * 24) / SLOT_HOURS - PAIRS;
  return Array.from({ length: PAIRS }, (_, turn) => due + turn);
}

/** Fills a slot as the receiver would have done in a day of a million bodies; returns its bytes on disk. */
async function fillSlot(db: Database, part: number): Promise<number> {
  const { rows } = await sql<{ slot: number; name: string }>`
    select slot, 'event_bodies.slot_' || slot as name from (
      select ${part}::int % (select count(*) from pg_inherits where inhparent = 'event_body'::regclass) as slot
    ) as own`.execute(db);
  const { slot, name } = rows[0] ?? { slot: 0, name: "" };
  const { body } = signedMessage("00000000-0000-4000-8000-000000000000");
  // Random letters in place of the subject's filling, so that compression gains no more than with real bodies.
  const [start, end] = [body.indexOf("xxx"), body.lastIndexOf("xxx") + 3];
  const letters = Buffer.from(randomBytes(LETTERS).toString("base64"));
  const from = new Date(part * SLOT_HOURS * HOUR_MS);
  await sql`
    insert into event_body (slot, event_id, received_at, body)
    select ${slot}, n, ${from}::timestamptz + n * interval '1 hour' * ${SLOT_HOURS} / ${SLOT_BODIES + 1}::int,
      ${body.subarray(0, start)}::bytea
        || substring(${letters}::bytea from 1 + (n * 13) % ${LETTERS}::int for ${end - start}::int)
        || ${body.subarray(end)}::bytea
    from generate_series(1, ${SLOT_BODIES}::int) as n`.execute(db);
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

/**
 * Sends for as long as housekeeping pauses between two slots, and runs `meanwhile` during the first requests. Returns how
 * long each answer took, in milliseconds.
 */
async function sendForAPause(
  group: ReceiverGroup,
  db: Database,
  perSecond: number,
  meanwhile = async (): Promise<void> => {},
): Promise<number[]> {
  // Otherwise what the turn before has left to write would be written in the middle of this one.
  await sql`checkpoint`.execute(db);
  await prepareTurn(group, perSecond);
  const done = meanwhile();
  const times: number[][] = [];
  for (let sentMs = 0; sentMs < PAUSE_MS; sentMs += TURN_MS) times.push(await send(group, perSecond));
  await done;
  return times.flat();
}

async function prepareTurn({ prepare }: ReceiverGroup, perSecond: number): Promise<void> {
  await prepare(Math.ceil((perSecond * TURN_MS) / 1000));
}

async function send(group: ReceiverGroup, perSecond: number): Promise<number[]> {
  await prepareTurn(group, perSecond);
  const port = group.ports.get("torikomi");
  return await group.senders.ask<number[]>("pace", {
    port,
    senders: SENDERS,
    perSecond,
    durationMs: TURN_MS,
  });
}

/** Empties the slot, as housekeeping does, once the senders are at work; returns the milliseconds that took. */
async function emptySoon(db: Database, before: Date): Promise<number> {
  await sleep(EMPTIED_AFTER_MS);
  const begin = performance.now();
  if ((await emptySlot(db, before)) === null) throw new Error("no slot was emptied");
  return performance.now() - begin;
}

type Found = Readonly<Record<"emptying" | "resting", number[][]> & Record<"tookMs" | "sizes", number[]>>;

function describe({ emptying, resting, tookMs, sizes }: Found): Row {
  const [during, without] = [emptying, resting].map((turns) => turns.map((times) => percentile(times, 0.99)));
  const ratio = medianRatio(during ?? [], without ?? []);
  const size = Math.round(median(sizes) / 1024 ** 2);
  const longest = (turns: readonly number[][]): string =>
    median(turns.map((times) => percentile(times, 1))).toFixed(0);
  const bodies = BODIES.toLocaleString("en");
  return {
    measured: `99th percentile of answers at half the highest rate, while a day of ${bodies} event bodies is emptied, a slot of ${size} MiB every ${PAUSE_MS / 1000} s`,
    here: `${median(during ?? []).toFixed(1)} ms`,
    against: `without: ${median(without ?? []).toFixed(1)} ms; longest answers ${longest(emptying)} and ${longest(resting)} ms; emptying a slot took ${Math.round(median(tookMs))} ms (medians of ${PAIRS} pairs)`,
    result: `${ratio.toFixed(2)} ×`,
    goal: `≤ ${MOST} ×`,
    met: ratio <= MOST,
  };
}
