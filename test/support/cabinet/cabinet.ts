import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type Response,
  urlencoded,
} from "express";
import { type AdapterFactory, type ClientMetadata, errors, type Provider } from "oidc-provider";
import { signApiToken, type TokenOptions } from "./api-tokens.ts";
import { createSigningKey, type KeyAlgorithm, type SigningKey } from "./keys.ts";
import { createMemoryAdapter } from "./memory-adapter.ts";
import { choicePage, messagePage, startPage } from "./pages.ts";
import type { Person } from "./people.ts";
import { createProvider } from "./provider.ts";

export type { TokenOptions } from "./api-tokens.ts";
export type { Person } from "./people.ts";

export type CabinetOptions = {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris?: readonly string[];
  /** Expected in API tokens; `torikomi` where left out. */
  readonly audience?: string;
  /** For API tokens only: sign-ins run by the machine's clock on both sides. */
  readonly now?: () => Date;
  readonly port?: number;
  readonly keyAlgorithm?: KeyAlgorithm;
};

/** The contract cabinet as torikomi sees it: an OpenID issuer that signs people in and services' tokens. */
export type Cabinet = AsyncDisposable & {
  readonly issuer: string;
  addPerson(person: Person): Person;
  /** The next sign-in, in whatever browser, is this person's, without a page. Several are used up in order. */
  nextSignIn(person: Person): void;
  /** For programs that know their own address only after the cabinet has started. */
  allowRedirect(redirectUri: string, postLogoutRedirectUri?: string): void;
  token(options?: TokenOptions): Promise<string>;
  /** From now on a new key signs; tokens by the old ones stay good. */
  rotateKeys(): Promise<void>;
  /** Takes all keys but the newest out of the published set. */
  withdrawOldKeys(): void;
  close(): Promise<void>;
};

const ALL_SCOPES = "contracts:read contracts:write groups:write links:read links:write";

/** Starts the stand-in on 127.0.0.1, on any free port unless one is given, over plain http. */
export async function startCabinet(options: CabinetOptions): Promise<Cabinet> {
  const server = createServer();
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const state = createState(
    options,
    issuerOf(server),
    await createSigningKey(options.keyAlgorithm ?? "ES256"),
  );
  server.on("request", createApp(state));
  return createHandles(server, state);
}

type State = {
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
  /** Null while it has to be built anew: a provider cannot change its keys and clients. */
  provider: Provider | null;
};

function createState(options: CabinetOptions, issuer: string, key: SigningKey): State {
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
    provider: null,
  };
}

function createHandles(server: Server, state: State): Cabinet {
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return {
    issuer: state.issuer,
    addPerson: (person) => {
      state.people.set(person.sub, person);
      return person;
    },
    nextSignIn: (person) => void state.awaited.push(person),
    allowRedirect: (redirectUri, postLogoutRedirectUri) => {
      state.redirectUris.push(redirectUri);
      if (postLogoutRedirectUri !== undefined) state.postLogoutRedirectUris.push(postLogoutRedirectUri);
      state.provider = null;
    },
    token: (options = {}) => tokenOf(state, options),
    rotateKeys: async () => {
      state.keys = [await createSigningKey(state.options.keyAlgorithm ?? "ES256"), ...state.keys];
      state.provider = null;
    },
    withdrawOldKeys: () => {
      state.keys = state.keys.slice(0, 1);
      state.provider = null;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function tokenOf(state: State, options: TokenOptions): Promise<string> {
  const [key] = state.keys;
  if (key === undefined) throw new Error("the cabinet has no key");
  const { audience = "torikomi", now = () => new Date() } = state.options;
  return signApiToken(key, { issuer: state.issuer, audience, now: now() }, options);
}

function createApp(state: State): Express {
  const app = express();
  app.disable("x-powered-by");
  app.get("/", (_request, response) => {
    response.type("html").send(startPage(state.issuer, [...state.people.values()]).toString());
  });
  app.get("/demo/token", async (request, response) => {
    const { tenant, scope } = request.query;
    const options = { tenant: String(tenant ?? ""), scope: typeof scope === "string" ? scope : ALL_SCOPES };
    response.type("text").send(`${await tokenOf(state, options)}\n`);
  });
  app.get("/sign-in/:uid", (request, response) => askWho(state, request, response));
  app.post("/sign-in/:uid", urlencoded({ extended: false }), (request, response) =>
    takeChoice(state, request, response),
  );
  app.use((request, response) => providerOf(state).callback()(request, response));
  app.use(showStaleSignIn);
  return app;
}

const showStaleSignIn: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (!(error instanceof errors.SessionNotFound)) {
    next(error);
    return;
  }
  const page = messagePage(
    "サインインできません",
    "このサインインは終わっています。はじめからやり直してください。",
  );
  response.status(400).type("html").send(page.toString());
};

async function askWho(state: State, request: Request, response: Response): Promise<void> {
  const person = state.awaited.shift();
  if (person !== undefined) return finish(state, request, response, person);
  response.type("html").send(choicePage(request.originalUrl, [...state.people.values()]).toString());
}

async function takeChoice(state: State, request: Request, response: Response): Promise<void> {
  const form = new Map<string, unknown>(Object.entries(request.body ?? {}));
  return finish(state, request, response, state.people.get(String(form.get("sub"))) ?? null);
}

async function finish(
  state: State,
  request: Request,
  response: Response,
  person: Person | null,
): Promise<void> {
  const provider = providerOf(state);
  const { session } = await provider.interactionDetails(request, response);
  const result =
    person === null
      ? { error: "access_denied", error_description: "the person went away" }
      : { login: { accountId: person.sub } };
  const next = await provider.interactionResult(request, response, result, {
    mergeWithLastSubmission: false,
  });
  if (session !== undefined && session.accountId !== person?.sub)
    await forgetWhoIsSignedIn(provider, session.uid);
  response.redirect(303, next);
}

/** Otherwise the provider puts a page that submits itself by script before a change of person. */
async function forgetWhoIsSignedIn(provider: Provider, sessionUid: string): Promise<void> {
  const session = await provider.Session.findByUid(sessionUid);
  if (session === undefined) return;
  delete session.accountId;
  session.authorizations = {};
  await session.persist();
}

function providerOf(state: State): Provider {
  state.provider ??= createProvider({
    issuer: state.issuer,
    keys: state.keys,
    clients: state.redirectUris.length === 0 ? [] : [clientOf(state)],
    adapter: state.adapter,
    cookieKey: state.cookieKey,
    findPerson: (sub) => state.people.get(sub) ?? null,
    isSignInAwaited: () => state.awaited.length > 0,
  });
  return state.provider;
}

function clientOf({ options, keys, redirectUris, postLogoutRedirectUris }: State): ClientMetadata {
  return {
    client_id: options.clientId,
    client_secret: options.clientSecret,
    redirect_uris: redirectUris,
    post_logout_redirect_uris: postLogoutRedirectUris,
    id_token_signed_response_alg: keys[0]?.algorithm ?? "ES256",
  };
}

function issuerOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("the cabinet does not listen on a port");
  return `http://127.0.0.1:${address.port}`;
}
