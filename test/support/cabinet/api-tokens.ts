import { randomUUID } from "node:crypto";
import { type JWTHeaderParameters, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { createSigningKey, type SigningKey } from "./keys.ts";

/** Ways in which somebody may try to make a token without the cabinet's key. */
export type Forgery = "unsigned" | "public-key-as-secret" | "foreign-key" | "unknown-key";

export type TokenOptions = {
  readonly tenant?: string;
  /** Space-separated, as in the claim. */
  readonly scope?: string;
  /** Null for a token that names nobody. */
  readonly sub?: string | null;
  readonly audience?: string;
  readonly issuer?: string;
  /** Seconds from now; below zero for a token that has expired, null for one without `exp`. */
  readonly expiresIn?: number | null;
  readonly forgery?: Forgery;
  /** The header's type; `at+jwt` by default, null for none. */
  readonly type?: string | null;
  /** Claims as they are, over those from the other options. */
  readonly claims?: JWTPayload;
};

export type TokenDefaults = { readonly issuer: string; readonly audience: string; readonly now: Date };

/** An API token of the cabinet (service.md), signed with the key unless a forgery is asked for. */
export async function signApiToken(
  key: SigningKey,
  defaults: TokenDefaults,
  options: TokenOptions,
): Promise<string> {
  const claims = claimsOf(defaults, options);
  const { forgery, type = "at+jwt" } = options;
  const header: JWTHeaderParameters = {
    alg: key.algorithm,
    kid: key.kid,
    ...(type !== null && { typ: type }),
  };
  if (forgery === undefined) return new SignJWT(claims).setProtectedHeader(header).sign(key.privateKey);
  switch (forgery) {
    case "unsigned":
      return new UnsecuredJWT(claims).encode();
    case "public-key-as-secret":
      return new SignJWT(claims)
        .setProtectedHeader({ ...header, alg: "HS256" })
        .sign(new TextEncoder().encode(key.publicPem));
    case "foreign-key":
      return new SignJWT(claims)
        .setProtectedHeader(header)
        .sign((await createSigningKey(key.algorithm)).privateKey);
    case "unknown-key":
      return new SignJWT(claims).setProtectedHeader({ ...header, kid: randomUUID() }).sign(key.privateKey);
  }
}

function claimsOf({ issuer, audience, now }: TokenDefaults, options: TokenOptions): JWTPayload {
  const issuedAt = Math.floor(now.getTime() / 1_000);
  const expiresIn = options.expiresIn === undefined ? 3_600 : options.expiresIn;
  return {
    iss: options.issuer ?? issuer,
    aud: options.audience ?? audience,
    ...(options.sub !== null && { sub: options.sub ?? "contract-service" }),
    iat: issuedAt,
    ...(expiresIn !== null && { exp: issuedAt + expiresIn }),
    ...(options.tenant !== undefined && { tenant: options.tenant }),
    ...(options.scope !== undefined && { scope: options.scope }),
    ...options.claims,
  };
}
