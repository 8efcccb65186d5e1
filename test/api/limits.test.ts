import assert from "node:assert/strict";
import { test } from "node:test";
import { openDatabase } from "../../src/store/database.ts";
import { allowConnections } from "../support/postgres.ts";
import { createWorld, type World } from "../support/world.ts";
import { NO_NEWS, serveApi } from "./served.ts";

test("each token has a request limit per minute; headers show the remaining requests, and then when to retry", async () => {
  await using world = await createWorld();
  await using served = await serveApi(world, { changeNews: NO_NEWS, requestsPerMinute: 2 });
  const ask = await asker(world, served.url, { sub: "service-1" });
  const other = await asker(world, served.url, { sub: "service-2" });
  const elsewhere = await asker(world, served.url, { sub: "service-1", tenant: "tenant-2" });

  const [first, second, third] = [await ask("/v1/groups"), await ask("/v1/groups"), await ask("/v1/groups")];

  assert.deepEqual([first.status, second.status, third.status], [200, 200, 429]);
  assert.match(first.headers.get("ratelimit") ?? "", /^"per-token"; r=1; t=\d+$/);
  assert.match(first.headers.get("ratelimit-policy") ?? "", /^"per-token"; q=2; w=60/);
  const retryAfter = Number(third.headers.get("retry-after"));
  assert.ok(retryAfter > 0 && retryAfter <= 60);
  assert.match(third.headers.get("content-type") ?? "", /^application\/problem\+json/);
  assert.equal(JSON.parse(await third.text()).type, "urn:torikomi:problem:too-many-requests");
  assert.equal((await other("/v1/groups")).status, 200);
  assert.equal((await elsewhere("/v1/groups")).status, 200);
});

test("a request that takes too long is answered with a hint to retry", async () => {
  await using world = await createWorld();
  const budgets = {
    ...world.service.foundation.tasks.budgets,
    pace: async () => await new Promise<never>(() => {}),
  };
  await using served = await serveApi(world, { changeNews: NO_NEWS, budgets, answerWithinMs: 50 });
  await linkAccount(world);
  const ask = await asker(world, served.url, {});

  const response = await ask("/v1/envelopes/00000000-0000-4000-8000-000000000000");

  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "5");
  assert.equal(JSON.parse(await response.text()).type, "urn:torikomi:problem:unavailable");
});

test("while the database is down, the API answers 503 with a hint to retry", async () => {
  await using world = await createWorld();
  const away = openDatabase("postgres://nobody@127.0.0.1:9/nothing");
  await using served = await serveApi(world, { changeNews: NO_NEWS, db: away.db });
  const ask = await asker(world, served.url, {});

  const response = await ask("/v1/contracts");

  assert.equal(response.status, 503);
  assert.ok(Number(response.headers.get("retry-after")) > 0);
  await away.close();
});

test("while the database refuses connections, the API answers 503", async () => {
  await using world = await createWorld();
  const { db, close } = openDatabase(world.database.connectionString);
  await using served = await serveApi(world, { changeNews: NO_NEWS, db });
  const ask = await asker(world, served.url, {});
  await allowConnections(world.database, false);

  const response = await ask("/v1/contracts");

  assert.equal(response.status, 503);
  await close();
});

test("a body that is too large, compressed or not JSON is rejected with a specific error", async () => {
  await using world = await createWorld();
  const put = await putter(world);

  const statuses = {
    large: (await put(JSON.stringify({ name: "x".repeat(17_000) }))).status,
    compressed: (await put("{}", { "content-encoding": "gzip" })).status,
    broken: (await put('{"name":')).status,
    text: (await put("name")).status,
    list: (await put("[]")).status,
    empty: (await put("")).status,
    deep: (await put(`${"[".repeat(8_000)}${"]".repeat(8_000)}`)).status,
  };

  assert.deepEqual(statuses, {
    large: 413,
    compressed: 415,
    broken: 400,
    text: 400,
    list: 400,
    empty: 400,
    deep: 400,
  });
});

test("a name that is not UTF-8 is rejected instead of stored as a different one", async () => {
  await using world = await createWorld();
  const put = await putter(world);
  const shiftJis = Buffer.from([...Buffer.from('{"name":"'), 0x8c, 0x5f, 0x96, 0xf1, ...Buffer.from('"}')]);

  const refused = await put(shiftJis);
  const taken = await put(JSON.stringify({ name: "契約" }));

  assert.equal(refused.status, 400);
  assert.equal(JSON.parse(await refused.text()).detail, "body: must be UTF-8");
  assert.equal(taken.status, 200);
});

test("a body with wrong or unknown fields is rejected with their names but not their values", async () => {
  await using world = await createWorld();
  const put = await putter(world);

  for (const body of [
    {},
    { name: "" },
    { name: 1 },
    { name: "a\u0000secret" },
    { name: "\ud800" },
    { name: "x".repeat(201) },
  ]) {
    const response = await put(JSON.stringify(body));
    const { detail } = JSON.parse(await response.text());

    assert.equal(response.status, 400, JSON.stringify(body));
    assert.match(detail, /body\.name/);
    assert.doesNotMatch(detail, /secret/);
  }
  const response = await put(JSON.stringify({ name: "契約書", colour: "red" }));
  assert.equal(response.status, 400);
});

test("a method that an address does not support is rejected with the supported methods", async () => {
  await using world = await createWorld();
  const api = await world.api();

  const { status, headers, body } = await api.send("POST", "/v1/contracts", {});

  assert.equal(status, 405);
  assert.equal(headers.get("allow"), "HEAD, GET");
  assert.equal(body.type, "urn:torikomi:problem:method-not-allowed");
});

test("an unknown or malformed address is not found", async () => {
  await using world = await createWorld();
  const api = await world.api();

  assert.equal((await api.get("/v1/nothing")).status, 404);
  assert.equal((await api.get("/v1/")).status, 404);
  assert.equal((await api.get("/v1/contracts/%E0%A4%A")).status, 400);
});

test("no other origin is allowed, and the usual security headers are set", async () => {
  await using world = await createWorld();
  const ask = await asker(world, world.url, {});

  const response = await ask("/v1/contracts", { origin: "https://elsewhere.example" });
  const asked = await ask("/v1/contracts", { origin: "https://elsewhere.example" }, "OPTIONS");

  for (const { headers } of [response, asked]) {
    assert.equal(
      [...headers.keys()].some((name) => name.startsWith("access-control-")),
      false,
    );
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'/);
    assert.equal(headers.get("x-powered-by"), null);
  }
});

type Ask = (path: string, headers?: Record<string, string>, method?: string) => Promise<Response>;

async function asker(world: World, url: string, who: { sub?: string; tenant?: string }): Promise<Ask> {
  const scope = "contracts:read links:read groups:write";
  const token = await world.cabinet.token({ tenant: "tenant-1", scope, ...who });
  return async (path, headers = {}, method = "GET") =>
    await fetch(`${url}${path}`, { method, headers: { authorization: `Bearer ${token}`, ...headers } });
}

type Put = (body: string | Buffer<ArrayBuffer>, headers?: Record<string, string>) => Promise<Response>;

async function putter(world: World): Promise<Put> {
  const token = await world.cabinet.token({ tenant: "tenant-1", scope: "groups:write" });
  return async (body, headers = {}) =>
    await fetch(`${world.url}/v1/groups/sales`, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
      body,
    });
}

async function linkAccount(world: World): Promise<void> {
  const account = world.docusign.addAccount();
  assert.equal(
    await world.link(world.docusign.addUser(account, { name: "山田", role: "DS Admin" })),
    "linked",
  );
}
