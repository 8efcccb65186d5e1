import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { TokenOptions } from "./api-tokens.ts";
import { createApp } from "./app.ts";
import { createSigningKey } from "./keys.ts";
import type { Person } from "./people.ts";
import type { Exchange } from "./provider.ts";
import { type CabinetOptions, createState, type State, tokenOf } from "./state.ts";

export type { TokenOptions } from "./api-tokens.ts";
export type { Person } from "./people.ts";
export type { CabinetOptions } from "./state.ts";

/** The contract cabinet as torikomi sees it: an OpenID issuer that signs people in and services' tokens. */
export type Cabinet = AsyncDisposable & {
  readonly issuer: string;
  /** Adds somebody, or replaces name, tenant and role of the same `sub`. */
  addPerson(person: Person): Person;
  /** Closes the account: it answers neither a sign-in nor a refresh of this person any more. */
  removePerson(person: Pick<Person, "sub">): void;
  /** The requests to the token endpoint and their answers, in order. */
  readonly exchanges: readonly Exchange[];
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
    removePerson: ({ sub }) => void state.people.delete(sub),
    exchanges: state.exchanges,
    nextSignIn: (person) => {
      state.people.set(person.sub, person);
      state.awaited.push(person);
    },
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

function issuerOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("the cabinet does not listen on a port");
  return `http://127.0.0.1:${address.port}`;
}
