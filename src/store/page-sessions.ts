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
  readonly csrfToken: string;
  /** The issuer's ID token; it identifies the issuer's session at sign-out. */
  readonly idToken: string | null;
  readonly startedAt: Date;
  readonly expiresAt: Date;
};

/** A sign-in that a browser has begun and not finished. */
export type BegunSignIn = {
  /** SHA-256 over the state and a secret of the browser, so that a different browser cannot finish the sign-in. */
  readonly stateHash: Buffer;
  readonly codeVerifier: string;
  readonly nonce: string;
  readonly returnTo: string;
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
      id_token: session.idToken,
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
    idToken: row.id_token,
    startedAt: row.started_at,
    expiresAt: row.expires_at,
  };
}

export async function endSession(db: Kysely<DB>, idHash: Buffer): Promise<void> {
  await db.deleteFrom("page_session").where("id_hash", "=", idHash).execute();
}

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
    expiresAt: row.expires_at,
  };
}
