import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { DocuSignFault, isOurCredentialsFault, isTransient } from "../../docusign/faults/faults.ts";
import { describeFault } from "../../domain/fault-text.ts";
import { findNewestDocument } from "../../store/contracts/stored-documents.ts";
import { examineTokens } from "../../store/links/sealed-secrets.ts";
import type { Uses } from "../capabilities.ts";
import { DATABASE, WITHIN_DATABASE } from "./check-database.ts";
import type { Examination } from "./examination.ts";
import { readMarks } from "./store-marks.ts";

/** The dependencies of all checks. */
export type CheckUses = Uses<
  | "cabinetClient"
  | "cabinetIssuer"
  | "db"
  | "documents"
  | "now"
  | "oauth"
  | "production"
  | "publicUrl"
  | "vault"
>;

/** The result of one check in one line. If `ok` is false, `text` also says what to do. */
export type Check = { readonly name: string; readonly ok: boolean; readonly text: string };

/** Checks everything that the service depends on. Changes nothing and does not migrate. */
export async function* checkService(deps: CheckUses): AsyncGenerator<Check, void, undefined> {
  const database = await carryOut(deps, DATABASE);
  yield database;
  for (const examination of [...WITHIN_DATABASE, KEYS, SHARED_DOCUMENTS]) {
    const skipped = { name: examination.name, ok: false, text: "not checked: fix the database first" };
    yield database.ok ? await carryOut(deps, examination) : skipped;
  }
  for (const examination of OUTSIDE_DATABASE) yield await carryOut(deps, examination);
}

const KEYS: Examination<CheckUses> = {
  name: "encryption keys",
  look: checkTokens,
  advice: "add the missing key to ENCRYPTION_KEYS after the first one, or link those accounts again",
};

const SHARED_DOCUMENTS: Examination<CheckUses> = {
  name: "shared documents",
  look: checkSharedDocuments,
  advice: "give serve and work the same DOCUMENT_STORE, and the same volume if it is file",
};

const OUTSIDE_DATABASE: readonly Examination<CheckUses>[] = [
  {
    name: "document store",
    look: checkDocuments,
    advice: "check DOCUMENT_STORE, its credentials and its permissions",
  },
  {
    name: "DocuSign",
    look: checkDocuSign,
    advice: "check DOCUSIGN_OAUTH_URL, and that this machine can reach it",
  },
  {
    name: "integration key",
    look: checkIntegrationKey,
    advice: "check DOCUSIGN_CLIENT_ID and DOCUSIGN_CLIENT_SECRET",
  },
  {
    name: "cabinet",
    look: checkCabinet,
    advice: "check CABINET_ISSUER, and that this machine can reach it",
  },
  {
    name: "cabinet client",
    look: checkCabinetClient,
    advice: "check CABINET_CLIENT_ID and CABINET_CLIENT_SECRET",
  },
  { name: "public address", look: checkPublicUrl, advice: "set PUBLIC_URL to an https address" },
];

const LONGEST_MS = 15_000;

async function carryOut(deps: CheckUses, { name, look, advice }: Examination<CheckUses>): Promise<Check> {
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
  try {
    for await (const _ of documents.list()) break;
  } catch (cause) {
    throw new Error("documents can't be listed", { cause });
  }
  return "documents can be stored, listed, read and erased";
}

async function checkSharedDocuments({ db, documents }: Uses<"db" | "documents">): Promise<string> {
  const readable: string[] = [];
  const marks = await readMarks({ documents });
  const isMarked = marks.some(({ startedAt }) => startedAt !== null);
  for (const { role, startedAt } of marks) {
    if (startedAt !== null) readable.push(`what ${role} stored at ${startedAt}`);
    else if (isMarked) throw new Error(`nothing that ${role} stored can be read here`);
  }
  const newest = await findNewestDocument(db);
  if (newest !== null) {
    if ((await documents.size(newest.key)) !== newest.bytes)
      throw new Error("the document of the newest contract is missing or incomplete here");
    readable.push("the newest contract");
  }
  return readable.length === 0 ? "not checked: nothing is stored yet" : `can be read: ${readable.join(", ")}`;
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

/** Any refresh token will do: DocuSign checks the client first. */
async function checkIntegrationKey({ oauth }: Uses<"oauth">): Promise<string> {
  try {
    await oauth.refresh("torikomi doctor");
  } catch (fault) {
    if (!(fault instanceof DocuSignFault)) throw fault;
    if (isOurCredentialsFault(fault))
      throw new Error(`DocuSign rejects the integration key or its secret (${fault.code})`);
    if (isTransient(fault)) throw new Error("DocuSign does not answer this", { cause: fault });
  }
  return "DocuSign accepts it and its secret";
}

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

async function checkCabinetClient({ cabinetClient }: Uses<"cabinetClient">): Promise<string> {
  if (cabinetClient === null) return "not configured: nobody can sign in to the page";
  await cabinetClient.check();
  return "the cabinet accepts it and its secret";
}

function withoutSlashes(issuer: string): string {
  return issuer.replace(/\/+$/, "");
}

async function checkPublicUrl({ production, publicUrl }: Uses<"production" | "publicUrl">): Promise<string> {
  if (production && !publicUrl.startsWith("https:")) throw new Error(`${publicUrl} is not an https address`);
  return publicUrl;
}
