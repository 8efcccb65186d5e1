import type { Kysely } from "kysely";
import type { DB } from "../schema.ts";
import type { Vault } from "./vault.ts";

/** A pending linking: who began it and for which group. The database holds its code verifier encrypted. */
export type Linking = {
  readonly tenant: string;
  readonly subject: string;
  readonly groupId: string;
  readonly codeVerifier: string;
  readonly expiresAt: Date;
};

/** Stores a pending linking under the hash of its `state`. */
export async function storeLinking(
  db: Kysely<DB>,
  vault: Vault,
  stateHash: Buffer,
  linking: Linking,
): Promise<void> {
  await db
    .insertInto("linking")
    .values({
      state_hash: stateHash,
      tenant: linking.tenant,
      subject: linking.subject,
      group_id: linking.groupId,
      code_verifier: vault.seal(linking.codeVerifier),
      expires_at: linking.expiresAt,
    })
    .execute();
}

/** Takes the linking, which works once and only for the person who began it. Returns null otherwise. */
export async function takeLinking(
  db: Kysely<DB>,
  vault: Vault,
  stateHash: Buffer,
  by: { tenant: string; subject: string },
): Promise<Linking | null> {
  const row = await db
    .deleteFrom("linking")
    .where("state_hash", "=", stateHash)
    .where("tenant", "=", by.tenant)
    .where("subject", "=", by.subject)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    tenant: row.tenant,
    subject: row.subject,
    groupId: row.group_id,
    codeVerifier: vault.open(row.code_verifier),
    expiresAt: row.expires_at,
  };
}

/** Removes expired linkings, sign-ins and sessions. */
export async function forgetExpired(db: Kysely<DB>, now: Date): Promise<void> {
  await db.deleteFrom("linking").where("expires_at", "<", now).execute();
  await db.deleteFrom("sign_in").where("expires_at", "<", now).execute();
  await db.deleteFrom("page_session").where("expires_at", "<", now).execute();
}
