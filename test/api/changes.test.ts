import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { test } from "node:test";
import { sql } from "kysely";
import { type ChangeNews, createChangeNews } from "../../src/store/contracts/change-news.ts";
import { allowConnections } from "../support/postgres.ts";
import { createWorld, type World } from "../support/world.ts";
import { serveApi } from "./served.ts";
import { storeTestContract, storeTestLink } from "./stored.ts";

type Item = { sequence: number; type: string; contract: { id: string } };

test("a reader that follows `next` sees each change once, in sequence order", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const stored: string[] = [];
  for (let count = 0; count < 5; count += 1) stored.push((await storeTestContract(world, { linkId })).id);
  const api = await world.api();

  const seen: Item[] = [];
  let answer = (await api.get("/v1/changes?limit=2")).body;
  while (answer.items.length > 0) {
    seen.push(...answer.items);
    answer = (await api.get(`/v1/changes?limit=2&after=${answer.next}`)).body;
  }

  assert.deepEqual(
    seen.map((one) => one.contract.id),
    stored,
  );
  assert.ok(seen.every((one, index) => index === 0 || one.sequence > (seen[index - 1]?.sequence ?? 0)));
  assert.equal(answer.next, seen.at(-1)?.sequence);
});

test("`next` is present even if there are no changes yet", async () => {
  await using world = await createWorld();
  const api = await world.api();

  assert.deepEqual((await api.get("/v1/changes")).body, { items: [], next: 0 });
  assert.deepEqual((await api.get("/v1/changes?after=17")).body, { items: [], next: 17 });
});

test("a change describes the contract with the same fields as the contract list", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  await storeTestContract(world, { linkId, pages: null });
  const api = await world.api();

  const { items } = (await api.get("/v1/changes")).body;

  assert.deepEqual(items[0].contract, (await api.get("/v1/contracts")).body.items[0]);
});

for (const query of [
  "after=-1",
  "after=x",
  "after=9007199254740993",
  "after=1.5",
  "wait=31",
  "wait=-1",
  "wait=",
  "since=1",
]) {
  test(`the query ${query} is rejected`, async () => {
    await using world = await createWorld();

    const { status } = await (await world.api()).get(`/v1/changes?${query}`);

    assert.equal(status, 400);
  });
}

test("a waiting reader is answered as soon as their tenant gets a contract, not another tenant's", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const otherLink = await storeTestLink(world, { tenant: "tenant-2" });
  await using served = await serveWatched(world);
  const { reader, waiting } = served;

  const answer = reader("tenant-1", "wait=30");
  await waiting(1);
  await storeTestContract(world, { linkId: otherLink, tenant: "tenant-2" });
  const stored = await storeTestContract(world, { linkId });

  const { items } = await answer;
  assert.deepEqual(
    items.map((one) => one.contract.id),
    [stored.id],
  );
});

test("a notification about changes that the reader has already seen does not end the wait", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  await using served = await serveWatched(world);
  const { reader, waiting } = served;
  const { next } = await reader("tenant-1", "");

  const answer = reader("tenant-1", `wait=30&after=${next}`);
  await waiting(1);
  await sql`select pg_notify('torikomi_changes', 'tenant-1')`.execute(world.service.foundation.serving.db);
  await waiting(2);
  await storeTestContract(world, { linkId });

  assert.equal((await answer).items.length, 1);
});

test("a thousand waiting readers in one process hold no database connections", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  await using served = await serveWatched(world);
  const { reader, waiting } = served;

  const answers = Array.from({ length: 1_000 }, async () => await reader("tenant-1", "wait=30"));
  await waiting(1_000);
  while ((await countBusyConnections(world)) > 0);
  const stored = await storeTestContract(world, { linkId });

  const seen = (await Promise.all(answers)).map(({ items }) => items.map((one) => one.contract.id));
  assert.ok(seen.every((ids) => ids.length === 1 && ids[0] === stored.id));
});

test("the wait of a reader who disconnects ends", async () => {
  await using world = await createWorld();
  await using served = await serveWatched(world);
  const token = await world.cabinet.token({ tenant: "tenant-1", scope: "contracts:read" });

  const asked = request(`${served.url}/v1/changes?wait=30`, {
    headers: { authorization: `Bearer ${token}` },
  });
  asked.once("error", () => {});
  asked.end();
  await served.waiting(1);
  asked.destroy();

  await served.ended(1);
});

test("when the wait times out, the response is empty and contains the cursor to continue from", async () => {
  await using world = await createWorld();
  await using served = await serveWatched(world);

  assert.deepEqual(await served.reader("tenant-1", "wait=1&after=5"), { items: [], next: 5 });
});

test("at shutdown all waiting readers are answered at once", async () => {
  await using world = await createWorld();
  await using served = await serveWatched(world);

  const answer = served.reader("tenant-1", "wait=30");
  await served.waiting(1);
  await served.news.close();

  assert.deepEqual(await answer, { items: [], next: 0 });
  assert.deepEqual(await served.reader("tenant-1", "wait=30"), { items: [], next: 0 });
});

test("a notification lost with its connection delays the answer only until the connection is back", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  await using served = await serveWatched(world);
  const { reader, failed } = served;
  // A later (re)start of listening makes all readers query again, which would need a connection below.
  while (!(await isListening(world)));
  const heard = reader("tenant-1", "wait=30");
  await served.waiting(1);
  await storeTestContract(world, { linkId });
  const { next } = await heard;
  const before = served.endings.length;
  const questions = createCounter();
  world.service.foundation.serving.pool.on("release", questions.add);

  const answer = reader("tenant-1", `after=${next}&wait=30`);
  // A read of published entries runs one query. After it, the reader waits without a connection.
  await questions.reach(1);
  await allowConnections(world.database, false);
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'torikomi change news' and datname = current_database()`.execute(
    world.service.foundation.serving.db,
  );
  // The second failure is a failed reconnect: nobody is listening now.
  await failed(2);
  await storeTestContract(world, { linkId });
  await allowConnections(world.database, true);

  assert.equal((await answer).items.length, 1);
  assert.ok(served.endings.slice(before).includes("news"), served.endings.join());
});

async function isListening({ service }: World): Promise<boolean> {
  const { rows } = await sql`
    select from pg_stat_activity
    where application_name = 'torikomi change news' and datname = current_database()
      and state = 'idle' and query like 'listen%'`.execute(service.foundation.serving.db);
  return rows.length > 0;
}

test("an answer to a reader who has disconnected is not an error", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  await using served = await serveWatched(world);
  const token = await world.cabinet.token({ tenant: "tenant-1", scope: "contracts:read" });

  const asked = request(`${served.url}/v1/changes?wait=30`, {
    headers: { authorization: `Bearer ${token}` },
  });
  // The response may arrive before storing the contract returns.
  const answered = once(asked, "response");
  asked.end();
  await served.waiting(1);
  await storeTestContract(world, { linkId });
  const [response] = await answered;
  response.destroy();

  assert.deepEqual(world.logged, []);
});

async function countBusyConnections(world: World): Promise<number> {
  const { rows } = await sql<{ busy: number }>`
    select count(*)::int as busy from pg_stat_activity
    where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()`.execute(
    world.service.foundation.serving.db,
  );
  return rows[0]?.busy ?? 0;
}

type Watched = AsyncDisposable & {
  readonly url: string;
  readonly news: ChangeNews;
  readonly reader: (tenant: string, query: string) => Promise<{ items: Item[]; next: number }>;
  /** Resolves when this number of waits has begun or ended. */
  readonly waiting: (count: number) => Promise<void>;
  readonly ended: (count: number) => Promise<void>;
  /** The outcomes of the waits, in the order in which they ended. */
  readonly endings: readonly string[];
  /** Resolves when the notification connection has failed this number of times. */
  readonly failed: (count: number) => Promise<void>;
};

/** Serves the API with notifications that let the test count waiting readers. */
async function serveWatched(world: World): Promise<Watched> {
  const failures = createCounter();
  const news = createChangeNews(world.config.databaseUrl ?? "", {
    onLost: failures.add,
    reconnectMs: 50,
  });
  const begun = createCounter();
  const over = createCounter();
  const endings: string[] = [];
  const changeNews: ChangeNews = {
    ...news,
    async waitFor(tenant, signal) {
      const wait = news.waitFor(tenant, signal);
      begun.add();
      const ending = await wait;
      endings.push(ending);
      over.add();
      return ending;
    },
  };
  const served = await serveApi(world, { changeNews });
  const tokens = new Map<string, Promise<string>>();
  return {
    url: served.url,
    news,
    waiting: begun.reach,
    ended: over.reach,
    endings,
    failed: failures.reach,
    async reader(tenant, query) {
      const token = tokens.get(tenant) ?? world.cabinet.token({ tenant, scope: "contracts:read" });
      tokens.set(tenant, token);
      const headers = { authorization: `Bearer ${await token}` };
      const response = await fetch(`${served.url}/v1/changes?${query}`, { headers });
      assert.equal(response.status, 200);
      return JSON.parse(await response.text());
    },
    async [Symbol.asyncDispose]() {
      await news.close();
      await served[Symbol.asyncDispose]();
    },
  };
}

function createCounter(): { add: () => void; reach: (count: number) => Promise<void> } {
  let counted = 0;
  let waiting: { count: number; resolve: () => void }[] = [];
  return {
    add() {
      counted += 1;
      for (const one of waiting) if (one.count <= counted) one.resolve();
      waiting = waiting.filter((one) => one.count > counted);
    },
    async reach(count) {
      if (counted >= count) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ count, resolve });
      await promise;
    },
  };
}
