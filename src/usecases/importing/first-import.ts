import type { Database } from "../../store/database.ts";
import { changeLink } from "../../store/links/link-writes.ts";
import type { Link } from "../../store/links/links.ts";

export function isFirstImport({ firstImport }: Link): boolean {
  return firstImport.doneAt === null;
}

/**
 * True while the first listing counts what DocuSign could not count at linking. Nothing is imported before it is through,
 * because there may be enough envelopes for an approval (service-2, section 3).
 */
export function isUncounted({ firstImport }: Link): boolean {
  return firstImport.isUncounted && firstImport.listedAt === null;
}

/** Returns true if envelopes of the link may be imported now, as far as the link itself decides. */
export function isImporting(link: Link | null): link is Link {
  return link?.state === "active" && !isUncounted(link);
}

/** Ends the first import if its listing is complete. Callers check that none of its envelopes is due. */
export async function endFirstImport(db: Database, link: Link, now: Date): Promise<void> {
  if (link.firstImport.listedAt === null || link.firstImport.doneAt !== null) return;
  await changeLink(db, link.id, { firstImportDoneAt: now });
}
