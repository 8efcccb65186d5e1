import type { Kysely } from "kysely";
import { oneOf } from "./rows.ts";
import type { DB } from "./schema.ts";

/** Whom the cabinet signed in on the page, until when. */
export type PageSession = {
  /** SHA-256 of the id in the cookie: what is stored lets nobody in. */
  readonly idHash: Buffer;
  readonly tenant: string;
  readonly subject: string;
  readonly name: string | null;
  /** `owner` may change, `member` may look. */
  readonly role: "owner" | "member";
  readonly csrfToken: string;
  /** The issuer's ID token, which names the session to end there at sign-out. */
  readonly idToken: string | null;
  readonly startedAt: Date;
  readonly expiresAt: Date;
};

/** A sign-in that a browser began and that has not come back yet. */
export type BegunSignIn = {
  /** SHA-256 over the state and a secret of the browser: another browser's return finds nothing. */
  readonly stateHash: Buffer;
  readonly codeVerifier: string;
  readonly nonce: string;
  readonly returnTo: string;
  readonly expiresAt: Date;
};

/** Stores a session. */
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
      id_token: session.idToken,
      started_at: session.startedAt,
      expires_at: session.expiresAt,
    })
    .execute();
}

/** The session, where it is not over. */
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
    idToken: row.id_token,
    startedAt: row.started_at,
    expiresAt: row.expires_at,
  };
}

/** Ends a session. */
export async function endSession(db: Kysely<DB>, idHash: Buffer): Promise<void> {
  await db.deleteFrom("page_session").where("id_hash", "=", idHash).execute();
}

/** Remembers a begun sign-in. */
export async function storeSignIn(db: Kysely<DB>, signIn: BegunSignIn): Promise<void> {
  await db
    .insertInto("sign_in")
    .values({
      state_hash: signIn.stateHash,
      code_verifier: signIn.codeVerifier,
      nonce: signIn.nonce,
      return_to: signIn.returnTo,
      expires_at: signIn.expiresAt,
    })
    .execute();
}

/** Takes a sign-in so that nobody takes it again; null where there is none or it is too late. */
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
    expiresAt: row.expires_at,
  };
}
