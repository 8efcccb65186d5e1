import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { describeFault } from "../../domain/fault-text.ts";
import { examineTokens } from "../../store/links/sealed-secrets.ts";
import { isCurrent } from "../../store/migrate.ts";
import { hasQueueSchema, readServerVersion } from "../../store/upkeep/inspect.ts";
import type { Uses } from "../capabilities.ts";

type Deps = Uses<"cabinetIssuer" | "db" | "documents" | "oauth" | "production" | "publicUrl" | "vault">;

/** The result of one check in one line. If `ok` is false, `text` also says what to do. */
export type Check = { readonly name: string; readonly ok: boolean; readonly text: string };

/** Checks everything that the service depends on. Changes nothing and does not migrate. */
export async function* checkService(deps: Deps): AsyncGenerator<Check, void, undefined> {
  const database = await carryOut(deps, DATABASE);
  yield database;
  for (const examination of WITHIN_DATABASE) {
    const skipped = { name: examination.name, ok: false, text: "not checked: fix the database first" };
    yield database.ok ? await carryOut(deps, examination) : skipped;
  }
  for (const examination of OUTSIDE_DATABASE) yield await carryOut(deps, examination);
}

type Examination = {
  readonly name: string;
  /** Returns what works; throws if it does not. */
  readonly look: (deps: Deps) => Promise<string>;
  readonly advice: string;
};

const DATABASE: Examination = {
  name: "database",
  look: checkVersion,
  advice: "check that PostgreSQL 15 or newer runs at DATABASE_URL",
};

const WITHIN_DATABASE: readonly Examination[] = [
  { name: "migrations", look: checkMigrations, advice: "run torikomi migrate" },
  { name: "queue", look: checkQueue, advice: "run torikomi migrate" },
  {
    name: "encryption keys",
    look: checkTokens,
    advice: "add the missing key to ENCRYPTION_KEYS after the first one, or link those accounts again",
  },
];

const OUTSIDE_DATABASE: readonly Examination[] = [
  {
    name: "document store",
    look: checkDocuments,
    advice: "check DOCUMENT_STORE, its credentials and its write permission",
  },
  {
    name: "DocuSign",
    look: checkDocuSign,
    advice: "check DOCUSIGN_OAUTH_URL, and that this machine can reach it",
  },
  {
    name: "cabinet",
    look: checkCabinet,
    advice: "check CABINET_ISSUER, and that this machine can reach it",
  },
  { name: "public address", look: checkPublicUrl, advice: "set PUBLIC_URL to an https address" },
];

const LONGEST_MS = 15_000;

async function carryOut(deps: Deps, { name, look, advice }: Examination): Promise<Check> {
  try {
    return { name, ok: true, text: await within(LONGEST_MS, look(deps)) };
  } catch (fault) {
    return { name, ok: false, text: `${describeFault(fault)}: ${advice}` };
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(ms, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`no answer within ${ms / 1000} s`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}

const OLDEST_SERVER = 150_000;

async function checkVersion({ db }: Uses<"db">): Promise<string> {
  const { name, number } = await readServerVersion(db);
  if (number < OLDEST_SERVER) throw new Error(`PostgreSQL ${name} is too old`);
  return `PostgreSQL ${name}`;
}

async function checkMigrations({ db }: Uses<"db">): Promise<string> {
  if (!(await isCurrent(db))) throw new Error("the database is not current");
  return "current";
}

async function checkQueue({ db }: Uses<"db">): Promise<string> {
  if (!(await hasQueueSchema(db))) throw new Error("the queue's schema is missing");
  return "its schema exists";
}

async function checkTokens({ db, vault }: Uses<"db" | "vault">): Promise<string> {
  const { links, closed, outdated, unbound } = await examineTokens(db, vault);
  if (closed > 0) throw new Error(`the tokens of ${closed} of ${links} links cannot be decrypted`);
  const hints = [
    unbound > 0 ? `; ${unbound} stored by version 0.1: run torikomi reencrypt` : "",
    outdated > 0 ? `; ${outdated} encrypted with an older key: run torikomi reencrypt` : "",
  ];
  return `all stored tokens can be decrypted (links: ${links})${hints.join("")}`;
}

async function checkDocuments({ documents }: Uses<"documents">): Promise<string> {
  await documents.check();
  return "documents can be stored, read and erased";
}

const ANSWER_MS = 5_000;

/** Requests the login page as a linking does. Any answer will do: it proves that DocuSign is reachable. */
async function checkDocuSign({ oauth }: Uses<"oauth">): Promise<string> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const url = oauth.authorizationUrl({ state: "doctor", codeChallenge: "A".repeat(SHA256_CHARACTERS) });
  const response = await fetch(url, { signal, redirect: "manual" });
  await response.body?.cancel();
  return `${new URL(url).origin} answers`;
}

/** The length of a SHA-256 hash in base64url. */
const SHA256_CHARACTERS = 43;

const METADATA = z.object({ issuer: z.string(), jwks_uri: z.string() });

async function checkCabinet({ cabinetIssuer }: Uses<"cabinetIssuer">): Promise<string> {
  if (cabinetIssuer === null) return "not configured: nobody can sign in to the API or the page";
  const signal = AbortSignal.timeout(ANSWER_MS);
  const configured = withoutSlashes(cabinetIssuer);
  const response = await fetch(`${configured}/.well-known/openid-configuration`, { signal });
  if (!response.ok)
    throw new Error(`${cabinetIssuer} returned status ${response.status} for its OpenID Connect metadata`);
  const metadata = METADATA.safeParse(await response.json());
  if (!metadata.success) throw new Error(`${cabinetIssuer} returned invalid OpenID Connect metadata`);
  const { issuer } = metadata.data;
  if (withoutSlashes(issuer) !== configured) throw new Error(`its metadata names another issuer: ${issuer}`);
  return `${cabinetIssuer} answers`;
}

function withoutSlashes(issuer: string): string {
  return issuer.replace(/\/+$/, "");
}

async function checkPublicUrl({ production, publicUrl }: Uses<"production" | "publicUrl">): Promise<string> {
  if (production && !publicUrl.startsWith("https:")) throw new Error(`${publicUrl} is not an https address`);
  return publicUrl;
}
