import type { Database } from "../../store/database.ts";
import { resealTokens } from "../../store/links/link-tokens.ts";
import { resealLinkings } from "../../store/links/sealed-secrets.ts";
import type { Vault } from "../../store/links/vault.ts";

/**
 * Seals with the current key what an older one sealed, so that the older one can go: the tokens of links, and what
 * begun linkings need, which live for minutes only but would break. Says how many of each.
 */
export async function resealSecrets({
  db,
  vault,
}: {
  db: Database;
  vault: Vault;
}): Promise<{ readonly links: number; readonly linkings: number }> {
  return { links: await resealTokens(db, vault), linkings: await resealLinkings(db, vault) };
}
