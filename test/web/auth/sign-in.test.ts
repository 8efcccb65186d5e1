import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import express, { urlencoded } from "express";
import { pino } from "pino";
import type { BegunSignIn, PageSession } from "../../../src/store/page-sessions.ts";
import { csrfOf, requireCsrf } from "../../../src/web/auth/csrf.ts";
import { readSession, requireSession, type SessionStore, signedInOf } from "../../../src/web/auth/session.ts";
import { type SignInDeps, type SignInStore, signInRoutes } from "../../../src/web/auth/sign-in.ts";
import { html } from "../../../src/web/html/html.ts";
import { errorHandler, problemPage } from "../../../src/web/problem.ts";
import { type Browser, createBrowser, type Page } from "../../support/browser.ts";
import {
  type Cabinet,
  type CabinetOptions,
  type Person,
  startCabinet,
} from "../../support/cabinet/cabinet.ts";

const HANAKO: Person = { sub: "hanako", name: "山田 花子", tenant: "acme", role: "owner" };
const TARO: Person = { sub: "taro", name: "鈴木 太郎", tenant: "other", role: "member" };
const EIGHT_HOURS_MS = 8 * 60 * 60 * 1_000;

test("who opens a page is sent to the cabinet, chooses who they are, and comes back to that very page", async () => {
  await using site = await createSite();
  const browser = createBrowser();

  const choice = await browser.get(`${site.url}/links?tab=history`);
  const page = await browser.submit(choice, HANAKO.name);

  assert.ok(choice.url.startsWith(site.cabinet.issuer));
  assert.equal(page.url, `${site.url}/links?tab=history`);
  assert.equal(page.status, 200);
  assert.match(page.text, /hanako acme owner 山田 花子/);
});

test("a sign-in proves itself with code, PKCE, state and nonce", async () => {
  await using site = await createSite();

  const { headers } = await createBrowser().peek(`${site.url}/sign-in`);

  const address = new URL(headers.get("location") ?? "");
  const { code_challenge, state, nonce, ...others } = Object.fromEntries(address.searchParams);
  assert.equal(address.origin, site.cabinet.issuer);
  for (const random of [code_challenge, state, nonce]) assert.match(random ?? "", /^[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(others, {
    client_id: "page",
    redirect_uri: `${site.url}/sign-in/callback`,
    response_type: "code",
    scope: "openid profile",
    code_challenge_method: "S256",
  });
});

for (const keyAlgorithm of ["ES256", "EdDSA", "RS256"] as const) {
  test(`people are signed in with ${keyAlgorithm} by a cabinet whose metadata do not say how it signs`, async () => {
    const untold = "id_token_signing_alg_values_supported";
    await using site = await createSite({ cabinet: { keyAlgorithm, untold } });
    site.cabinet.nextSignIn(HANAKO);

    const page = await createBrowser().get(`${site.url}/links`);

    assert.equal(page.status, 200);
    assert.match(page.text, /hanako/);
  });
}

test("a cabinet that takes its client's secret in the body only signs people in as well", async () => {
  await using site = await createSite({ cabinet: { clientAuth: "client_secret_post" } });
  site.cabinet.nextSignIn(HANAKO);

  const page = await createBrowser().get(`${site.url}/links`);

  assert.equal(page.status, 200);
  assert.match(page.text, /hanako/);
});

test("the session cookie is closed to scripts and foreign forms, and what is stored does not open the session", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  const address = await returnAddressOf(site, HANAKO, browser);

  const { headers } = await browser.peek(address);

  const id = browser.cookies(site.url).get("torikomi_session") ?? "";

  assert.match(id, /^[A-Za-z0-9_-]{43}$/);
  const [stored] = site.store.sessions();
  assert.ok(stored !== undefined);
  assert.doesNotMatch(JSON.stringify(stored), new RegExp(id));
  assert.equal(stored.idHash.length, 32);
  assert.equal(stored.expiresAt.getTime() - stored.startedAt.getTime(), EIGHT_HOURS_MS);
  assert.equal(headers.getSetCookie().length, 1);
  assert.match(headers.getSetCookie()[0] ?? "", /; Path=\/; .*HttpOnly; SameSite=Lax$/);
});

test("over https the cookies are secure and bound to the host", async () => {
  await using site = await createSite({ publicUrl: "https://torikomi.example" });

  const { headers } = await createBrowser().peek(`${site.url}/sign-in`);

  const [cookie] = headers.getSetCookie();
  assert.match(cookie ?? "", /^__Host-torikomi_sign_in=.*; Path=\/; .*HttpOnly; Secure; SameSite=Lax$/);
  assert.doesNotMatch(cookie ?? "", /Domain/i);
});

const FOREIGN = [
  "//evil.example",
  "/\\evil.example",
  "\\\\evil.example",
  "https://evil.example",
  "javascript:alert(1)",
  "/\t/evil.example",
  "/\n/evil.example",
  "links",
  "",
];

for (const address of FOREIGN) {
  test(`a sign-in that is to return to ${JSON.stringify(address)} is refused`, async () => {
    await using site = await createSite();

    const page = await createBrowser().peek(
      `${site.url}/sign-in?${new URLSearchParams({ return_to: address }).toString()}`,
    );

    assert.equal(page.status, 400);
    assert.equal(page.headers.get("location"), null);
  });
}

test("a return address works once, and only in the browser that began", async () => {
  await using site = await createSite();
  const [browser, stranger] = [createBrowser(), createBrowser()];
  const address = await returnAddressOf(site, HANAKO, browser);

  const stolen = await stranger.peek(address);
  const returned = await browser.peek(address);
  const replayed = await stranger.peek(address);

  assert.equal(stolen.status, 400);
  assert.equal(stranger.cookies(site.url).has("torikomi_session"), false);
  assert.equal(returned.status, 303);
  assert.equal(replayed.status, 400);
  assert.equal(site.store.sessions().length, 1);
});

test("going back to a used return address just shows the page to who is signed in", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  const address = await returnAddressOf(site, HANAKO, browser);
  await browser.get(address);

  const page = await browser.get(address);

  assert.equal(page.url, `${site.url}/links`);
  assert.equal(site.store.sessions().length, 1);
});

test("a sign-in that took more than fifteen minutes has to begin again", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  const address = await returnAddressOf(site, HANAKO, browser);

  site.clock.now = new Date(site.clock.now.getTime() + 15 * 60 * 1_000);
  const page = await browser.get(address);

  assert.equal(page.status, 400);
  assert.match(page.text, /もう一度サインイン/);
});

test("two tabs of one browser can sign in at once", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  const addresses = [
    await returnAddressOf(site, HANAKO, browser),
    await returnAddressOf(site, HANAKO, browser),
  ];

  for (const address of addresses) {
    const page = await browser.get(address);

    assert.equal(page.status, 200);
  }
  assert.equal(site.store.sessions().length, 1);
});

test("a code that belongs to another sign-in is worth nothing", async () => {
  await using site = await createSite();
  const [victim, attacker] = [createBrowser(), createBrowser()];
  const stolen = new URL(await returnAddressOf(site, HANAKO, victim));
  const own = new URL(await returnAddressOf(site, TARO, attacker));

  own.searchParams.set("code", stolen.searchParams.get("code") ?? "");
  const page = await attacker.get(own.href);

  assert.equal(page.status, 400);
  assert.equal(site.store.sessions().length, 0);
});

test("each sign-in gives a new session id and ends the session before it", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  site.cabinet.nextSignIn(HANAKO);
  await browser.get(`${site.url}/sign-in`);
  const before = browser.cookies(site.url).get("torikomi_session");

  site.cabinet.nextSignIn(TARO);
  const page = await browser.get(`${site.url}/sign-in`);

  assert.match(page.text, /taro other member/);
  assert.notEqual(browser.cookies(site.url).get("torikomi_session"), before);
  assert.equal(site.store.sessions().length, 1);
});

test("an id that was planted in the browser before the sign-in is worth nothing after it", async () => {
  await using site = await createSite();
  const planted = "A".repeat(43);
  const browser = createBrowser();
  await browser.get(`${site.url}/plant/${planted}`);
  site.cabinet.nextSignIn(HANAKO);
  await browser.get(`${site.url}/links`);

  const response = await fetch(`${site.url}/links`, {
    headers: { cookie: `torikomi_session=${planted}` },
    redirect: "manual",
  });

  assert.equal(response.status, 303);
});

test("a session lasts eight hours", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  site.cabinet.nextSignIn(HANAKO);
  await browser.get(`${site.url}/links`);

  site.clock.now = new Date(site.clock.now.getTime() + EIGHT_HOURS_MS - 1);
  assert.equal((await browser.peek(`${site.url}/links`)).status, 200);
  site.clock.now = new Date(site.clock.now.getTime() + 1);
  assert.equal((await browser.peek(`${site.url}/links`)).status, 303);
});

const NOBODY: readonly Person[] = [
  { sub: "no-tenant", name: "A", role: "owner" },
  { sub: "empty-tenant", name: "B", tenant: "", role: "owner" },
  { sub: "no-role", name: "C", tenant: "acme" },
  { sub: "guest", name: "D", tenant: "acme", role: "guest" },
];

for (const person of NOBODY) {
  test(`somebody whose ID token is that of ${person.sub} gets a page that says no, and no session`, async () => {
    await using site = await createSite();
    site.cabinet.addPerson(person);
    site.cabinet.nextSignIn(person);

    const page = await createBrowser().get(`${site.url}/links`);

    assert.equal(page.status, 403);
    assert.match(page.text, /利用する権限がありません/);
    assert.equal(site.store.sessions().length, 0);
  });
}

test("who cancels at the cabinet is told so, and may try again", async () => {
  await using site = await createSite();
  const browser = createBrowser();

  const page = await browser.submit(await browser.get(`${site.url}/links`), "キャンセル");

  assert.equal(page.status, 403);
  assert.match(page.text, /中止されました/);
  const again = await browser.submit(await browser.get(`${site.url}/links`), HANAKO.name);
  assert.match(again.text, /hanako/);
});

test("while the cabinet is away the page says so, and works as soon as it is back", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  await site.cabinet.close();

  const page = await browser.get(`${site.url}/links`);
  assert.equal(page.status, 503);
  assert.match(page.text, /時間を置いて/);

  await using again = await startTestCabinet(site.url, { port: Number(new URL(site.cabinet.issuer).port) });
  again.nextSignIn(HANAKO);
  assert.match((await browser.get(`${site.url}/links`)).text, /hanako/);
});

test("a form of the page in the session passes, and nothing else does", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  site.cabinet.nextSignIn(HANAKO);
  const page = await browser.get(`${site.url}/links`);
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
  const act = (fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Page> =>
    browser.post(`${site.url}/act`, fields, headers);

  assert.equal((await browser.submit(page, "する")).text, "done");
  assert.equal((await act({ csrf })).text, "done");
  assert.equal((await act({})).status, 403);
  assert.equal((await act({ csrf: "" })).status, 403);
  assert.equal((await act({ csrf: csrf.replace(/.$/, "~") })).status, 403);
  assert.equal((await act({ csrf }, { "sec-fetch-site": "cross-site" })).status, 403);
  assert.equal((await act({ csrf }, { "sec-fetch-site": "same-site" })).status, 403);
});

test("from browsers that tell only the origin, a form passes from ours alone", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  site.cabinet.nextSignIn(HANAKO);
  const page = await browser.get(`${site.url}/links`);
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
  const cookie = [...browser.cookies(site.url)].map(([name, value]) => `${name}=${value}`).join("; ");
  const statusFrom = async (origin: string): Promise<number> => {
    const body = new URLSearchParams({ csrf });
    return (await fetch(`${site.url}/act`, { method: "POST", body, headers: { cookie, origin } })).status;
  };

  assert.equal(await statusFrom(site.url), 200);
  assert.equal(await statusFrom("https://evil.example"), 403);
  assert.equal(await statusFrom("null"), 403);
});

test("another session's token does not pass", async () => {
  await using site = await createSite();
  const [hanako, taro] = [createBrowser(), createBrowser()];
  site.cabinet.nextSignIn(HANAKO);
  const page = await hanako.get(`${site.url}/links`);
  site.cabinet.nextSignIn(TARO);
  await taro.get(`${site.url}/links`);

  const answer = await taro.submit(page, "する");

  assert.equal(answer.status, 403);
});

test("signing out ends the session here and at the cabinet", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  const page = await browser.submit(await browser.get(`${site.url}/links`), HANAKO.name);
  const id = browser.cookies(site.url).get("torikomi_session");

  const question = await browser.submit(page, "ログアウト");
  const end = await browser.submit(question, "ログアウト");

  assert.ok(question.url.startsWith(site.cabinet.issuer));
  assert.equal(end.url, `${site.url}/signed-out`);
  assert.equal(site.store.sessions().length, 0);
  assert.equal(browser.cookies(site.url).has("torikomi_session"), false);
  const replayed = await fetch(`${site.url}/links`, {
    headers: { cookie: `torikomi_session=${id}` },
    redirect: "manual",
  });
  assert.equal(replayed.status, 303);
  assert.ok((await browser.get(`${site.url}/links`)).url.startsWith(`${site.cabinet.issuer}/sign-in/`));
});

test("signing out works while the cabinet is away", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  site.cabinet.nextSignIn(HANAKO);
  const page = await browser.get(`${site.url}/links`);
  await site.cabinet.close();
  site.restart();

  const end = await browser.submit(page, "ログアウト");

  assert.equal(end.status, 200);
  assert.match(end.text, /ログアウトしました/);
  assert.equal(site.store.sessions().length, 0);
});

test("a sign-out that the page did not ask for leaves the session", async () => {
  await using site = await createSite();
  const browser = createBrowser();
  site.cabinet.nextSignIn(HANAKO);
  await browser.get(`${site.url}/links`);

  const answer = await browser.post(`${site.url}/sign-out`, { csrf: "guess" });

  assert.equal(answer.status, 403);
  assert.equal(site.store.sessions().length, 1);
});

test("nobody begins sign-ins without end: beyond 300 a minute an address is told to wait", async () => {
  await using site = await createSite();
  const ask = async () => await fetch(`${site.url}/sign-in`, { redirect: "manual" });
  for (let begun = 0; begun < 300; begun += 1) assert.equal((await ask()).status, 303);

  const answer = await ask();

  assert.equal(answer.status, 429);
  assert.match(answer.headers.get("retry-after") ?? "", /^\d+$/);
});

test("who posts a form without a session is sent to sign in, and from there to the page", async () => {
  await using site = await createSite();
  site.cabinet.nextSignIn(HANAKO);

  const page = await createBrowser().post(`${site.url}/act`, { csrf: "old" });

  assert.equal(page.url, `${site.url}/links`);
});

type Store = SessionStore & SignInStore & { sessions(): PageSession[] };

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

type Site = AsyncDisposable & {
  readonly url: string;
  readonly cabinet: Cabinet;
  readonly store: Store;
  readonly clock: { now: Date };
  /** As after a new start of the process: what was only in memory is gone. */
  restart(): void;
};

type SiteOptions = {
  readonly publicUrl?: string;
  readonly cabinet?: Pick<CabinetOptions, "clientAuth" | "untold" | "keyAlgorithm">;
};

async function createSite({ publicUrl, cabinet: options = {} }: SiteOptions = {}): Promise<Site> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const url = `http://127.0.0.1:${address.port}`;
  const cabinet = await startTestCabinet(url, options);
  const [store, clock] = [createMemoryStore(), { now: new Date("2026-01-15T00:00:00Z") }];
  const deps: SignInDeps = {
    sessions: store,
    signIns: store,
    publicUrl: publicUrl ?? url,
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

function createApp(deps: SignInDeps): express.Express {
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

async function startTestCabinet(siteUrl: string, options: Partial<CabinetOptions>): Promise<Cabinet> {
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

/** Goes through the sign-in up to the address that the cabinet sends the browser to, which is not asked for yet. */
async function returnAddressOf(site: Site, person: Person, browser: Browser): Promise<string> {
  site.cabinet.nextSignIn(person);
  let url = `${site.url}/sign-in`;
  while (!url.startsWith(`${site.url}/sign-in/callback`)) {
    const { status, headers, text } = await browser.peek(url);
    assert.equal(status, 303, text);
    url = new URL(headers.get("location") ?? "", url).href;
  }
  return url;
}
