import assert from "node:assert/strict";
import { test } from "node:test";
import { createBrowser } from "../support/browser.ts";
import { createWorld, type World } from "../support/world.ts";
import { sendBytes, toBytes } from "./wire.ts";

const ADDRESSES = [
  "GET /",
  "GET /nowhere",
  "GET /sign-in",
  "GET /sign-in/callback",
  "POST /sign-out",
  "GET /links",
  "GET /links/progress",
  "GET /links/delete",
  "POST /links",
  "POST /links/edit",
  "POST /links/approve",
  "POST /links/delete",
  "GET /links/docusign/callback",
  "GET /links/assets/page.css",
  "GET /openapi.json",
  "GET /v1/contracts",
  "GET /v1/envelopes/3f2504e0-4f89-41d3-9a0c-0305e82c3301",
  "POST /connect/3f2504e0-4f89-41d3-9a0c-0305e82c3301",
];

const NAMES = ["state", "code", "iss", "error", "return_to", "result", "envelope", "edit", "csrf", "limit"];

/** Appended to an address: as a query, as a longer path, or as both. */
const TAILS = [
  ...NAMES.map((name) => `?${name}=a&${name}=b`),
  ...NAMES.map((name) => `?${name}[]=a&${name}[0]=b&${name}[x][y]=c`),
  ...NAMES.map((name) => `?${name}=%00`),
  ...NAMES.map((name) => `?${name}=%ff%E0%A4%A&%=%`),
  `?${"a=b&".repeat(2_000)}`,
  "?__proto__=x&constructor=y&toString=z",
  "?",
  "/",
  "/%00",
  "/%ff",
  "/%E0%A4%A",
  "/..%2f..%2fx",
  "//x?a",
];

/** Targets that are not a path, and paths that a URL parser may reject. */
const TARGETS = [
  "*",
  "//",
  "//[",
  "http://[/sign-in/callback?state=x",
  "http://x:99999/sign-in/callback?state=x",
  "http:///sign-in?return_to=/",
  "/sign-in/callback?state=x#y",
  "/%",
  "/sign-in/callback\\?code=1",
];

test("malformed requests of strangers cause neither a 5xx answer nor a log line, at any public address", async () => {
  await using world = await createWorld();
  const requests = [
    ...ADDRESSES.flatMap((address) => TAILS.map((tail) => `${address}${tail}`)),
    ...TARGETS.flatMap((target) => [`GET ${target}`, `POST ${target}`]),
  ];

  const faults: string[] = [];
  for (const accept of ["text/html", "application/json"])
    for (const request of requests) {
      const status = await statusOf(world, request, accept);
      if (status === null || status >= 500) faults.push(`${status} ${request.slice(0, 200)}`);
    }

  assert.deepEqual(faults, []);
  assert.deepEqual(world.logged, []);
});

async function statusOf(world: World, request: string, accept: string): Promise<number | null> {
  const [method = "", target = ""] = request.split(/ (.*)/);
  const headers: [string, string][] = [
    ["Accept", accept],
    ["Content-Type", "application/x-www-form-urlencoded"],
  ];
  const body = Buffer.from(method === "POST" ? "csrf=a&csrf=b&%00=%ff&x[]=1" : "");
  const bytes = toBytes({ method, target, headers, body });
  return (await sendBytes(Number(new URL(world.url).port), bytes)).status;
}

/** Answers to a sign-in that the browser has begun, except its `state`, with the status that each gets. */
const ANSWERS: readonly (readonly [answer: string, status: number])[] = [
  ["", 400],
  ["code=", 400],
  ["code=unknown&iss=ISSUER", 400],
  ["code=unknown", 400],
  ["code=a&code=b&iss=ISSUER", 400],
  ["code=a&iss=ISSUER&iss=ISSUER", 400],
  ["code=a&iss=ISSUER&state=other", 400],
  ["code=a&iss=https://evil.example", 400],
  ["code=a&iss=ISSUER&response=a.b.c", 400],
  ["code=a&iss=ISSUER&id_token=a.b.c", 400],
  ["code=a&iss=ISSUER&token=a", 400],
  ["code=%00&iss=ISSUER", 400],
  ["code=%E5%A5%91%ff&iss=ISSUER", 400],
  [`code=${"a".repeat(8_000)}&iss=ISSUER`, 400],
  ["error=server_error&iss=ISSUER", 400],
  ["error=temporarily_unavailable", 400],
  ["error=access_denied&iss=ISSUER", 403],
  ["error=access_denied&error=server_error&iss=ISSUER", 400],
];

test("forged answers to a sign-in are the browser's fault, and are not logged", async () => {
  await using world = await createWorld();
  const got: [string, number][] = [];

  for (const [answer] of ANSWERS) {
    const browser = createBrowser();
    const begun = await browser.peek(`${world.url}/sign-in`);
    const state = new URL(begun.headers.get("location") ?? "").searchParams.get("state");
    const query = answer.replaceAll("ISSUER", encodeURIComponent(world.cabinet.issuer));
    got.push([answer, (await browser.peek(`${world.url}/sign-in/callback?state=${state}&${query}`)).status]);
  }

  assert.deepEqual(got, ANSWERS);
  assert.deepEqual(world.logged, []);
});
