import type { Kysely } from "kysely";
import type { DB } from "../schema.ts";
import type { Vault } from "./vault.ts";

/** Re-encrypts the secrets of pending linkings that an older key encrypted. Returns their number. */
export async function reencryptLinkings(db: Kysely<DB>, vault: Vault): Promise<number> {
  const rows = await db.selectFrom("linking").select(["state_hash", "code_verifier"]).execute();
  const outdated = rows.filter((row) => !vault.isCurrent(row.code_verifier));
  for (const { state_hash, code_verifier } of outdated) {
    await db
      .updateTable("linking")
      .set({ code_verifier: vault.seal(vault.open(code_verifier)) })
      .where("state_hash", "=", state_hash)
      .execute();
  }
  return outdated.length;
}

/** Counts the links with tokens, those whose tokens no key decrypts, and those that an older key encrypted. */
export async function examineTokens(
  db: Kysely<DB>,
  vault: Vault,
): Promise<{ readonly links: number; readonly closed: number; readonly outdated: number }> {
  const rows = await db.selectFrom("link_token").select(["access_token", "refresh_token"]).execute();
  const pairs = rows.map((row) => [row.access_token, row.refresh_token]);
  return {
    links: pairs.length,
    closed: pairs.filter((pair) => !pair.every((sealed) => canOpen(vault, sealed))).length,
    outdated: pairs.filter((pair) => !pair.every((sealed) => vault.isCurrent(sealed))).length,
  };
}

function canOpen(vault: Vault, sealed: string): boolean {
  try {
    vault.open(sealed);
    return true;
  } catch {
    return false;
  }
}
