import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import express, { urlencoded } from "express";
import { pino } from "pino";
import type { BegunSignIn, PageSession } from "../../../src/store/page-sessions.ts";
import { type ConfirmationUses, requireSignIn } from "../../../src/web/auth/confirmation.ts";
import { csrfOf, requireCsrf } from "../../../src/web/auth/csrf.ts";
import { createSignInIssuer } from "../../../src/web/auth/issuer.ts";
import { type SessionStore, signedInOf } from "../../../src/web/auth/session.ts";
import {
  type SignInStore,
  type SignInUses,
  signInCallback,
  signInRoutes,
} from "../../../src/web/auth/sign-in.ts";
import { html } from "../../../src/web/html/html.ts";
import { problemPages } from "../../../src/web/page/problem-page.ts";
import { errorHandler } from "../../../src/web/problem.ts";
import {
  type Cabinet,
  type CabinetOptions,
  type Person,
  startCabinet,
} from "../../support/cabinet/cabinet.ts";
import { PAGE_SETTINGS } from "../../support/page-settings.ts";

export const HANAKO: Person = { sub: "hanako", name: "山田 花子", tenant: "acme", role: "owner" };

export const TARO: Person = { sub: "taro", name: "鈴木 太郎", tenant: "other", role: "member" };

export type Store = SessionStore & SignInStore & { sessions(): PageSession[] };

function createMemoryStore(): Store {
  const sessions = new Map<string, PageSession>();
  const signIns = new Map<string, BegunSignIn>();
  const isCurrent = (entry: { expiresAt: Date } | undefined, now: Date): boolean =>
    entry !== undefined && now < entry.expiresAt;
  return {
    create: async (session) => void sessions.set(session.idHash.toString("hex"), session),
    find: async (idHash, now) => {
      const session = sessions.get(idHash.toString("hex"));
      return session !== undefined && isCurrent(session, now) ? session : null;
    },
    takeRefreshToken: async (idHash, sealed) => {
      const session = sessions.get(idHash.toString("hex"));
      if (session?.sealedRefreshToken !== sealed) return false;
      sessions.set(idHash.toString("hex"), { ...session, sealedRefreshToken: null });
      return true;
    },
    confirm: async (idHash, confirmation) => {
      const session = sessions.get(idHash.toString("hex"));
      if (session !== undefined) sessions.set(idHash.toString("hex"), { ...session, ...confirmation });
    },
    end: async (idHash) => void sessions.delete(idHash.toString("hex")),
    begin: async (signIn) => void signIns.set(signIn.stateHash.toString("hex"), signIn),
    take: async (stateHash, now) => {
      const signIn = signIns.get(stateHash.toString("hex"));
      signIns.delete(stateHash.toString("hex"));
      return signIn !== undefined && isCurrent(signIn, now) ? signIn : null;
    },
    keepResult: async () => {},
    takeResult: async () => false,
    sessions: () => [...sessions.values()],
  };
}

export type Site = AsyncDisposable & {
  readonly url: string;
  readonly cabinet: Cabinet;
  readonly store: Store;
  readonly clock: { now: Date };
  /** Lines of the log. */
  readonly logged: string[];
  /** Restarts the process, so that data in memory is lost. */
  restart(): void;
};

export type SiteOptions = {
  readonly publicUrl?: string;
  readonly cabinet?: Pick<
    CabinetOptions,
    "clientAuth" | "untold" | "keyAlgorithm" | "promptValues" | "refreshTokens"
  >;
};

export async function createSite({ publicUrl, cabinet: options = {} }: SiteOptions = {}): Promise<Site> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const url = `http://127.0.0.1:${address.port}`;
  const cabinet = await startTestCabinet(url, options);
  const [store, clock] = [createMemoryStore(), { now: new Date("2026-01-15T00:00:00Z") }];
  const logged: string[] = [];
  const createDeps = (): SignInUses & ConfirmationUses => {
    const uses = {
      publicUrl: publicUrl ?? url,
      log: pino({ level: "warn" }, { write: (line) => logged.push(line) }),
      now: () => clock.now,
      page: PAGE_SETTINGS,
    };
    const issuer = createSignInIssuer({
      ...uses,
      issuer: cabinet.issuer,
      clientId: "page",
      clientSecret: "a secret: with / and %",
      redirectUri: signInCallback(uses.publicUrl),
      signedOutUrl: `${url}/signed-out`,
    });
    return { ...uses, sessions: store, signIns: store, issuer };
  };
  let app = createApp(createDeps());
  server.on("request", (request, response) => app(request, response));
  const close = async (): Promise<void> => {
    await Promise.all([cabinet.close(), new Promise((resolve) => server.close(resolve))]);
  };
  return {
    url,
    cabinet,
    store,
    clock,
    logged,
    restart: () => void (app = createApp(createDeps())),
    [Symbol.asyncDispose]: close,
  };
}

function createApp(deps: SignInUses & ConfirmationUses): express.Express {
  const app = express();
  app.use(signInRoutes(deps));
  app.get("/links", ...requireSignIn(deps), (request, response) => {
    const session = signedInOf(request);
    const csrf = html`<input type="hidden" name="csrf" value="${csrfOf(session)}">`;
    const page = html`<p>${session.subject} ${session.tenant} ${session.role} ${session.name}</p>
<form method="post" action="/act">${csrf}<button>する</button></form>
<form method="post" action="/sign-out">${csrf}<button>ログアウト</button></form>`;
    response.type("html").send(page.toString());
  });
  const readForm = urlencoded({ extended: false });
  app.post("/act", ...requireSignIn(deps), readForm, requireCsrf(deps.publicUrl), (_request, response) => {
    response.send("done");
  });
  app.get("/signed-out", (_request, response) => void response.send("out"));
  app.get("/plant/:id", (request, response) => {
    response.cookie("torikomi_session", request.params.id).send("planted");
  });
  app.use(errorHandler(pino({ level: "silent" }), problemPages(PAGE_SETTINGS)));
  return app;
}

export async function startTestCabinet(siteUrl: string, options: Partial<CabinetOptions>): Promise<Cabinet> {
  const cabinet = await startCabinet({
    clientId: "page",
    clientSecret: "a secret: with / and %",
    redirectUris: [`${siteUrl}/sign-in/callback`],
    postLogoutRedirectUris: [`${siteUrl}/signed-out`],
    ...options,
  });
  for (const person of [HANAKO, TARO]) cabinet.addPerson(person);
  return cabinet;
}
