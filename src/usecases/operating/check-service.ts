import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { describeFault } from "../../domain/fault-text.ts";
import { examineTokens } from "../../store/links/sealed-secrets.ts";
import { isCurrent } from "../../store/migrate.ts";
import { hasQueueSchema, readServerVersion } from "../../store/upkeep/inspect.ts";
import type { Uses } from "../capabilities.ts";

type Deps = Uses<"cabinetIssuer" | "db" | "documents" | "oauth" | "production" | "publicUrl" | "vault">;

/** What was found, in one line; where it is not well, with what to do about it. */
export type Check = { readonly name: string; readonly ok: boolean; readonly text: string };

/** Looks whether everything that the service stands on is there. Changes nothing, and migrates nothing. */
export async function* checkService(deps: Deps): AsyncGenerator<Check, void, undefined> {
  const database = await carryOut(deps, DATABASE);
  yield database;
  for (const examination of ON_THE_DATABASE) {
    const skipped = { name: examination.name, ok: false, text: "not checked: the database comes first" };
    yield database.ok ? await carryOut(deps, examination) : skipped;
  }
  for (const examination of BESIDE_IT) yield await carryOut(deps, examination);
}

type Examination = {
  readonly name: string;
  /** Says what is well; throws what is not. */
  readonly look: (deps: Deps) => Promise<string>;
  readonly advice: string;
};

const DATABASE: Examination = {
  name: "database",
  look: checkVersion,
  advice: "check DATABASE_URL, and that PostgreSQL 15 or newer runs there",
};

const ON_THE_DATABASE: readonly Examination[] = [
  { name: "migrations", look: checkMigrations, advice: "run torikomi migrate" },
  { name: "queue", look: checkQueue, advice: "run torikomi migrate" },
  {
    name: "encryption keys",
    look: checkTokens,
    advice: "add the missing key to ENCRYPTION_KEYS, behind the first; or link those accounts again",
  },
];

const BESIDE_IT: readonly Examination[] = [
  {
    name: "document store",
    look: checkDocuments,
    advice: "check DOCUMENT_STORE, its credentials, and that it may be written to",
  },
  {
    name: "DocuSign",
    look: checkDocuSign,
    advice: "check DOCUSIGN_OAUTH_URL, and that this machine may reach it",
  },
  {
    name: "cabinet",
    look: checkCabinet,
    advice: "check CABINET_ISSUER, and that this machine may reach it",
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
  return "its schema is there";
}

async function checkTokens({ db, vault }: Uses<"db" | "vault">): Promise<string> {
  const { links, closed, outdated } = await examineTokens(db, vault);
  if (closed > 0) throw new Error(`the tokens of ${closed} of ${links} links can't be opened`);
  const hint = outdated > 0 ? `; ${outdated} sealed with an older key: torikomi reencrypt` : "";
  return `all stored tokens can be opened (links: ${links})${hint}`;
}

async function checkDocuments({ documents }: Uses<"documents">): Promise<string> {
  await documents.check();
  return "stores, reads and erases";
}

const ANSWER_MS = 5_000;

/** Asks for the login page as a linking does; whatever it answers, it is there. */
async function checkDocuSign({ oauth }: Uses<"oauth">): Promise<string> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const url = oauth.authorizationUrl({ state: "doctor", codeChallenge: "A".repeat(SHA256_CHARACTERS) });
  const response = await fetch(url, { signal, redirect: "manual" });
  await response.body?.cancel();
  return `${new URL(url).origin} answers`;
}

/** Of a hash in base64url. */
const SHA256_CHARACTERS = 43;

const METADATA = z.object({ issuer: z.string(), jwks_uri: z.string() });

async function checkCabinet({ cabinetIssuer }: Uses<"cabinetIssuer">): Promise<string> {
  if (cabinetIssuer === null) return "none is set: neither API nor page let anybody in";
  const signal = AbortSignal.timeout(ANSWER_MS);
  const configured = withoutSlashes(cabinetIssuer);
  const response = await fetch(`${configured}/.well-known/openid-configuration`, { signal });
  if (!response.ok) throw new Error(`${cabinetIssuer} answers ${response.status} to discovery`);
  const metadata = METADATA.safeParse(await response.json());
  if (!metadata.success) throw new Error(`what ${cabinetIssuer} answers is not OpenID Connect's discovery`);
  const { issuer } = metadata.data;
  if (withoutSlashes(issuer) !== configured) throw new Error(`it calls itself ${issuer}`);
  return `${cabinetIssuer} answers`;
}

function withoutSlashes(issuer: string): string {
  return issuer.replace(/\/+$/, "");
}

async function checkPublicUrl({ production, publicUrl }: Uses<"production" | "publicUrl">): Promise<string> {
  if (production && !publicUrl.startsWith("https:")) throw new Error(`${publicUrl} is not encrypted`);
  return publicUrl;
}
