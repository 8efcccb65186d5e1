import { type Kysely, sql } from "kysely";
import { z } from "zod";
import type { LinkId } from "../../domain/identifiers.ts";
import { FULL_PACE, type ListingPace } from "../../domain/listing-pace.ts";
import type { DB } from "../schema.ts";

const stored = z.object({
  step: z.int().nonnegative(),
  successes: z.int().nonnegative(),
  needed: z.int().positive(),
  grown: z.boolean(),
});

/** Returns how much the link's listings ask for at once. A pace of a later version counts as the maximum. */
export async function findListingPace(db: Kysely<DB>, id: LinkId): Promise<ListingPace> {
  const row = await db.selectFrom("link").select("listing_pace").where("id", "=", id).executeTakeFirst();
  return stored.safeParse(row?.listing_pace).data ?? FULL_PACE;
}

/** Stores the pace, and since when it is below the maximum. */
export async function storeListingPace(
  db: Kysely<DB>,
  id: LinkId,
  pace: ListingPace,
  now: Date,
): Promise<void> {
  await db
    .updateTable("link")
    .set({
      listing_pace: pace === FULL_PACE ? null : JSON.stringify(pace),
      listing_slow_since:
        pace.step === 0 ? null : sql<Date>`coalesce(listing_slow_since, ${now}::timestamptz)`,
    })
    .where("id", "=", id)
    .where("state", "<>", "ended")
    .execute();
}
