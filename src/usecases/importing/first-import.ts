import type { Database } from "../../store/database.ts";
import { changeLink } from "../../store/links/link-writes.ts";
import type { Link } from "../../store/links/links.ts";

/** Whether the link's first import still goes on. */
export function isFirstImport({ firstImport }: Link): boolean {
  return firstImport.doneAt === null;
}

/** The first import is over once everything is listed and nothing of it is due any more. */
export async function endFirstImport(db: Database, link: Link, now: Date): Promise<void> {
  if (link.firstImport.listedAt === null || link.firstImport.doneAt !== null) return;
  await changeLink(db, link.id, { firstImportDoneAt: now });
}
