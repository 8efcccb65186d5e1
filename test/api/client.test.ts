import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ChangePage,
  createTorikomiClient,
  etagOf,
  type TorikomiClient,
  TorikomiError,
  type TorikomiOptions,
} from "../../docs/client/torikomi-client.ts";
import { openDatabase } from "../../src/store/database.ts";
import { allowConnections } from "../support/postgres.ts";
import { createWorld, EVERY_SCOPE, type World } from "../support/world.ts";
import { NO_NEWS, serveApi } from "./served.ts";
import { storeTestContract, storeTestLink } from "./stored.ts";

function clientOf(
  world: World,
  { scope = EVERY_SCOPE, ...options }: Partial<TorikomiOptions> & { scope?: string } = {},
): TorikomiClient {
  const token = async () => await world.cabinet.token({ tenant: "tenant-1", scope });
  return createTorikomiClient({ url: world.url, token, ...options });
}

test("a service reads, follows and deletes contracts with the client", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const stored = await storeTestContract(world, { linkId, bytesOf: Buffer.from("%PDF-1.7 a contract") });
  const client = clientOf(world);

  const page = await client.listContracts({
    group: "group-1",
    concludedFrom: "2031-01-01",
    cursor: undefined,
  });
  const contract = await client.getContract({ id: stored.id });
  const document = await client.getContractDocument({ id: stored.id });
  const imported = await client.listChanges();
  await client.deleteContract({ id: stored.id });
  const deleted = await client.listChanges({ after: imported.next, wait: 30 });

  assert.deepEqual(page, { items: [contract], nextCursor: null });
  assert.equal(await document.text(), "%PDF-1.7 a contract");
  assert.deepEqual(
    [...imported.items, ...deleted.items].map((one) => one.type),
    ["imported", "deleted"],
  );
});

test("a service creates groups and begins linking with the client", async () => {
  await using world = await createWorld();
  const client = clientOf(world);

  const group = await client.putGroup({ id: "sales", body: { name: "営業" } });
  const { authorizationUrl } = await client.beginLinking({ body: { groupId: group.id } });
  await client.deleteGroup({ id: "sales" });

  assert.ok(URL.canParse(authorizationUrl));
  assert.deepEqual((await client.listGroups()).items, []);
});

test("the client throws an error with the problem details if the service refuses", async () => {
  await using world = await createWorld();

  await assert.rejects(clientOf(world).getLink(), (error) => {
    assert.ok(error instanceof TorikomiError);
    assert.equal(error.status, 404);
    assert.equal(error.problem?.type, "urn:torikomi:problem:link-not-found");
    assert.equal(error.message, "連携情報が見つかりませんでした。");
    return true;
  });
  await assert.rejects(clientOf(world, { scope: "links:read" }).listContracts(), { status: 403 });
});

test("what a service has already is not sent again", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const { id, sha256 } = await storeTestContract(world, { linkId });
  const client = clientOf(world);
  const link = await client.getLink();

  const same = await client.getLink({}, { ifNoneMatch: etagOf(link) });
  const document = await client.getContractDocument({ id }, { ifNoneMatch: `"${sha256}"` });
  await client.putGroup({ id: "sales", body: { name: "営業" } });
  await client.editLink({ body: { groupId: "sales" } });
  const changed = await client.getLink({}, { ifNoneMatch: etagOf(link) });

  assert.equal(same, null);
  assert.equal(document.status, 304);
  assert.equal(changed?.groupId, "sales");
});

test("a download is resumed while the document is the same", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const { id } = await storeTestContract(world, { linkId, bytesOf: Buffer.from("%PDF-1.7 a contract") });
  const client = clientOf(world);
  const etag = (await client.getContractDocument({ id })).headers.get("etag") ?? "";

  const rest = await client.getContractDocument({ id }, { range: "bytes=9-", ifRange: etag });
  const whole = await client.getContractDocument({ id }, { range: "bytes=9-", ifRange: '"another"' });

  assert.deepEqual([rest.status, await rest.text()], [206, "a contract"]);
  assert.deepEqual([whole.status, await whole.text()], [200, "%PDF-1.7 a contract"]);
});

test("an explanation comes in the language that a service asks for", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const envelopeId = "93be49ab-5afa-4acd-98b4-f0b5e2b0c0a1";
  await storeTestContract(world, { linkId, envelopeId });
  const client = clientOf(world);

  const english = await client.explainEnvelope({ envelopeId }, { acceptLanguage: "en" });
  const japanese = await client.explainEnvelope({ envelopeId });

  assert.match(english.text, /^Imported/);
  assert.match(japanese.text, /取り込みました/);
});

test("all contracts come page after page, each once", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const stored: string[] = [];
  for (let count = 0; count < 5; count += 1) stored.push((await storeTestContract(world, { linkId })).id);
  const pages: string[] = [];
  const client = clientOf(world, {
    fetch: async (address, init) => {
      pages.push(String(address));
      return await fetch(address, init);
    },
  });

  const seen: string[] = [];
  for await (const { id } of client.listAllContracts({ group: "group-1", limit: 2 })) seen.push(id);

  assert.deepEqual(seen.toSorted(), stored.toSorted());
  assert.equal(pages.length, 3);
});

test("aborting the signal ends a call", async () => {
  await using world = await createWorld();
  const client = clientOf(world);
  const patience = new AbortController();

  const waiting = client.listChanges({ wait: 30 }, { signal: patience.signal });
  patience.abort(new Error("no time left"));

  await assert.rejects(waiting, { message: "no time left" });
});

test("a reader retries after Retry-After while the database refuses connections", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const { id } = await storeTestContract(world, { linkId });
  const { db, close } = openDatabase(world.database.connectionString);
  await using served = await serveApi(world, { changeNews: NO_NEWS, db });
  await allowConnections(world.database, false);
  const pauses: number[] = [];
  const sleep = async (ms: number): Promise<void> => {
    pauses.push(ms);
    if (pauses.length === 2) await allowConnections(world.database, true);
  };
  const client = clientOf(world, { url: served.url, sleep });

  const { value } = await client.followChanges().next();

  assert.deepEqual(contractIds(value), [id]);
  // As `Retry-After` has it.
  assert.deepEqual(pauses, [5_000, 5_000]);
  await close();
});

test("a reader follows changes through a restart of the service, and sees each once", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const stored: string[] = [];
  const store = async () => stored.push((await storeTestContract(world, { linkId })).id);
  await store();
  let restarted: Promise<void> = Promise.resolve();
  const client = clientOf(world, { sleep: async () => await restarted });

  const seen: string[] = [];
  for await (const { items } of client.followChanges()) {
    seen.push(...contractIds({ items }));
    if (seen.length === 3) break;
    await restarted;
    await store();
    if (seen.length > 1) continue;
    restarted = world.restart();
    while (await isListening(world.url));
  }

  assert.deepEqual(seen, stored);
});

function contractIds({ items }: Pick<ChangePage, "items">): string[] {
  return items.flatMap((item) => ("contract" in item ? [item.contract.id] : []));
}

async function isListening(url: string): Promise<boolean> {
  return await fetch(`${url}/healthz`).then(
    () => true,
    () => false,
  );
}

test("what the service refuses for good ends the iteration, and so does its signal, even in a pause", async () => {
  await using world = await createWorld();
  const patience = new AbortController();
  const giveUp = () => setImmediate(() => patience.abort(new Error("enough")));

  const refused = clientOf(world, { scope: "links:read" }).followChanges();
  const ended = clientOf(world, {
    url: "http://127.0.0.1:9",
    fetch: async (address, init) => await fetch(address, init).finally(giveUp),
  }).followChanges({ signal: patience.signal });

  await assert.rejects(refused.next(), { status: 403 });
  await assert.rejects(ended.next(), { message: "enough" });
});
