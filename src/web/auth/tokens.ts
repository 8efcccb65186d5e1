import type { RequestHandler, Response } from "express";
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  type JWTVerifyResult,
  jwtVerify,
  type RemoteJWKSet,
} from "jose";
import { z } from "zod";
import { Refusal } from "../../domain/refusal.ts";
import { InvalidToken } from "../request-fault.ts";
import { createTokenMemory, type Verified } from "./token-memory.ts";

/** A service of the cabinet that calls on behalf of one tenant, or reads all (service.md, tokens of the cabinet). */
export type Caller = {
  /** Null for a service token, which reads all tenants (service-2.md section 2). */
  readonly tenant: string | null;
  /** The token's `sub`; null if it has none. Such a caller may only read. */
  readonly subject: string | null;
  readonly scopes: ReadonlySet<string>;
};

export type TenantCaller = Caller & { readonly tenant: string };

export type TokenVerifier = (authorization: string | undefined) => Promise<Caller>;

export type TokenVerifierOptions = {
  readonly issuer: string;
  readonly audience: string;
  /** The page's client; null without a page. If it equals the audience, only tokens of the type `at+jwt` are accepted. */
  readonly clientId?: string | null;
  /** The subjects whose service tokens may read all tenants; none by default. */
  readonly serviceSubjects?: readonly string[];
  readonly now: () => Date;
  readonly fetch?: typeof fetch;
  /** Minimum time between two fetches of the issuer's keys because of an unknown key. */
  readonly keyCooldownMs?: number;
};

/**
 * Accepted signing algorithms, asymmetric only. This rejects unsigned tokens, and tokens that use the issuer's public
 * key as a shared secret.
 */
export const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
/** The type of access tokens (RFC 9068). Issuers need not set it. */
const ACCESS_TOKEN = "at+jwt";
/** Only ID tokens have these claims (OpenID Connect Core 3.1.3.6 and 3.3.2.11), at least of issuers that set no type. */
const ID_TOKEN_CLAIMS = ["nonce", "at_hash", "c_hash"];
const BEARER = /^Bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*) *$/i;
const TIMEOUT_MS = 5_000;

/** A claim that holds a name or id: short, and safe to store and to log. */
export const nameClaim = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}+$/u)
  .refine((text) => text.isWellFormed());

/** The `tenant` of a service token. No tenant has this name. */
const ALL_TENANTS = "*";
/** A claim that names one tenant. */
export const tenantName = nameClaim.refine((name) => name !== ALL_TENANTS, "must name one tenant");
const CLAIMS = z.object({
  tenant: nameClaim.optional(),
  sub: nameClaim.optional(),
  scope: z.string().default(""),
});
const METADATA = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });

/**
 * Verifies `Authorization` headers against the cabinet's issuer. Refuses with `unauthorized` if the token is missing,
 * malformed, expired or an ID token, or is for another issuer or audience. Refuses with `forbidden` if it lacks a tenant, and with
 * `unavailable` if the issuer's keys cannot be fetched.
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const key = createKeyFinder(options);
  const issuer = withoutTrailingSlash(options.issuer);
  const memory = createTokenMemory<Caller>(options.now);
  const verify = async (token: string): Promise<Verified<Caller>> => {
    const { caller, expiresAt } = await readCaller(token, key, {
      issuer: [issuer, `${issuer}/`],
      audience: options.audience,
      algorithms: ALGORITHMS,
      requiredClaims: ["exp"],
      ...(options.clientId === options.audience && { typ: ACCESS_TOKEN }),
      currentDate: options.now(),
    });
    if (caller.tenant !== ALL_TENANTS) return { caller, expiresAt };
    return { caller: toServiceCaller(caller, options.serviceSubjects ?? []), expiresAt };
  };
  return async (authorization) => {
    const token = BEARER.exec(authorization ?? "")?.[1];
    if (token === undefined) throw isBearer(authorization) ? new InvalidToken() : new Refusal("unauthorized");
    const known = memory.find(token);
    if (known !== null) return known;
    const verified = await verify(token);
    memory.keep(token, verified);
    return verified.caller;
  };
}

function isBearer(authorization: string | undefined): boolean {
  return /^Bearer +[^ ]/i.test(authorization ?? "");
}

/** Without a configured issuer, no token can be valid. */
export const refuseEveryToken: TokenVerifier = async () => {
  throw new Refusal("unauthorized", "CABINET_ISSUER is not configured");
};

/** Refuses with `forbidden` unless the caller has one of the scopes. `x:write` includes `x:read`. */
export function requireScope(caller: Caller, ...anyOf: readonly string[]): void {
  const enough = anyOf.flatMap((scope) => [scope, scope.replace(/:read$/, ":write")]);
  if (enough.some((scope) => caller.scopes.has(scope))) return;
  throw new Refusal("forbidden", `the token lacks the scope ${anyOf.join(" or ")}`);
}

/** A service token only reads, and only for a subject that the operator listed. Refuses others with `forbidden`. */
function toServiceCaller({ subject, scopes }: Caller, serviceSubjects: readonly string[]): Caller {
  if (subject === null || !serviceSubjects.includes(subject))
    throw new Refusal("forbidden", "the token's `sub` is not listed in SERVICE_TOKEN_SUBJECTS");
  if ([...scopes].some((scope) => scope.endsWith(":write")))
    throw new Refusal("forbidden", "a token for all tenants must not have a scope that writes");
  return { tenant: null, subject, scopes };
}

/** The person behind a write, for the audit trail. Refuses with `forbidden` if the token lacks `sub` or a tenant. */
export function personOf({ tenant, subject }: Caller): { tenant: string; subject: string } {
  if (subject === null)
    throw new Refusal("forbidden", "the token lacks `sub`, which names the person who makes the change");
  if (tenant === null) throw new Refusal("forbidden", "a token for all tenants only reads");
  return { tenant, subject };
}

const callers = new WeakMap<Response, Caller>();

/** Lets only requests with a valid token pass. `callerOf` then returns the caller. */
export function authenticate(verify: TokenVerifier): RequestHandler {
  return async (request, response, next) => {
    callers.set(response, await verify(request.headers.authorization));
    next();
  };
}

/** The caller of the request. Refuses with `unauthorized` if `authenticate` did not run before. */
export function callerOf(response: Response): Caller {
  const caller = callers.get(response);
  if (caller === undefined) throw new Refusal("unauthorized");
  return caller;
}

async function readCaller(
  token: string,
  key: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<Verified<Caller>> {
  try {
    const verified = await jwtVerify(token, key, options);
    if (isIdToken(verified)) throw new InvalidToken();
    const { payload } = verified;
    const { tenant, sub, scope } = CLAIMS.parse(payload);
    if (tenant === undefined) throw new Refusal("forbidden", "the token lacks `tenant`");
    const scopes = new Set(scope.split(" ").filter((word) => word !== ""));
    return { caller: { tenant, subject: sub ?? null, scopes }, expiresAt: payload.exp ?? 0 };
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new InvalidToken({ cause: error });
    if (error instanceof z.ZodError) throw new Refusal("forbidden", lackingOf(error), { cause: error });
    throw error;
  }
}

/** An ID token says who signed in at a client. It permits nothing, even if its audience is ours. */
function isIdToken({ payload, protectedHeader }: JWTVerifyResult): boolean {
  const type = protectedHeader.typ?.toLowerCase().replace(/^application\//, "");
  return type !== ACCESS_TOKEN && ID_TOKEN_CLAIMS.some((claim) => claim in payload);
}

/** Names the invalid claims of a valid token. This is `forbidden`: a new token would have the same claims. */
function lackingOf({ issues }: z.ZodError): string {
  const claims = new Set(issues.map(({ path }) => `\`${path.join(".")}\``));
  return `the token's ${[...claims].join(" and ")} cannot be used`;
}

/** Fetches the issuer's keys for the first well-formed token, so that the service starts without the issuer. */
function createKeyFinder(options: TokenVerifierOptions): JWTVerifyGetKey {
  let opening: Promise<RemoteJWKSet> | null = null;
  return async (header, token) => {
    opening ??= openKeys(options);
    const current = opening;
    try {
      const findKey = await current;
      return await findKey(header, token);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      // Keeps fresh keys: only the refetch for an unknown key failed. Otherwise the next token starts over.
      if (!(await holdsKeys(current)) && opening === current) opening = null;
      throw new Refusal("unavailable", "the issuer of tokens cannot be reached", { cause: error });
    }
  };
}

async function holdsKeys(opening: Promise<RemoteJWKSet>): Promise<boolean> {
  const keys = await opening.catch(() => null);
  return keys?.fresh ?? false;
}

async function openKeys({
  issuer,
  keyCooldownMs = 5_000,
  fetch: get = fetch,
}: TokenVerifierOptions): Promise<RemoteJWKSet> {
  const address = `${withoutTrailingSlash(issuer)}/.well-known/openid-configuration`;
  const response = await get(address, { redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`the issuer answered with ${response.status} for its configuration`);
  const metadata = METADATA.parse(await response.json());
  if (withoutTrailingSlash(metadata.issuer) !== withoutTrailingSlash(issuer)) {
    throw new Error("the issuer's configuration names another issuer");
  }
  return createRemoteJWKSet(new URL(metadata.jwks_uri), {
    timeoutDuration: TIMEOUT_MS,
    cooldownDuration: keyCooldownMs,
    [customFetch]: get,
  });
}

function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

function withoutTrailingSlash(issuer: string): string {
  return issuer.replace(/\/$/, "");
}
