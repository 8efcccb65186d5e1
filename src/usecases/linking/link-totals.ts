import type { Database } from "../../store/database.ts";
import type { Totals } from "../../store/ledger/counts.ts";
import { countAnnounced, countFoundByListing } from "../../store/ledger/counts.ts";
import type { Link } from "../../store/links/links.ts";

/**
 * Returns a link's totals in envelopes, which add up (import-rules 6). Starts from the `ledger` totals and adds, as
 * waiting, what the ledger does not hold yet. That is what queued events announced, and what was counted at linking
 * but is not listed yet.
 */
export async function computeTotals(db: Database, link: Link, ledger: Totals): Promise<Totals> {
  const ahead = (await countAnnounced(db, link)) + (await countUnlisted(db, link));
  return { ...ledger, atDocuSign: ledger.atDocuSign + ahead, waiting: ledger.waiting + ahead };
}

/**
 * A large first import is counted at linking, but listed only after its owner approves it. Envelopes from events in
 * the meantime completed later and are not part of that count.
 */
async function countUnlisted(db: Database, { id, approval, firstImport }: Link): Promise<number> {
  if (approval === "not-needed" || firstImport.listedAt !== null) return 0;
  return Math.max(0, (firstImport.total ?? 0) - (await countFoundByListing(db, id)));
}
