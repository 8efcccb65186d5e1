import type { Kysely } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import type { DB } from "../schema.ts";
import type { Vault } from "./vault.ts";

export type LinkTokens = {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly accessExpiresAt: Date;
};

/** Returns the link's decrypted tokens; null if the link has ended. */
export async function findTokens(db: Kysely<DB>, vault: Vault, linkId: LinkId): Promise<LinkTokens | null> {
  return await readTokens(db, vault, linkId, false);
}

/** Like `findTokens`, and locks the row until the transaction ends: one refresh at a time. */
export async function lockTokens(tx: Kysely<DB>, vault: Vault, linkId: LinkId): Promise<LinkTokens | null> {
  return await readTokens(tx, vault, linkId, true);
}

/** Encrypts the link's tokens and replaces the old ones. */
export async function storeTokens(
  db: Kysely<DB>,
  vault: Vault,
  { linkId, tokens, now }: { linkId: LinkId; tokens: LinkTokens; now: Date },
): Promise<void> {
  const columns = {
    refresh_token: vault.seal(tokens.refreshToken),
    access_token: vault.seal(tokens.accessToken),
    access_expires_at: tokens.accessExpiresAt,
    renewed_at: now,
  };
  await db
    .insertInto("link_token")
    .values({ link_id: linkId, ...columns })
    .onConflict((conflict) => conflict.column("link_id").doUpdateSet(columns))
    .execute();
}

/** Re-encrypts the tokens of links that an older key encrypted. Returns the number of links. */
export async function reencryptTokens(db: Kysely<DB>, vault: Vault): Promise<number> {
  const rows = await db.selectFrom("link_token").select("link_id").execute();
  let reencrypted = 0;
  for (const { link_id } of rows) {
    reencrypted += await db.transaction().execute(async (tx) => await reencryptRow(tx, vault, link_id));
  }
  return reencrypted;
}

async function reencryptRow(tx: Kysely<DB>, vault: Vault, linkId: string): Promise<number> {
  const row = await tx
    .selectFrom("link_token")
    .selectAll()
    .where("link_id", "=", linkId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined || (vault.isCurrent(row.refresh_token) && vault.isCurrent(row.access_token)))
    return 0;
  await tx
    .updateTable("link_token")
    .set({
      refresh_token: vault.seal(vault.open(row.refresh_token)),
      access_token: vault.seal(vault.open(row.access_token)),
    })
    .where("link_id", "=", linkId)
    .execute();
  return 1;
}

async function readTokens(
  db: Kysely<DB>,
  vault: Vault,
  linkId: LinkId,
  lock: boolean,
): Promise<LinkTokens | null> {
  const query = db.selectFrom("link_token").selectAll().where("link_id", "=", linkId);
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst();
  if (row === undefined) return null;
  return {
    accessToken: vault.open(row.access_token),
    refreshToken: vault.open(row.refresh_token),
    accessExpiresAt: row.access_expires_at,
  };
}
