import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { createChangeNews } from "../../src/store/contracts/change-news.ts";
import { addRestoredEntries } from "../../src/store/contracts/feed-notes.ts";
import { tidy } from "../../src/usecases/keeping/housekeeping.ts";
import { putGroup } from "../support/link-changes.ts";
import { createCompanies, createLinkedCompanies, endLink } from "../support/linked-world.ts";
import { until } from "../support/waiting.ts";
import { createApi, createWorld, type World } from "../support/world.ts";
import { serveApi } from "./served.ts";
import { storeTestContract, storeTestLink } from "./stored.ts";

const SINCE = new Date("2031-01-14T00:00:00Z");

async function listChanges(world: World, query: string, tenant?: string): Promise<any> {
  const { status, body } = await (await world.api(tenant)).get(`/v1/changes?${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** The states of links in the feed, with what else an entry says. */
async function listLinkStates(world: World): Promise<string[]> {
  const { items } = await listChanges(world, "types=link");
  return items.map(({ link }: any) =>
    [link.state, link.cause?.code, link.groupId].filter((part) => part !== undefined).join(" "),
  );
}

for (const types of ["", "imported,", "import", "link, deleted", "IMPORTED"]) {
  test(`the types ${JSON.stringify(types)} are rejected`, async () => {
    await using world = await createWorld();

    const { status } = await (await world.api()).get(`/v1/changes?types=${encodeURIComponent(types)}`);

    assert.equal(status, 400);
  });
}

test("a reader gets the types that it asks for, and imports and deletions by default", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const { id } = await storeTestContract(world, { linkId });
  await addRestoredEntries(world.service.foundation.serving.db, SINCE);
  await (await world.api()).send("DELETE", `/v1/contracts/${id}`);
  const typesOf = async (query: string): Promise<string[]> =>
    (await listChanges(world, query)).items.map(({ type }: any) => type);

  assert.deepEqual(await typesOf(""), ["imported", "deleted"]);
  assert.deepEqual(await typesOf("types=deleted"), ["deleted"]);
  assert.deepEqual(await typesOf("types=imported"), ["imported"]);
  assert.deepEqual(await typesOf("types=link"), ["link"]);
  assert.deepEqual(await typesOf("types=restored,imported"), ["imported", "restored"]);
  assert.deepEqual(await typesOf("types=link,restored,imported,deleted"), [
    "link",
    "imported",
    "restored",
    "deleted",
  ]);
});

test("an entry of a restored database says since when contracts may be unknown", async () => {
  await using world = await createWorld();
  await storeTestLink(world);
  await addRestoredEntries(world.service.foundation.serving.db, SINCE);

  const { items } = await listChanges(world, "types=restored");

  assert.deepEqual(
    items.map(({ type, since }: any) => ({ type, since })),
    [{ type: "restored", since: SINCE.toISOString() }],
  );
});

test("`next` moves past entries of other types, on a full page only past those before its last item", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const [one, two] = [await storeTestContract(world, { linkId }), await storeTestContract(world, { linkId })];
  await (await world.api()).send("DELETE", `/v1/contracts/${one.id}`);
  const all = await listChanges(world, "types=imported,deleted,link");

  const page = await listChanges(world, "types=imported&limit=1");
  const rest = await listChanges(world, `types=imported&after=${page.next}`);
  const links = await listChanges(world, "types=link");

  assert.deepEqual(
    all.items.map(({ type }: any) => type),
    ["link", "imported", "imported", "deleted"],
  );
  assert.equal(page.next, all.items[1].sequence);
  assert.equal(rest.items[0].contract.id, two.id);
  assert.deepEqual([rest.next, links.next], [all.next, all.next]);
  assert.equal(all.next, all.items[3].sequence);
});

test("`after=latest` returns no items and the current end, at once even with `wait`", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  await storeTestContract(world, { linkId });
  await storeTestLink(world, { tenant: "tenant-2" });

  const latest = await listChanges(world, "after=latest&wait=30");
  const { id } = await storeTestContract(world, { linkId });
  const after = await listChanges(world, `after=${latest.next}`);

  assert.deepEqual(latest.items, []);
  assert.deepEqual(
    after.items.map(({ contract }: any) => contract.id),
    [id],
  );
  assert.deepEqual(await listChanges(world, "after=latest", "tenant-3"), { items: [], next: 0 });
});

test("a cursor of the first edition continues where it stopped", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.serving;
  const linkId = await storeTestLink(world);
  const [one, two] = [await storeTestContract(world, { linkId }), await storeTestContract(world, { linkId })];
  await sql`update change set sequence = 7 where contract_id = ${one.id}`.execute(db);

  assert.equal((await listChanges(world, "limit=1")).next, 7);
  const { items } = await listChanges(world, "after=7");

  assert.deepEqual(
    items.map(({ contract }: any) => contract.id),
    [two.id],
  );
});

test("a link's life is in the feed, each change once, in one order with its contracts", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin, colleague } = companies;
  await world.docusign.concludeEnvelope({
    from: colleague,
    to: [{ name: "客", email: "kyaku@example.com" }],
  });
  const api = await world.api();
  assert.equal(await world.link(admin), "awaiting-approval");
  await api.send("POST", "/v1/link/approve");
  await world.runJobs();
  await putGroup(world, "group-2");
  await api.send("PATCH", "/v1/link", { groupId: "group-2" });
  await api.send("PATCH", "/v1/link", { groupId: "group-2" });
  await api.send("DELETE", "/v1/groups/group-2");
  await putGroup(world, "group-2");
  await world.runHour();
  assert.equal((await endLink(world)).status, 204);

  const { items } = await listChanges(world, "types=link,imported");

  assert.deepEqual(await listLinkStates(world), [
    "awaiting-approval group-1",
    "active group-1",
    "active group-2",
    "error group-missing group-2",
    "active group-2",
    "ended group-2",
  ]);
  assert.deepEqual(
    items.map(({ type }: any) => type),
    ["link", "link", "imported", "link", "link", "link", "link"],
  );
  const [first, ...others] = items.filter(({ type }: any) => type === "link");
  const history = (await api.get("/v1/links")).body.items[0];
  assert.ok(others.every(({ link }: any) => link.id === first.link.id && link.tenant === "tenant-1"));
  assert.deepEqual([first.link.id, first.link.endedAt], [history.id, null]);
  assert.equal(others.at(-1).link.endedAt, history.endedAt);
});

test("the message of an error in the feed is that of the link", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await (await world.api()).send("DELETE", "/v1/groups/group-1");

  const { items } = await listChanges(world, "types=link");

  const { state, cause } = (await (await world.api()).get("/v1/link")).body;
  assert.deepEqual(items.at(-1).link.state, state);
  assert.deepEqual(items.at(-1).link.cause, cause);
});

test("a waiting reader is answered by an entry of its types only", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.serving;
  const linkId = await storeTestLink(world);
  await using news = await openNews(world);
  await using served = await serveApi(world, { changeNews: news.changeNews });
  const api = createApi(
    served.url,
    await world.cabinet.token({ tenant: "tenant-1", scope: "contracts:read" }),
  );
  const { next } = (await api.get("/v1/changes?types=imported,link")).body;

  const links = api.get(`/v1/changes?types=link&wait=30&after=${next}`);
  await until(async () => news.waiting() >= 1, "the reader of links waits");
  await storeTestContract(world, { linkId });
  const contracts = api.get(`/v1/changes?types=deleted&wait=2&after=${next}`);
  await until(async () => news.waiting() >= 2, "the reader of deletions waits");
  await db.updateTable("link").set({ state: "error", cause: "not-admin" }).execute();

  assert.deepEqual(
    (await links).body.items.map(({ link }: any) => link.cause.code),
    ["not-admin"],
  );
  const { body } = await contracts;
  assert.deepEqual(body.items, []);
  assert.equal(body.next, (await links).body.next);
});

async function openNews(world: World) {
  const changeNews = createChangeNews(world.config.databaseUrl ?? "");
  let waiting = 0;
  return {
    waiting: () => waiting,
    changeNews: {
      ...changeNews,
      waitFor: async (...args: Parameters<typeof changeNews.waitFor>) => {
        waiting += 1;
        return await changeNews.waitFor(...args);
      },
    },
    [Symbol.asyncDispose]: async () => await changeNews.close(),
  };
}

const DAY_MS = 24 * 60 * 60 * 1_000;

test("30 days after a contract's deletion its names leave the feed; ids, dates, sizes and hashes stay", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const [gone] = [await storeTestContract(world, { linkId }), await storeTestContract(world, { linkId })];
  await (await world.api()).send("DELETE", `/v1/contracts/${gone.id}`);
  const before = (await listChanges(world, "")).items;
  assert.ok(
    before.every(({ contract: { source } }: any) => source.sender !== null && source.recipients !== null),
  );
  const { tasks } = world.service.foundation;

  world.clock.pass(30 * DAY_MS - 1);
  assert.equal((await tidy(tasks)).names, 0);
  assert.deepEqual((await listChanges(world, "")).items, before);
  world.clock.pass(1);
  assert.equal((await tidy(tasks)).names, 1);
  assert.equal((await tidy(tasks)).names, 0);

  const after = (await listChanges(world, "")).items;
  const withoutNames = ({ contract, ...item }: any) => ({
    ...item,
    contract: {
      ...contract,
      fileName: null,
      source: { ...contract.source, subject: null, sender: null, recipients: null },
    },
  });
  assert.deepEqual(after, [withoutNames(before[0]), before[1], withoutNames(before[2])]);
});
