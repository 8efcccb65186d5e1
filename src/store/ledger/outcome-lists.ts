import { type Kysely, sql } from "kysely";
import type { EnvelopeId, LinkId } from "../../domain/identifiers.ts";
import type { DB } from "../schema.ts";
import { type EnvelopeState, type LedgerEntry, toEntry } from "./envelopes.ts";

export type OutcomePage = {
  readonly tenant: string;
  readonly linkId: LinkId;
  readonly state: EnvelopeState;
  readonly limit: number;
  /** The last envelope of the page before; null for the first page. */
  readonly after: EnvelopeId | null;
};

/** A page of the envelopes that the link's totals count in a state, the latest completion first, unknown ones before all. */
export async function listByState(db: Kysely<DB>, page: OutcomePage): Promise<LedgerEntry[]> {
  const position = sql`(coalesce(completed_at, 'infinity'), envelope_id)`;
  const rows = await db
    .selectFrom("envelope")
    .selectAll()
    .where("link_id", "=", page.linkId)
    .where("state", "=", page.state)
    .where((is) => is.or([is("completed_at", "is not", null), is("state", "=", "waiting")]))
    .$if(page.after !== null, (query) =>
      query.where(
        sql<boolean>`${position} < (select ${position} from envelope
          where tenant = ${page.tenant} and envelope_id = ${page.after}::uuid)`,
      ),
    )
    .orderBy(sql`coalesce(completed_at, 'infinity')`, "desc")
    .orderBy("envelope_id", "desc")
    .limit(page.limit)
    .execute();
  return rows.map(toEntry);
}
