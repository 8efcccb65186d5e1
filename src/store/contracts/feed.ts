import { type Kysely, type RawBuilder, sql } from "kysely";
import { oneOf } from "../rows.ts";
import type { DB } from "../schema.ts";
import { PLANNED_ONCE } from "../statement-names.ts";

export const FEED_TYPES = ["imported", "deleted", "link", "restored"] as const;
export type FeedType = (typeof FEED_TYPES)[number];

export type FeedReading = {
  /** Null reads the feeds of all tenants in one order. */
  readonly tenant: string | null;
  readonly after: number;
  readonly limit: number;
  readonly types: ReadonlySet<FeedType>;
};

export type FeedEntry = {
  readonly sequence: number;
  readonly tenant: string;
  readonly type: FeedType;
  readonly at: Date;
  /** The contract or note as recorded. */
  readonly body: unknown;
};

/** `next` is the position to continue after; it lies past entries of other types. */
export type FeedPage = {
  readonly entries: readonly FeedEntry[];
  readonly next: number;
  /** True if entries wait for their position, of any tenant. */
  readonly hasUnpublished: boolean;
};

type Row = {
  newest: string;
  has_unpublished: boolean;
  sequence: string | null;
  tenant: string;
  type: string;
  at: Date;
  body: unknown;
};

/** Reads published entries in the order of the feed. One statement, so that `next` passes no entry that it did not see. */
export async function readFeed(db: Kysely<DB>, reading: FeedReading): Promise<FeedPage> {
  const entries = sql.join(sourcesOf(reading), sql` union all `);
  const { rows } = await sql<Row>`
    select ${PLANNED_ONCE} newest, has_unpublished, entry.*
    from (
      select ${newestOf(reading.tenant)} as newest,
        exists (select from change where sequence is null) or exists (select from feed_note where sequence is null)
          as has_unpublished
    ) as edge
    left join (select * from (${entries}) as both_tables order by sequence limit ${reading.limit}) as entry on true
    order by sequence`.execute(db);
  const found = rows.flatMap(toEntries);
  const last = found.length < reading.limit ? Number(rows[0]?.newest ?? 0) : (found.at(-1)?.sequence ?? 0);
  const next = Math.max(reading.after, last);
  return { entries: found, next, hasUnpublished: rows[0]?.has_unpublished === true };
}

/** Returns the position of the newest published entry, or 0. */
export async function readNewest(db: Kysely<DB>, tenant: string | null): Promise<number> {
  const { rows } = await sql<{ newest: string }>`select ${newestOf(tenant)} as newest`.execute(db);
  return Number(rows[0]?.newest ?? 0);
}

function newestOf(tenant: string | null): RawBuilder<unknown> {
  const where = tenant === null ? sql`true` : sql`tenant = ${tenant}`;
  return sql`coalesce(greatest(
    (select max(sequence) from change where ${where}), (select max(sequence) from feed_note where ${where})), 0)`;
}

function sourcesOf({ tenant, after, limit, types }: FeedReading): RawBuilder<unknown>[] {
  const where = sql`${tenant === null ? sql`` : sql`tenant = ${tenant} and `}sequence > ${after}::bigint`;
  const page = sql`order by sequence limit ${limit}`;
  const sources: RawBuilder<unknown>[] = [];
  if (types.has("imported") || types.has("deleted")) {
    sources.push(sql`(
      select sequence, tenant, type, recorded_at as at, contract as body from change
      where ${where}${onlyOf(types, "imported", "deleted")} ${page})`);
  }
  if (types.has("link") || types.has("restored")) {
    sources.push(sql`(
      select sequence, tenant, type, recorded_at as at, note as body from feed_note
      where ${where}${onlyOf(types, "link", "restored")} ${page})`);
  }
  return sources;
}

/** Literal, so that PostgreSQL can use the partial index of deletions. */
function onlyOf(types: ReadonlySet<FeedType>, one: FeedType, other: FeedType): RawBuilder<unknown> {
  if (types.has(one) && types.has(other)) return sql``;
  return sql` and type = ${sql.lit(types.has(one) ? one : other)}`;
}

function toEntries({ sequence, tenant, type, at, body }: Row): FeedEntry[] {
  if (sequence === null) return [];
  return [{ sequence: Number(sequence), tenant, type: oneOf(FEED_TYPES, type), at, body }];
}
