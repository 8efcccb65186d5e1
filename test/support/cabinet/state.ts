import { randomBytes } from "node:crypto";
import type { AdapterFactory, ClientAuthMethod, ClientMetadata, Provider } from "oidc-provider";
import { signApiToken, type TokenOptions } from "./api-tokens.ts";
import type { KeyAlgorithm, SigningKey } from "./keys.ts";
import { createMemoryAdapter } from "./memory-adapter.ts";
import type { Person } from "./people.ts";
import { createProvider, type Exchange, type Untold } from "./provider.ts";

export type CabinetOptions = {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris?: readonly string[];
  /** Expected in API tokens; `torikomi` by default. */
  readonly audience?: string;
  /** For API tokens only: sign-ins run by the machine's clock on both sides. */
  readonly now?: () => Date;
  readonly port?: number;
  readonly keyAlgorithm?: KeyAlgorithm;
  /** The only way in which the page's client may prove itself; Basic by default. */
  readonly clientAuth?: ClientAuthMethod;
  /** False if it gives the page no refresh tokens, as many issuers do without `offline_access`. */
  readonly refreshTokens?: boolean;
  /** The sign-ins that its metadata claim to support; not mentioned by default. */
  readonly promptValues?: readonly string[];
  /** Metadata that it omits although OpenID Connect requires them. */
  readonly untold?: Untold;
};

/** The current state of the cabinet. */
export type State = {
  readonly options: CabinetOptions;
  readonly issuer: string;
  /** The newest first. */
  keys: SigningKey[];
  readonly people: Map<string, Person>;
  readonly awaited: Person[];
  readonly redirectUris: string[];
  readonly postLogoutRedirectUris: string[];
  readonly adapter: AdapterFactory;
  readonly cookieKey: string;
  readonly exchanges: Exchange[];
  /** Null while it must be built again: a provider cannot change its keys and clients. */
  provider: Provider | null;
};

export function createState(options: CabinetOptions, issuer: string, key: SigningKey): State {
  return {
    options,
    issuer,
    keys: [key],
    people: new Map(),
    awaited: [],
    redirectUris: [...options.redirectUris],
    postLogoutRedirectUris: [...(options.postLogoutRedirectUris ?? [])],
    adapter: createMemoryAdapter(),
    cookieKey: randomBytes(32).toString("base64url"),
    exchanges: [],
    provider: null,
  };
}

/** An API token by the newest key. */
export async function tokenOf(state: State, options: TokenOptions): Promise<string> {
  const [key] = state.keys;
  if (key === undefined) throw new Error("the cabinet has no key");
  const { audience = "torikomi", now = () => new Date() } = state.options;
  return signApiToken(key, { issuer: state.issuer, audience, now: now() }, options);
}

/** The provider for the present keys and clients. */
export function providerOf(state: State): Provider {
  state.provider ??= createProvider({
    issuer: state.issuer,
    keys: state.keys,
    clients: state.redirectUris.length === 0 ? [] : [clientOf(state)],
    adapter: state.adapter,
    cookieKey: state.cookieKey,
    clientAuth: clientAuthOf(state.options),
    untold: state.options.untold ?? null,
    promptValues: state.options.promptValues ?? null,
    findPerson: (sub) => state.people.get(sub) ?? null,
    isSignInAwaited: () => state.awaited.length > 0,
    onExchange: (exchange) => void state.exchanges.push(exchange),
  });
  return state.provider;
}

function clientAuthOf({ clientAuth = "client_secret_basic" }: CabinetOptions): ClientAuthMethod {
  return clientAuth;
}

function clientOf({ options, keys, redirectUris, postLogoutRedirectUris }: State): ClientMetadata {
  return {
    client_id: options.clientId,
    client_secret: options.clientSecret,
    token_endpoint_auth_method: clientAuthOf(options),
    grant_types: [
      "authorization_code",
      ...(options.refreshTokens === false ? [] : (["refresh_token"] as const)),
    ],
    redirect_uris: redirectUris,
    post_logout_redirect_uris: postLogoutRedirectUris,
    id_token_signed_response_alg: keys[0]?.algorithm ?? "ES256",
  };
}
