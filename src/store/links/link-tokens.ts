import type { Kysely, Nullable, Selectable } from "kysely";
import type { LinkId } from "../../domain/identifiers.ts";
import type { DB, LinkToken } from "../schema.ts";
import { type Binding, UnopenedSecret, type Vault } from "./vault.ts";

export type LinkTokens = {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly accessExpiresAt: Date;
};

/** The stored tokens of a link and the tenant that they belong to. */
export type TokenRow = Selectable<LinkToken> & { readonly tenant: string };

type Pair = Pick<LinkTokens, "accessToken" | "refreshToken">;

/** Returns the link's decrypted tokens; null if the link has ended. */
export async function findTokens(db: Kysely<DB>, vault: Vault, linkId: LinkId): Promise<LinkTokens | null> {
  return decrypt(vault, await tokenRows(db).where("link_id", "=", linkId).executeTakeFirst());
}

export type AccessToken = Pick<LinkTokens, "accessToken" | "accessExpiresAt">;

/** Returns the decrypted access token; null if no key decrypts it. */
export function openAccessToken(vault: Vault, row: TokenRow): AccessToken | null {
  try {
    return { accessToken: openToken(vault, row, "access"), accessExpiresAt: row.access_expires_at };
  } catch (error) {
    if (error instanceof UnopenedSecret) return null;
    throw error;
  }
}

type JoinedRow = Nullable<Selectable<LinkToken>> & Pick<TokenRow, "tenant">;

/** Returns the stored tokens among the columns of a left join; null if the link has none. */
export function joinedTokens(row: JoinedRow): TokenRow | null {
  return hasTokens(row) ? row : null;
}

function hasTokens(row: JoinedRow): row is TokenRow {
  return row.link_id !== null;
}

/** Like `findTokens`, and locks the row until the transaction ends: one refresh at a time. */
export async function lockTokens(tx: Kysely<DB>, vault: Vault, linkId: LinkId): Promise<LinkTokens | null> {
  return decrypt(vault, await lockRow(tx, linkId));
}

/** Encrypts the link's tokens and replaces the old ones. The link must exist. */
export async function storeTokens(
  db: Kysely<DB>,
  vault: Vault,
  { linkId, tokens, now }: { linkId: LinkId; tokens: LinkTokens; now: Date },
): Promise<void> {
  const { tenant } = await db
    .selectFrom("link")
    .select("tenant")
    .where("id", "=", linkId)
    .executeTakeFirstOrThrow();
  const columns = {
    ...encrypt(vault, { link_id: linkId, tenant }, tokens),
    access_expires_at: tokens.accessExpiresAt,
    renewed_at: now,
    bound_at: now,
  };
  await db
    .insertInto("link_token")
    .values({ link_id: linkId, ...columns })
    .onConflict((conflict) => conflict.column("link_id").doUpdateSet(columns))
    .execute();
}

/**
 * Re-encrypts the tokens of links that an older key encrypted or that version 0.1 stored. Returns the number of links.
 */
export async function reencryptTokens(db: Kysely<DB>, vault: Vault): Promise<number> {
  const rows = await db.selectFrom("link_token").select("link_id").execute();
  let reencrypted = 0;
  for (const { link_id } of rows) {
    reencrypted += await db.transaction().execute(async (tx) => await reencryptRow(tx, vault, link_id));
  }
  return reencrypted;
}

async function reencryptRow(tx: Kysely<DB>, vault: Vault, linkId: string): Promise<number> {
  const row = await lockRow(tx, linkId);
  if (row === undefined || (isBound(row) && areCurrent(vault, row))) return 0;
  await tx
    .updateTable("link_token")
    .set({ ...encrypt(vault, row, openTokens(vault, row)), bound_at: row.renewed_at })
    .where("link_id", "=", linkId)
    .execute();
  return 1;
}

export async function listTokenRows(db: Kysely<DB>): Promise<TokenRow[]> {
  return await tokenRows(db).execute();
}

function tokenRows(db: Kysely<DB>) {
  return db
    .selectFrom("link_token")
    .innerJoin("link", "link.id", "link_token.link_id")
    .selectAll("link_token")
    .select("link.tenant");
}

async function lockRow(tx: Kysely<DB>, linkId: string): Promise<TokenRow | undefined> {
  return await tokenRows(tx).where("link_id", "=", linkId).forUpdate("link_token").executeTakeFirst();
}

function decrypt(vault: Vault, row: TokenRow | undefined): LinkTokens | null {
  return row === undefined ? null : { ...openTokens(vault, row), accessExpiresAt: row.access_expires_at };
}

export function openTokens(vault: Vault, row: TokenRow): Pair {
  return { accessToken: openToken(vault, row, "access"), refreshToken: openToken(vault, row, "refresh") };
}

/**
 * Reads a bound token. The old columns count if version 0.1 refreshed last, and if the key of the bound tokens is gone:
 * the `reencrypt` of version 0.1 leaves them behind.
 */
function openToken(vault: Vault, row: TokenRow, which: "access" | "refresh"): string {
  const { bound_access_token: access, bound_refresh_token: refresh } = row;
  if (isBound(row) && access !== null && refresh !== null && vault.knowsKeyOf(refresh))
    return vault.open({ access, refresh }[which], placeOf(which, row));
  return vault.openUnbound(which === "access" ? row.access_token : row.refresh_token);
}

/** Returns true if the bound tokens are those of the last refresh. Version 0.1 refreshes without them. */
export function isBound({ bound_at, renewed_at }: TokenRow): boolean {
  return bound_at?.getTime() === renewed_at.getTime();
}

/** Returns true if the current key encrypted all tokens of the row. */
export function areCurrent(vault: Vault, row: TokenRow): boolean {
  return [row.access_token, row.refresh_token, row.bound_access_token, row.bound_refresh_token].every(
    (sealed) => sealed === null || vault.isCurrent(sealed),
  );
}

type Place = Pick<TokenRow, "link_id" | "tenant">;

function encrypt(vault: Vault, place: Place, { accessToken, refreshToken }: Pair) {
  return {
    access_token: vault.sealUnbound(accessToken),
    refresh_token: vault.sealUnbound(refreshToken),
    bound_access_token: vault.seal(accessToken, placeOf("access", place)),
    bound_refresh_token: vault.seal(refreshToken, placeOf("refresh", place)),
  };
}

function placeOf(token: "access" | "refresh", { link_id, tenant }: Place): Binding {
  return [`link_token.${token}_token`, tenant, link_id];
}

/** Lets the stored access token count as expired, so that the next call refreshes it. */
export async function expireAccess(db: Kysely<DB>, linkId: LinkId): Promise<void> {
  await db
    .updateTable("link_token")
    .set({ access_expires_at: new Date(0) })
    .where("link_id", "=", linkId)
    .execute();
}
