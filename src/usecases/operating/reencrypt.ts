import { reencryptTokens } from "../../store/links/link-tokens.ts";
import { reencryptLinkings } from "../../store/links/sealed-secrets.ts";
import type { Uses } from "../capabilities.ts";

/**
 * Seals with the current key what an older one sealed, so that the older one can go: the tokens of links, and what
 * begun linkings need, which live for minutes only but would break. Says how many of each.
 */
export async function reencryptSecrets({
  db,
  vault,
}: Uses<"db" | "vault">): Promise<{ readonly links: number; readonly linkings: number }> {
  return { links: await reencryptTokens(db, vault), linkings: await reencryptLinkings(db, vault) };
}
