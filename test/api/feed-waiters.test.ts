import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChangeNews } from "../../src/store/contracts/change-news.ts";
import { until } from "../support/waiting.ts";
import { createApi, createWorld, SERVICE, type World } from "../support/world.ts";
import { type Served, serveApi } from "./served.ts";
import { storeTestContract, storeTestLink } from "./stored.ts";

const WAITERS = 2;

/** News that come when the test says so. */
function createNews() {
  const waiting = new Set<() => void>();
  const changeNews: ChangeNews = {
    waitFor: async (_interest, signal) => {
      const { promise, resolve } = Promise.withResolvers<"news" | "over">();
      const wake = (): void => resolve("news");
      waiting.add(wake);
      signal.addEventListener("abort", () => resolve("over"));
      return await promise.finally(() => waiting.delete(wake));
    },
    close: async () => {},
  };
  return {
    changeNews,
    waiting: () => waiting.size,
    wake: () => [...waiting].forEach((wake) => wake()),
  };
}

async function readerOf(world: World, served: Served, wish: { tenant?: string; sub?: string } = {}) {
  const token = await world.cabinet.token({ tenant: "tenant-1", scope: "contracts:read", ...wish });
  const api = createApi(served.url, token);
  return async (query: string) => await api.get(`/v1/changes?${query}`);
}

test("beyond the limit of a tenant, a waiting request gets 429 with Retry-After; others are served", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const { changeNews, waiting, wake } = createNews();
  await using served = await serveApi(world, { changeNews, feedWaiters: WAITERS });
  const read = await readerOf(world, served, { sub: "one" });
  const colleague = await readerOf(world, served, { sub: "two" });
  const other = await readerOf(world, served, { tenant: "tenant-2" });

  const waits = [read("wait=30"), colleague("wait=30")];
  await until(() => waiting() === WAITERS, "both wait");
  const refused = await colleague("wait=30");
  const served429 = [await read(""), await read("after=latest&wait=30"), await other("wait=1")];

  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  assert.equal(refused.body.type, "urn:torikomi:problem:too-many-requests");
  assert.deepEqual(
    served429.map(({ status }) => status),
    [200, 200, 200],
  );
  await storeTestContract(world, { linkId });
  wake();
  assert.deepEqual(
    (await Promise.all(waits)).map(({ body }) => body.items.length),
    [1, 1],
  );
  assert.equal((await colleague("wait=30")).status, 200);
});

test("a waiting request that its reader gives up makes room for another", async () => {
  await using world = await createWorld();
  const { changeNews, waiting } = createNews();
  await using served = await serveApi(world, { changeNews, feedWaiters: 1 });
  const read = await readerOf(world, served);
  const token = await world.cabinet.token({ tenant: "tenant-1", scope: "contracts:read" });
  const leaving = new AbortController();

  const given = fetch(`${served.url}/v1/changes?wait=30`, {
    headers: { authorization: `Bearer ${token}` },
    signal: leaving.signal,
  });
  await until(() => waiting() === 1, "the reader waits");
  leaving.abort();
  await assert.rejects(given);
  await until(() => waiting() === 0, "the reader has left");

  assert.equal((await read("wait=1")).status, 200);
});

test("a service token counts by its subject", async () => {
  const config = { serviceTokenSubjects: [SERVICE, "other-service"] };
  await using world = await createWorld();
  await world.restart({ cabinet: { ...world.config.cabinet, ...config }, feedWaiters: 1 });
  const at = { url: world.url };
  const wish = { tenant: "*" };
  const open = async (sub: string) => {
    const api = createApi(at.url, await world.cabinet.token({ ...wish, sub, scope: "contracts:read" }));
    return async () => await api.get("/v1/changes?wait=2");
  };
  const [mirror, other] = [await open(SERVICE), await open("other-service")];

  const answers = await Promise.all([mirror(), mirror(), other()]);

  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 429]);
  assert.equal(answers[2].status, 200);
});

test("readers who wake with the same cursor share one read", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const { changeNews, waiting, wake } = createNews();
  await using served = await serveApi(world, { changeNews });
  const read = await readerOf(world, served);
  const waits = Array.from({ length: 50 }, async () => await read("wait=30"));
  await until(() => waiting() === 50, "all wait");
  await storeTestContract(world, { linkId });
  let queries = 0;
  world.service.foundation.serving.pool.on("release", () => {
    queries += 1;
  });

  wake();
  const answers = await Promise.all(waits);

  assert.ok(answers.every(({ body }) => body.items.length === 1));
  // Each read checks, publishes and lists; the first four begin before the others wait.
  assert.ok(queries <= 20, `${queries} queries`);
});
