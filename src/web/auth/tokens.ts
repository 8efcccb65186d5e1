import type { RequestHandler, Response } from "express";
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
  type RemoteJWKSet,
} from "jose";
import { z } from "zod";
import { Refusal } from "../../domain/refusal.ts";
import { InvalidToken } from "../request-fault.ts";

/** A service of the cabinet that calls on behalf of one tenant (service.md, tokens of the cabinet). */
export type Caller = {
  readonly tenant: string;
  /** `sub` of the token; null where it speaks for nobody in particular, who may read. */
  readonly subject: string | null;
  readonly scopes: ReadonlySet<string>;
};

export type TokenVerifier = (authorization: string | undefined) => Promise<Caller>;

export type TokenVerifierOptions = {
  readonly issuer: string;
  readonly audience: string;
  readonly now: () => Date;
  readonly fetch?: typeof fetch;
  /** How soon after a look at the issuer's keys an unknown key makes us look again. */
  readonly keyCooldownMs?: number;
};

/**
 * How the cabinet may sign. Asymmetric only: a token "signed" with the issuer's public key as a shared secret, or not at
 * all, is none.
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
const BEARER = /^Bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*) *$/i;
const TIMEOUT_MS = 5_000;

/** A claim that names somebody: short, and without what a database or a log could not keep. */
export const nameClaim = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}+$/u)
  .refine((text) => text.isWellFormed());
const CLAIMS = z.object({
  tenant: nameClaim.optional(),
  sub: nameClaim.optional(),
  scope: z.string().default(""),
});
const METADATA = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });

/**
 * Checks `Authorization` headers against the cabinet's issuer. A token that is missing, malformed, expired, or for or
 * from somebody else is a Refusal `unauthorized`, a good one without a tenant is `forbidden`; an issuer that cannot be
 * asked for its keys is `unavailable`.
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const key = createKeyFinder(options);
  const issuer = withoutTrailingSlash(options.issuer);
  return async (authorization) => {
    const token = BEARER.exec(authorization ?? "")?.[1];
    if (token === undefined) throw isBearer(authorization) ? new InvalidToken() : new Refusal("unauthorized");
    return readCaller(token, key, {
      issuer: [issuer, `${issuer}/`],
      audience: options.audience,
      algorithms: ALGORITHMS,
      requiredClaims: ["exp"],
      currentDate: options.now(),
    });
  };
}

function isBearer(authorization: string | undefined): boolean {
  return /^Bearer +[^ ]/i.test(authorization ?? "");
}

/** Where no issuer is configured there is nobody whose tokens could be good. */
export const refuseEveryToken: TokenVerifier = async () => {
  throw new Refusal("unauthorized", "CABINET_ISSUER is not configured");
};

/** Refuses with `forbidden` unless the caller holds one of the scopes; `write` includes `read` of the same noun. */
export function requireScope(caller: Caller, ...anyOf: readonly string[]): void {
  const enough = anyOf.flatMap((scope) => [scope, scope.replace(/:read$/, ":write")]);
  if (enough.some((scope) => caller.scopes.has(scope))) return;
  throw new Refusal("forbidden", `the token lacks the scope ${anyOf.join(" or ")}`);
}

/** In whose name something is written, for the audit trail; refuses with `forbidden` where the token names nobody. */
export function personOf({ tenant, subject }: Caller): { tenant: string; subject: string } {
  if (subject === null)
    throw new Refusal("forbidden", "the token lacks `sub`: who does this has to be known");
  return { tenant, subject };
}

const callers = new WeakMap<Response, Caller>();

/** Lets only requests with a good token pass; `callerOf` then tells whose it is. */
export function authenticate(verify: TokenVerifier): RequestHandler {
  return async (request, response, next) => {
    callers.set(response, await verify(request.headers.authorization));
    next();
  };
}

/** Who asks; a Refusal `unauthorized` where `authenticate` did not run before. */
export function callerOf(response: Response): Caller {
  const caller = callers.get(response);
  if (caller === undefined) throw new Refusal("unauthorized");
  return caller;
}

async function readCaller(token: string, key: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<Caller> {
  try {
    const { payload } = await jwtVerify(token, key, options);
    const { tenant, sub, scope } = CLAIMS.parse(payload);
    if (tenant === undefined) throw new Refusal("forbidden", "the token lacks `tenant`");
    return { tenant, subject: sub ?? null, scopes: new Set(scope.split(" ").filter((word) => word !== "")) };
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new InvalidToken({ cause: error });
    if (error instanceof z.ZodError) throw new Refusal("forbidden", lackingOf(error), { cause: error });
    throw error;
  }
}

/** What is wrong with the claims of a token that is valid: another one of the kind would be no better. */
function lackingOf({ issues }: z.ZodError): string {
  const claims = new Set(issues.map(({ path }) => `\`${path.join(".")}\``));
  return `the token's ${[...claims].join(" and ")} cannot be used`;
}

/** Looks for the issuer's keys when the first token that could be good arrives, so that we start without the issuer. */
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
      // Keys that are still good are kept: only an unknown key made us ask again. Otherwise begin anew at the next token.
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
  if (!response.ok) throw new Error(`the issuer's configuration is answered with ${response.status}`);
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
