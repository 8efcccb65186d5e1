import type { Database } from "../../store/database.ts";
import type { Totals } from "../../store/ledger/counts.ts";
import { countAnnounced, countFoundByListing } from "../../store/ledger/counts.ts";
import type { Link } from "../../store/links/links.ts";

/**
 * A link's totals in envelopes, which add up (import-rules 6): what the `ledger` has, and as waiting what it has not yet.
 * That is what events announced and the queue holds, and what was counted at linking and is not listed yet.
 */
export async function tellTotals(db: Database, link: Link, ledger: Totals): Promise<Totals> {
  const ahead = (await countAnnounced(db, link)) + (await countUnlisted(db, link));
  return { ...ledger, atDocuSign: ledger.atDocuSign + ahead, waiting: ledger.waiting + ahead };
}

/**
 * A large first import was counted at linking and is listed only once its owner has let it begin. What events bring
 * meanwhile completed later, and comes on top.
 */
async function countUnlisted(db: Database, { id, approval, firstImport }: Link): Promise<number> {
  if (approval === "not-needed" || firstImport.listedAt !== null) return 0;
  return Math.max(0, (firstImport.total ?? 0) - (await countFoundByListing(db, id)));
}
