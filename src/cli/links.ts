import type { LinkId } from "../domain/identifiers.ts";
import { Refusal } from "../domain/refusal.ts";
import type { Database } from "../store/database.ts";
import { findLink, type Link, listCurrentLinks } from "../store/links/links.ts";

/** Returns the given link, or every unended link. Rejects the id of an unknown or ended link. */
export async function chooseLinks(db: Database, id: LinkId | null): Promise<Link[]> {
  if (id === null) return await listCurrentLinks(db);
  const link = await findLink(db, id);
  if (link === null) throw new Refusal("link-not-found", `there is no link ${id}`);
  if (link.state === "ended") throw new Refusal("link-not-found", `link ${id} has ended`);
  return [link];
}
