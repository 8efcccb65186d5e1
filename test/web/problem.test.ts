import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { Writable } from "node:stream";
import { test } from "node:test";
import express, { type Express } from "express";
import { type Logger, pino } from "pino";
import { z } from "zod";
import { Refusal, type RefusalCode } from "../../src/domain/refusal.ts";
import { dateParameter, limitParameter, parseQuery } from "../../src/web/api/query.ts";
import { problemPages } from "../../src/web/page/problem-page.ts";
import { errorHandler, notFoundHandler, problemFor } from "../../src/web/problem.ts";
import { requestContext } from "../../src/web/request-context.ts";
import { PAGE_SETTINGS } from "../support/page-settings.ts";

const STATUSES: Record<RefusalCode, number> = {
  malformed: 400,
  unauthorized: 401,
  forbidden: 403,
  "not-found": 404,
  gone: 410,
  "not-admin": 422,
  "group-not-found": 422,
  "link-not-found": 404,
  "link-active": 409,
  "not-awaiting-approval": 409,
  "not-active": 409,
  "not-paused": 409,
  "deletion-failed": 502,
  unavailable: 503,
};

for (const code of Object.keys(STATUSES).filter(isRefusalCode)) {
  const status = STATUSES[code];
  test(`the refusal ${code} is answered with ${status} and its own type`, () => {
    const answer = problemFor(new Refusal(code));

    assert.equal(answer.status, status);
    assert.equal(answer.body.status, status);
    assert.equal(answer.body.type, `urn:torikomi:problem:${code}`);
    assert.match(answer.body.title, /^[A-Z][ A-Za-z]+$/);
  });
}

test("the messages of the help page are sent as detail, and refusals without a message have none", () => {
  assert.equal(problemFor(new Refusal("link-not-found")).body.detail, "連携情報が見つかりませんでした。");
  assert.equal(problemFor(new Refusal("not-found")).body.detail, undefined);
});

test("a 401 names the authentication scheme, and a 503 has Retry-After", () => {
  assert.deepEqual(problemFor(new Refusal("unauthorized")).headers, { "WWW-Authenticate": "Bearer" });
  assert.deepEqual(problemFor(new Refusal("unavailable")).headers, { "Retry-After": "5" });
});

test("an error is answered with 500, reveals nothing, and leaves one log line with the request id", async () => {
  await using site = await createSite((app) => {
    app.get("/broken", () => {
      const cause = Object.assign(new Error("connection lost"), {
        code: "57P01",
        detail: "hanako@example.com",
      });
      throw new Error("the answer is 42", { cause });
    });
  });

  const response = await fetch(`${site.url}/broken`, { headers: { "X-Request-Id": "request-0815" } });

  const text = await response.text();
  assert.equal(response.status, 500);
  assert.equal(response.headers.get("content-type"), "application/problem+json; charset=utf-8");
  assert.deepEqual(JSON.parse(text), {
    type: "urn:torikomi:problem:internal",
    title: "Internal error",
    status: 500,
    instance: "urn:torikomi:request:request-0815",
  });
  const errors = site.lines().filter((line) => line["level"] === 50);
  assert.equal(errors.length, 1);
  assert.equal(errors[0]?.["requestId"], "request-0815");
  const [exchange] = site.lines().filter((line) => line["level"] === 30);
  assert.deepEqual([exchange?.["msg"], exchange?.["status"]], ["request failed", 500]);
  const logged = JSON.stringify(errors[0]);
  assert.match(logged, /the answer is 42.*connection lost.*57P01/s);
  assert.doesNotMatch(logged, /hanako/);
});

test("a thrown value that is not an error is answered with 500 too", async () => {
  await using site = await createSite((app) => {
    app.get("/odd", (_request, _response, next) => next("oops"));
  });

  const response = await fetch(`${site.url}/odd`);

  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /oops/);
});

const BAD_BODIES: readonly [string, number, RequestInit][] = [
  ["broken JSON", 400, { body: '{"secret":', headers: { "content-type": "application/json" } }],
  ["too much JSON", 413, { body: `"${"x".repeat(2_000)}"`, headers: { "content-type": "application/json" } }],
  [
    "an unknown encoding",
    415,
    { body: "{}", headers: { "content-type": "application/json", "content-encoding": "x" } },
  ],
  [
    "an unknown character set",
    415,
    { body: "{}", headers: { "content-type": "application/json; charset=klingon" } },
  ],
];

for (const [name, status, init] of BAD_BODIES) {
  test(`a body with ${name} is answered with ${status} and not echoed`, async () => {
    await using site = await createSite((app) => {
      app.post("/", express.json({ limit: "1kb" }), (_request, response) => void response.sendStatus(204));
    });

    const response = await fetch(site.url, { method: "POST", ...init });

    const text = await response.text();
    assert.equal(response.status, status);
    assert.equal(JSON.parse(text).status, status);
    assert.doesNotMatch(text, /secret|klingon/);
    assert.deepEqual(
      site.lines().filter((line) => Number(line["level"]) >= 40),
      [],
    );
  });
}

test("an address that cannot be decoded is malformed, an unknown one is not found", async () => {
  await using site = await createSite((app) => {
    app.get("/things/:id", (_request, response) => void response.sendStatus(204));
  });

  assert.equal((await fetch(`${site.url}/things/%E0%A4%A`)).status, 400);
  const response = await fetch(`${site.url}/nowhere`);
  assert.equal(response.status, 404);
  assert.equal(
    z.object({ type: z.string() }).parse(await response.json()).type,
    "urn:torikomi:problem:not-found",
  );
});

test("at the same address a browser gets a page with the escaped message, and a program gets JSON", async () => {
  await using site = await createSite((app) => {
    app.get("/page", () => {
      throw new Refusal("forbidden", "<b>だめ</b>");
    });
  });

  const page = await fetch(`${site.url}/page`, {
    headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" },
  });
  const json = await fetch(`${site.url}/page`);

  assert.equal(page.status, 403);
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  assert.match(await page.text(), /&#60;b&#62;だめ/);
  assert.match(json.headers.get("content-type") ?? "", /^application\/problem\+json/);
});

test("the error page distinguishes a refused page from a refused action", async () => {
  await using site = await createSite((app) => {
    app.all("/page", () => {
      throw new Refusal("forbidden");
    });
  });
  const headers = { accept: "text/html" };

  const page = await fetch(`${site.url}/page`, { headers });
  const action = await fetch(`${site.url}/page`, { method: "POST", headers });

  assert.match(await page.text(), /<h1>表示できません<\/h1>/);
  assert.match(await action.text(), /<h1>操作を完了できませんでした<\/h1>/);
});

test("if the database is unavailable, people get a page and programs a problem: 503 with Retry-After", async () => {
  await using site = await createSite((app) => {
    app.get("/page", () => {
      throw Object.assign(new Error("connect ECONNREFUSED 10.0.0.7:5432"), { code: "ECONNREFUSED" });
    });
    app.use(errorHandler(pino({ level: "silent" }), problemPages(PAGE_SETTINGS)));
  });

  const page = await fetch(`${site.url}/page`, { headers: { accept: "text/html" } });
  const json = await fetch(`${site.url}/page`);

  assert.deepEqual([page.status, page.headers.get("retry-after")], [503, "5"]);
  assert.match(await page.text(), /時間を置いて、もう一度お試しください。/);
  assert.deepEqual([json.status, json.headers.get("retry-after")], [503, "5"]);
  const problem = await json.text();
  assert.match(problem, /"type":"urn:torikomi:problem:unavailable"/);
  assert.doesNotMatch(problem, /10\.0\.0\.7/);
});

test("a response that fails half-way breaks the connection instead of looking complete", async () => {
  await using site = await createSite((app) => {
    app.get("/half", (_request, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      response.write("half");
      throw new Error("broke off");
    });
  });

  await assert.rejects(async () => (await fetch(`${site.url}/half`)).text());
});

test("the log of a request contains no header, no query and no secret", async () => {
  await using site = await createSite((app) => {
    app.get(
      "/sign-in/callback",
      (_request, response) => void response.cookie("id", "SECRET-4").sendStatus(204),
    );
  });

  const answer = await fetch(`${site.url}/sign-in/callback?code=SECRET-1&state=SECRET-2`, {
    headers: {
      authorization: "Bearer SECRET-3",
      cookie: "id=SECRET-4",
      "x-docusign-signature-1": "SECRET-5",
    },
  });

  await site.close();
  const [line] = site.lines();
  assert.equal(site.lines().length, 1);
  assert.equal(line?.["msg"], "request completed");
  assert.equal(line?.["requestId"], answer.headers.get("x-request-id"));
  assert.equal(line?.["method"], "GET");
  assert.equal(line?.["path"], "/sign-in/callback");
  assert.equal(line?.["status"], 204);
  assert.equal(typeof line?.["durationMs"], "number");
  assert.doesNotMatch(JSON.stringify(line), /SECRET/);
});

test("health probes and Prometheus scrapes are not logged", async () => {
  await using site = await createSite((app) => {
    app.get("/healthz", (_request, response) => void response.sendStatus(200));
  });

  await fetch(`${site.url}/healthz`);

  await site.close();
  assert.deepEqual(site.lines(), []);
});

test("a well-formed request id is kept, any other is replaced", async () => {
  await using site = await createSite(() => undefined);
  const idFor = async (given: string): Promise<string | null> =>
    (await fetch(site.url, { headers: { "X-Request-Id": given } })).headers.get("x-request-id");

  assert.equal(await idFor("0123-abcd_EF.9"), "0123-abcd_EF.9");
  for (const odd of ["short", 'a"b{injection}', "x".repeat(101), "some words here"]) {
    assert.match((await idFor(odd)) ?? "", /^[0-9a-f-]{36}$/);
  }
});

test("a request aborted by its client is not our error", async () => {
  await using site = await createSite((app) => {
    app.post("/", express.json(), (_request, response) => void response.sendStatus(204));
  });
  const socket = connect(Number(new URL(site.url).port), "127.0.0.1");
  socket.write(
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
  );
  const [, response] = await once(site.server, "request");
  const closed = once(response, "close");

  socket.destroy();
  await closed;
  await site.close();

  assert.deepEqual(
    site.lines().map(({ level, msg }) => [level, msg]),
    [[30, "request aborted"]],
  );
});

function isRefusalCode(code: string): code is RefusalCode {
  return code in STATUSES;
}

const LIST = z.strictObject({ from: dateParameter.optional(), limit: limitParameter });

test("a valid query is parsed into its types, with the default limit", () => {
  assert.deepEqual(parseQuery(LIST, { from: "2024-02-29" }), { from: "2024-02-29", limit: 50 });
  assert.deepEqual(parseQuery(LIST, { limit: "1" }), { limit: 1 });
  assert.deepEqual(parseQuery(LIST, { limit: "200" }), { limit: 200 });
});

const BAD_QUERIES: readonly [Record<string, unknown>, RegExp][] = [
  [{ limit: "0" }, /"limit"/],
  [{ limit: "201" }, /"limit"/],
  [{ limit: "1e2" }, /"limit"/],
  [{ limit: "" }, /"limit"/],
  [{ limit: ["1", "2"] }, /"limit" must not be repeated/],
  [{ from: ["2024-01-01", "2024-01-01"] }, /"from" must not be repeated/],
  [{ from: "2023-02-29" }, /"from"/],
  [{ from: "2023-2-3" }, /"from"/],
  [{ from: "0000-01-01" }, /"from"/],
  [{ from: "2023-01-01T00:00:00Z" }, /"from"/],
  [{ form: "2023-01-01" }, /unknown query parameter "form"/],
];

for (const [query, message] of BAD_QUERIES) {
  test(`the query ${JSON.stringify(query)} is malformed, and the response names the parameter`, () => {
    assert.throws(
      () => parseQuery(LIST, query),
      (error) => error instanceof Refusal && error.code === "malformed" && message.test(error.message),
    );
  });
}

type Site = AsyncDisposable & {
  readonly url: string;
  readonly server: ReturnType<typeof createServer>;
  lines(): Record<string, unknown>[];
  close(): Promise<void>;
};

async function createSite(addRoutes: (app: Express) => void): Promise<Site> {
  const { logger, lines } = createLog();
  const app = express();
  app.use(requestContext(logger));
  addRoutes(app);
  app.use(notFoundHandler, errorHandler(logger, problemPages(PAGE_SETTINGS)));
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const close = async (): Promise<void> => {
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${address.port}`, server, lines, close, [Symbol.asyncDispose]: close };
}

function createLog(): { logger: Logger; lines(): Record<string, unknown>[] } {
  const written: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  return { logger: pino({ level: "info" }, sink), lines: () => written.map((line) => JSON.parse(line)) };
}
