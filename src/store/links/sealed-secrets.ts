import type { Kysely } from "kysely";
import type { DB } from "../schema.ts";
import { areCurrent, isBound, listTokenRows, openTokens, type TokenRow } from "./link-tokens.ts";
import { encryptVerifier, openVerifier } from "./linkings.ts";
import type { Vault } from "./vault.ts";

/** Re-encrypts the secrets of pending linkings that an older key or version 0.1 encrypted. Returns their number. */
export async function reencryptLinkings(db: Kysely<DB>, vault: Vault): Promise<number> {
  const rows = await db.selectFrom("linking").selectAll().execute();
  const outdated = rows.filter(
    ({ bound_code_verifier: bound, code_verifier: unbound }) =>
      bound === null || ![bound, unbound].every((sealed) => vault.isCurrent(sealed)),
  );
  for (const row of outdated) {
    await db
      .updateTable("linking")
      .set(encryptVerifier(vault, row, openVerifier(vault, row)))
      .where("state_hash", "=", row.state_hash)
      .execute();
  }
  return outdated.length;
}

export type TokenFigures = {
  /** The number of links with tokens. */
  readonly links: number;
  /** Those whose tokens no key decrypts. */
  readonly closed: number;
  /** Those that an older key encrypted. */
  readonly outdated: number;
  /** Those whose tokens are not bound to the link, because version 0.1 stored them. */
  readonly unbound: number;
};

export async function examineTokens(db: Kysely<DB>, vault: Vault): Promise<TokenFigures> {
  const rows = await listTokenRows(db);
  return {
    links: rows.length,
    closed: rows.filter((row) => !canOpen(vault, row)).length,
    outdated: rows.filter((row) => !areCurrent(vault, row)).length,
    unbound: rows.filter((row) => !isBound(row)).length,
  };
}

function canOpen(vault: Vault, row: TokenRow): boolean {
  try {
    openTokens(vault, row);
    return true;
  } catch {
    return false;
  }
}
