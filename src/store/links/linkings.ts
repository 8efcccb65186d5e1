import type { Kysely } from "kysely";
import type { DB } from "../schema.ts";
import type { Binding, Vault } from "./vault.ts";

/** A pending linking: who began it and for which group. The database holds its code verifier encrypted. */
export type Linking = {
  readonly tenant: string;
  readonly subject: string;
  readonly groupId: string;
  /** The link's start date in Japan, `YYYY-MM-DD`. */
  readonly from: string | null;
  readonly certificates: boolean;
  /** The address in the cabinet to which the browser returns; null for the page. */
  readonly returnTo: string | null;
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
      start_date: linking.from,
      certificates: linking.certificates,
      return_to: linking.returnTo,
      ...encryptVerifier(vault, { state_hash: stateHash, tenant: linking.tenant }, linking.codeVerifier),
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
    from: row.start_date,
    certificates: row.certificates,
    returnTo: row.return_to,
    codeVerifier: openVerifier(vault, row),
    expiresAt: row.expires_at,
  };
}

type Place = { readonly state_hash: Buffer; readonly tenant: string };
type Sealed = { readonly code_verifier: string; readonly bound_code_verifier: string };

/** The encrypted verifier for the row, also in the column that version 0.1 reads. */
export function encryptVerifier(vault: Vault, place: Place, codeVerifier: string): Sealed {
  return {
    code_verifier: vault.sealUnbound(codeVerifier),
    bound_code_verifier: vault.seal(codeVerifier, placeOf(place)),
  };
}

/** Reads the bound verifier. As with tokens, version 0.1 and its `reencrypt` know only the old column. */
export function openVerifier(
  vault: Vault,
  row: Place & { readonly code_verifier: string; readonly bound_code_verifier: string | null },
): string {
  const { bound_code_verifier: bound, code_verifier: unbound } = row;
  return bound !== null && vault.knowsKeyOf(bound)
    ? vault.open(bound, placeOf(row))
    : vault.openUnbound(unbound);
}

function placeOf({ state_hash, tenant }: Place): Binding {
  return ["linking.code_verifier", tenant, state_hash.toString("hex")];
}

/** Removes expired linkings, sign-ins and sessions. */
export async function forgetExpired(db: Kysely<DB>, now: Date): Promise<void> {
  await db.deleteFrom("linking").where("expires_at", "<", now).execute();
  await db.deleteFrom("sign_in").where("expires_at", "<", now).execute();
  await db.deleteFrom("page_session").where("expires_at", "<", now).execute();
}
