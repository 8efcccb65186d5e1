import {
  type AdapterFactory,
  type ClientAuthMethod,
  type ClientMetadata,
  interactionPolicy,
  type KoaContextWithOIDC,
  Provider,
} from "oidc-provider";
import type { SigningKey } from "./keys.ts";
import { messagePage, signOutPage } from "./pages.ts";
import type { Person } from "./people.ts";

const DAY_SECONDS = 24 * 60 * 60;

export type Untold = "id_token_signing_alg_values_supported";

/** A request to the token endpoint and its answer. */
export type Exchange = {
  readonly codeVerifier: string | null;
  readonly idToken: string | null;
  readonly accessToken: string | null;
  readonly refreshToken: string | null;
  readonly error: string | null;
};

export type ProviderOptions = {
  readonly issuer: string;
  readonly keys: readonly SigningKey[];
  readonly clients: readonly ClientMetadata[];
  readonly adapter: AdapterFactory;
  readonly cookieKey: string;
  readonly clientAuth: ClientAuthMethod;
  readonly untold: Untold | null;
  readonly promptValues: readonly string[] | null;
  readonly findPerson: (sub: string) => Person | null;
  /** True if the person must sign in again, even if the browser has a session. */
  readonly isSignInAwaited: () => boolean;
  readonly onExchange: (exchange: Exchange) => void;
};

/** An OpenID provider whose ID tokens carry `tenant`, `role` and `name`, and which asks for no consent. */
export function createProvider(options: ProviderOptions): Provider {
  const provider = new Provider(options.issuer, {
    adapter: options.adapter,
    clients: [...options.clients],
    jwks: { keys: options.keys.map((key) => key.privateJwk) },
    cookies: { keys: [options.cookieKey] },
    clientAuthMethods: [options.clientAuth],
    claims: { openid: ["sub", "tenant", "role"], profile: ["name"] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: true, logoutSource: showSignOut, postLogoutSuccessSource: showSignedOut },
    },
    interactions: {
      url: (_ctx, interaction) => `/sign-in/${interaction.uid}`,
      policy: createPolicy(options),
    },
    findAccount: (_ctx, sub) => {
      const person = options.findPerson(sub);
      return person === null ? undefined : { accountId: sub, claims: () => ({ ...person }) };
    },
    loadExistingGrant: grantWhatIsAsked,
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed("refresh_token"),
    rotateRefreshToken: true,
    clientBasedCORS: () => false,
    renderError: (ctx, out) => {
      ctx.type = "html";
      ctx.body = messagePage(
        "サインインできません",
        `${out.error}: ${out.error_description ?? ""}`,
      ).toString();
    },
    ttl: {
      AccessToken: DAY_SECONDS,
      AuthorizationCode: 60,
      Grant: DAY_SECONDS,
      IdToken: DAY_SECONDS,
      Interaction: 60 * 60,
      RefreshToken: DAY_SECONDS,
      Session: DAY_SECONDS,
    },
  });
  noteExchanges(provider, options.onExchange);
  if (options.clientAuth === "client_secret_post") refuseBasic(provider);
  if (options.untold !== null) setMetadata(provider, options.untold, undefined);
  if (options.promptValues !== null) setMetadata(provider, "prompt_values_supported", options.promptValues);
  return provider;
}

function noteExchanges(provider: Provider, onExchange: (exchange: Exchange) => void): void {
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path !== "/token") return;
    const answer = new Map<string, unknown>(Object.entries(Object(ctx.body)));
    const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
    onExchange({
      codeVerifier: text(ctx["oidc"]?.params?.["code_verifier"]),
      idToken: text(answer.get("id_token")),
      accessToken: text(answer.get("access_token")),
      refreshToken: text(answer.get("refresh_token")),
      error: text(answer.get("error")),
    });
  });
}

/** The provider itself takes a secret either way, whatever it says. */
function refuseBasic(provider: Provider): void {
  provider.use(async (ctx, next) => {
    if (/^Basic /i.test(ctx.get("authorization"))) {
      ctx.status = 401;
      ctx.body = { error: "invalid_client" };
      return;
    }
    await next();
  });
}

function setMetadata(provider: Provider, name: string, value: unknown): void {
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path === "/.well-known/openid-configuration") ctx.body = { ...Object(ctx.body), [name]: value };
  });
}

function createPolicy({ isSignInAwaited, findPerson }: ProviderOptions): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  const check = new interactionPolicy.Check("awaited", "somebody is to sign in now", (ctx) => {
    return ctx.oidc.result?.login === undefined && isSignInAwaited();
  });
  const removed = new interactionPolicy.Check("removed", "the account is closed", (ctx) => {
    const sub = ctx.oidc.session?.accountId;
    return sub !== undefined && findPerson(sub) === null;
  });
  policy.get("login")?.checks.add(check);
  policy.get("login")?.checks.add(removed);
  return policy;
}

async function grantWhatIsAsked(
  ctx: KoaContextWithOIDC,
): Promise<InstanceType<Provider["Grant"]> | undefined> {
  const { client, session, provider } = ctx.oidc;
  const known = client && session?.grantIdFor(client.clientId);
  if (known !== undefined) return provider.Grant.find(known);
  if (client === undefined || session?.accountId === undefined) return undefined;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope("openid profile");
  await grant.save();
  return grant;
}

function showSignOut(ctx: KoaContextWithOIDC): void {
  const secret = ctx.oidc.session?.state?.["secret"];
  ctx.body = signOutPage(ctx.oidc.urlFor("end_session_confirm"), String(secret)).toString();
}

function showSignedOut(ctx: KoaContextWithOIDC): void {
  ctx.type = "html";
  ctx.body = messagePage("ログアウトしました", "契約書キャビネットからログアウトしました。").toString();
}
