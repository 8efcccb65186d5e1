import { sql } from "kysely";
import type { Database } from "../../src/store/database.ts";
import { timeReadable } from "./measure-readable.ts";
import type { Bench, Row } from "./report.ts";
import { addKnown, type SeededLink, settleTables } from "./seed.ts";
import { type Stage, setStage } from "./stage.ts";
import { median, medianRatio } from "./statistics.ts";
import { lastFullHour, queueHour, untilNoJobs } from "./waiting.ts";

const LINKS = 200;
const ROWS = { small: 10_000, large: 10_000_000 };
/** The share of the first link, whose events and pages are measured. */
const FIRST_SHARE = 0.1;
const EVENTS = { warmUp: 10, rounds: 40 };
const PAGES = { warmUp: 10, rounds: 150 };
const HOURS = { warmUp: 3, rounds: 14 };
const MOST = 1.2;
const TWO_HOURS_MS = 2 * 60 * 60 * 1000;

type Size = keyof typeof ROWS;
const SIZES: readonly Size[] = ["small", "large"];

/** The same work over few and over very many rows of the ledger and of contracts, in turn. */
export async function measureRows(bench: Bench): Promise<Row[]> {
  await using small = await setFilledStage(bench, ROWS.small);
  await using large = await setFilledStage(bench, ROWS.large);
  const stages = { small, large };
  const after = { small: await readPosition(small), large: await readPosition(large) };
  const compare = async (
    what: string,
    turns: { readonly warmUp: number; readonly rounds: number },
    turn: (size: Size) => Promise<number>,
  ): Promise<Row> => {
    const times: Record<Size, number[]> = { small: [], large: [] };
    for (let round = -turns.warmUp; round < turns.rounds; round += 1) {
      for (const size of SIZES) {
        const ms = await turn(size);
        if (round >= 0) times[size].push(ms);
      }
    }
    return describe(what, times);
  };
  return [
    await compare("event to contract readable", EVENTS, async (size) => {
      const { ms, next } = await timeReadable(stages[size], after[size]);
      after[size] = next;
      return ms;
    }),
    await compare("first page of 100 contracts", PAGES, async (size) => await timePage(stages[size])),
    await compare(`quiet hour of ${LINKS} links`, HOURS, async (size) => await timeHour(stages[size])),
  ];
}

async function setFilledStage(bench: Bench, rows: number): Promise<Stage> {
  const stage = await setStage(bench, { role: "all", links: LINKS });
  const { db } = stage.database;
  const completedAt = new Date(lastFullHour().getTime() - TWO_HOURS_MS);
  const known: string[] = [];
  for (const { user } of stage.links) {
    const wish = { accountId: user.accountId, count: 1, completedAt };
    known.push(...(await stage.docusign.ask<string[]>("conclude", wish)));
  }
  await addKnown(db, stage.links, known, completedAt);
  const [first, ...others] = stage.links;
  if (first !== undefined) await addImported(db, [first], rows * FIRST_SHARE);
  await addImported(db, others, rows * (1 - FIRST_SHARE));
  await settleTables(db);
  await sql`vacuum (analyze) change`.execute(db);
  return stage;
}

/** Envelopes with a contract and an entry of the feed each, spread evenly over the links. Their ids follow the time, which fills the indexes quickly. */
async function addImported(db: Database, links: readonly SeededLink[], rows: number): Promise<void> {
  const each = Math.round(rows / links.length);
  for (const { id, tenant, user } of links) {
    await db.transaction().execute(async (tx) => {
      // Checks of keys and the feed's triggers would take most of the time.
      await sql`set local session_replication_role = replica`.execute(tx);
      await sql`
        with line as (
          insert into envelope (
            tenant, envelope_id, link_id, state, reason, completed_at, facts, found_by, found_at, decided_at, attempts,
            last_attempt_at
          )
          select ${tenant}, uuidv7(), ${id}, 'imported', 'sent', at,
            '{"senderAccount": "00000000-0000-4000-8000-000000000000"}', 'event', at, at, 1, at
          from generate_series(${each}::int, 1, -1) as n,
            lateral (select now() - interval '2 days' - n * interval '5 years' / ${each}::int as at) as moment
          returning tenant, envelope_id, link_id, completed_at
        ), stored as (
          insert into contract (
            id, tenant, envelope_id, document_id, link_id, group_id, file_name, concluded_on, completed_at, account_id,
            subject, pages, bytes, sha256, document_key, imported_at
          )
          select uuidv7(), tenant, envelope_id, '1', link_id, 'group-1', '業務委託契約書 ' || envelope_id || '.pdf',
            (completed_at at time zone 'Asia/Tokyo')::date, completed_at, ${user.accountId}::uuid,
            '業務委託契約書のご確認', 3, 123456, repeat('0', 64), 'contracts/' || envelope_id, completed_at
          from line
          returning id, tenant, imported_at
        )
        insert into change (tenant, contract_id, type, contract, recorded_at, sequence)
        select tenant, id, 'imported', '{}', imported_at, nextval('change_sequence') from stored`.execute(tx);
    });
  }
}

/** The feed's newest position. */
async function readPosition({ database }: Stage): Promise<number> {
  const { rows } = await sql<{ newest: string }>`select max(sequence) as newest from change`.execute(
    database.db,
  );
  return Number(rows[0]?.newest);
}

async function timePage({ links, get }: Stage): Promise<number> {
  const [link] = links;
  if (link === undefined) throw new Error("no link");
  const begin = performance.now();
  const { items } = await get(link, "/v1/contracts?limit=100");
  if (items.length !== 100) throw new Error(`a page of ${items.length}`);
  return performance.now() - begin;
}

async function timeHour(stage: Stage): Promise<number> {
  await queueHour(stage, stage.links, lastFullHour());
  const begin = performance.now();
  await untilNoJobs(stage, "reconcile-links", "reconcile-link");
  return performance.now() - begin;
}

function describe(what: string, times: Readonly<Record<Size, readonly number[]>>): Row {
  const ratio = medianRatio(times.large, times.small);
  const [large, small] = [ROWS.large.toLocaleString("en"), ROWS.small.toLocaleString("en")];
  return {
    measured: `${what}, ${large} ledger rows and contracts, of which one tenant has ${(ROWS.large * FIRST_SHARE).toLocaleString("en")}`,
    here: `${median(times.large).toFixed(1)} ms`,
    against: `${small} rows: ${median(times.small).toFixed(1)} ms`,
    result: `${ratio.toFixed(2)} ×`,
    goal: `≤ ${MOST} ×`,
    met: ratio <= MOST,
  };
}
