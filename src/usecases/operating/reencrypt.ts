import { reencryptTokens } from "../../store/links/link-tokens.ts";
import { reencryptLinkings } from "../../store/links/sealed-secrets.ts";
import type { Uses } from "../capabilities.ts";

/**
 * Re-encrypts with the current key whatever an older key encrypted, so that the older key can be removed. Binds the
 * secrets that version 0.1 stored to their rows. Covers the tokens of links and the secrets of pending linkings, and
 * returns the number of each. Secrets of page sessions need no key: the browser's cookie opens them.
 */
export async function reencryptSecrets({
  db,
  vault,
}: Uses<"db" | "vault">): Promise<{ readonly links: number; readonly linkings: number }> {
  return { links: await reencryptTokens(db, vault), linkings: await reencryptLinkings(db, vault) };
}
