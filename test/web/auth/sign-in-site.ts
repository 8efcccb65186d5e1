import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import express, { urlencoded } from "express";
import { pino } from "pino";
import type { BegunSignIn, PageSession } from "../../../src/store/page-sessions.ts";
import { csrfOf, requireCsrf } from "../../../src/web/auth/csrf.ts";
import { readSession, requireSession, type SessionStore, signedInOf } from "../../../src/web/auth/session.ts";
import { type SignInStore, type SignInUses, signInRoutes } from "../../../src/web/auth/sign-in.ts";
import { html } from "../../../src/web/html/html.ts";
import { problemPage } from "../../../src/web/page/problem-page.ts";
import { errorHandler } from "../../../src/web/problem.ts";
import {
  type Cabinet,
  type CabinetOptions,
  type Person,
  startCabinet,
} from "../../support/cabinet/cabinet.ts";

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
    end: async (idHash) => void sessions.delete(idHash.toString("hex")),
    begin: async (signIn) => void signIns.set(signIn.stateHash.toString("hex"), signIn),
    take: async (stateHash, now) => {
      const signIn = signIns.get(stateHash.toString("hex"));
      signIns.delete(stateHash.toString("hex"));
      return signIn !== undefined && isCurrent(signIn, now) ? signIn : null;
    },
    sessions: () => [...sessions.values()],
  };
}

export type Site = AsyncDisposable & {
  readonly url: string;
  readonly cabinet: Cabinet;
  readonly store: Store;
  readonly clock: { now: Date };
  /** Restarts the process, so that data in memory is lost. */
  restart(): void;
};

export type SiteOptions = {
  readonly publicUrl?: string;
  readonly cabinet?: Pick<CabinetOptions, "clientAuth" | "untold" | "keyAlgorithm">;
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
  const deps: SignInUses = {
    sessions: store,
    signIns: store,
    publicUrl: publicUrl ?? url,
    log: pino({ level: "silent" }),
    now: () => clock.now,
    issuer: cabinet.issuer,
    clientId: "page",
    clientSecret: "a secret: with / and %",
    signedOutUrl: `${url}/signed-out`,
  };
  let app = createApp(deps);
  server.on("request", (request, response) => app(request, response));
  const close = async (): Promise<void> => {
    await Promise.all([cabinet.close(), new Promise((resolve) => server.close(resolve))]);
  };
  return {
    url,
    cabinet,
    store,
    clock,
    restart: () => void (app = createApp(deps)),
    [Symbol.asyncDispose]: close,
  };
}

function createApp(deps: SignInUses): express.Express {
  const app = express();
  app.use(signInRoutes(deps));
  app.get("/links", readSession(deps), requireSession, (request, response) => {
    const session = signedInOf(request);
    const csrf = html`<input type="hidden" name="csrf" value="${csrfOf(session)}">`;
    const page = html`<p>${session.subject} ${session.tenant} ${session.role} ${session.name}</p>
<form method="post" action="/act">${csrf}<button>する</button></form>
<form method="post" action="/sign-out">${csrf}<button>ログアウト</button></form>`;
    response.type("html").send(page.toString());
  });
  const readForm = urlencoded({ extended: false });
  app.post(
    "/act",
    readSession(deps),
    requireSession,
    readForm,
    requireCsrf(deps.publicUrl),
    (_request, response) => {
      response.send("done");
    },
  );
  app.get("/signed-out", (_request, response) => void response.send("out"));
  app.get("/plant/:id", (request, response) => {
    response.cookie("torikomi_session", request.params.id).send("planted");
  });
  app.use(errorHandler(pino({ level: "silent" }), problemPage));
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
