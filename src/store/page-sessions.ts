import type { Kysely } from "kysely";
import { oneOf } from "./rows.ts";
import type { DB } from "./schema.ts";

/** A person whom the cabinet signed in on the page. */
export type PageSession = {
  /** SHA-256 of the id in the cookie: the stored value does not open the session. */
  readonly idHash: Buffer;
  readonly tenant: string;
  readonly subject: string;
  readonly name: string | null;
  /** `owner` may change, `member` may look. */
  readonly role: "owner" | "member";
  /** The token in the forms of version 0.1. */
  readonly csrfToken: string;
  /** The issuer's ID token, which identifies the issuer's session at sign-out. Only the browser's cookie opens it. */
  readonly sealedIdToken: string | null;
  /** Asks the issuer again. Only the browser's cookie opens it. Null if the issuer gave none, or while it is in use. */
  readonly sealedRefreshToken: string | null;
  /** The time at which the issuer last confirmed tenant and role; null if version 0.1 started the session. */
  readonly verifiedAt: Date | null;
  readonly startedAt: Date;
  readonly expiresAt: Date;
};

/** The parts of a session that the issuer's answer replaces. */
export type Confirmation = Pick<
  PageSession,
  "tenant" | "name" | "role" | "sealedIdToken" | "sealedRefreshToken"
> & { readonly verifiedAt: Date };

/** A sign-in that a browser has begun and not finished. */
export type BegunSignIn = {
  /** SHA-256 over the state and a secret of the browser, so that a different browser cannot finish the sign-in. */
  readonly stateHash: Buffer;
  /** Only the browser's cookie and the state open it, like `returnTo`. Version 0.1 stores both in plain text. */
  readonly codeVerifier: string;
  readonly nonce: string;
  readonly returnTo: string;
  /** The session whose user the issuer is asked about again; null for a new sign-in. */
  readonly confirms: Buffer | null;
  readonly expiresAt: Date;
};

export async function storeSession(db: Kysely<DB>, session: PageSession): Promise<void> {
  await db
    .insertInto("page_session")
    .values({
      id_hash: session.idHash,
      tenant: session.tenant,
      subject: session.subject,
      name: session.name,
      role: session.role,
      csrf_token: session.csrfToken,
      sealed_id_token: session.sealedIdToken,
      refresh_token: session.sealedRefreshToken,
      verified_at: session.verifiedAt,
      started_at: session.startedAt,
      expires_at: session.expiresAt,
    })
    .execute();
}

/** Returns null if the session does not exist or has expired. */
export async function findSession(db: Kysely<DB>, idHash: Buffer, now: Date): Promise<PageSession | null> {
  const row = await db
    .selectFrom("page_session")
    .selectAll()
    .where("id_hash", "=", idHash)
    .where("expires_at", ">", now)
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    idHash: row.id_hash,
    tenant: row.tenant,
    subject: row.subject,
    name: row.name,
    role: oneOf(["owner", "member"], row.role),
    csrfToken: row.csrf_token,
    sealedIdToken: row.sealed_id_token,
    sealedRefreshToken: row.refresh_token,
    verifiedAt: row.verified_at,
    startedAt: row.started_at,
    expiresAt: row.expires_at,
  };
}

/** Takes the refresh token out of the session, so that one request uses it. Returns false if another one has it. */
export async function takeRefreshToken(db: Kysely<DB>, idHash: Buffer, sealed: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("page_session")
    .set({ refresh_token: null })
    .where("id_hash", "=", idHash)
    .where("refresh_token", "=", sealed)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Updates a session with the issuer's answer. Does nothing if the session has ended. */
export async function confirmSession(
  db: Kysely<DB>,
  idHash: Buffer,
  confirmation: Confirmation,
): Promise<void> {
  await db
    .updateTable("page_session")
    .set({
      tenant: confirmation.tenant,
      name: confirmation.name,
      role: confirmation.role,
      id_token: null,
      sealed_id_token: confirmation.sealedIdToken,
      refresh_token: confirmation.sealedRefreshToken,
      verified_at: confirmation.verifiedAt,
    })
    .where("id_hash", "=", idHash)
    .execute();
}

export async function endSession(db: Kysely<DB>, idHash: Buffer): Promise<void> {
  await db.deleteFrom("page_session").where("id_hash", "=", idHash).execute();
}

/** Keeps the outcome of a change until `takeResult`. It replaces an earlier one. */
export async function keepResult(db: Kysely<DB>, idHash: Buffer, result: string): Promise<void> {
  await db.updateTable("page_session").set({ result }).where("id_hash", "=", idHash).execute();
}

/** Forgets the kept outcome. Returns false if the session has no such outcome. */
export async function takeResult(db: Kysely<DB>, idHash: Buffer, result: string): Promise<boolean> {
  const taken = await db
    .updateTable("page_session")
    .set({ result: null })
    .where("id_hash", "=", idHash)
    .where("result", "=", result)
    .executeTakeFirst();
  return taken.numUpdatedRows > 0n;
}

export async function storeSignIn(db: Kysely<DB>, signIn: BegunSignIn): Promise<void> {
  await db
    .insertInto("sign_in")
    .values({
      state_hash: signIn.stateHash,
      code_verifier: signIn.codeVerifier,
      nonce: signIn.nonce,
      return_to: signIn.returnTo,
      confirms: signIn.confirms,
      expires_at: signIn.expiresAt,
    })
    .execute();
}

/** Takes a sign-in, which works once. Returns null if there is none or it has expired. */
export async function takeSignIn(db: Kysely<DB>, stateHash: Buffer, now: Date): Promise<BegunSignIn | null> {
  const row = await db
    .deleteFrom("sign_in")
    .where("state_hash", "=", stateHash)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined || row.expires_at <= now) return null;
  return {
    stateHash: row.state_hash,
    codeVerifier: row.code_verifier,
    nonce: row.nonce,
    returnTo: row.return_to,
    confirms: row.confirms,
    expiresAt: row.expires_at,
  };
}
