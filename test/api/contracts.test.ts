import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorld } from "../support/world.ts";
import { storeTestContract, storeTestLink } from "./stored.ts";

test("contract pages are newest first, list each contract once, and do not shift when contracts arrive", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const stored: string[] = [];
  for (let count = 0; count < 5; count += 1) {
    // Three contracts are imported in the same millisecond.
    if (count > 2) world.clock.pass(1);
    stored.push((await storeTestContract(world, { linkId })).id);
  }
  const api = await world.api();

  const first = await api.get("/v1/contracts?limit=2");
  world.clock.pass(1);
  await storeTestContract(world, { linkId });
  const second = await api.get(`/v1/contracts?limit=2&cursor=${first.body.nextCursor}`);
  const third = await api.get(`/v1/contracts?limit=2&cursor=${second.body.nextCursor}`);

  const seen = [first, second, third].flatMap(({ body }) => body.items.map((one: { id: string }) => one.id));
  assert.equal(seen.length, stored.length);
  assert.deepEqual(new Set(seen), new Set(stored));
  assert.deepEqual(seen.slice(0, 2), [stored[4], stored[3]]);
  assert.equal(third.body.nextCursor, null);
});

test("a page that is exactly full has no next page", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  await storeTestContract(world, { linkId });
  await storeTestContract(world, { linkId });

  const { body } = await (await world.api()).get("/v1/contracts?limit=2");

  assert.equal(body.items.length, 2);
  assert.equal(body.nextCursor, null);
});

test("contracts are filtered by group and by an inclusive range of conclusion dates", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  for (const concludedOn of ["2031-01-01", "2031-01-02", "2031-01-03", "2031-01-04"]) {
    await storeTestContract(world, { linkId, concludedOn });
  }
  await storeTestContract(world, { linkId, concludedOn: "2031-01-02", groupId: "other" });
  const api = await world.api();

  const { body } = await api.get(
    "/v1/contracts?group=group-1&concludedFrom=2031-01-02&concludedTo=2031-01-03",
  );

  const dates = body.items.map((one: { concludedOn: string }) => one.concludedOn);
  assert.deepEqual(dates.sort(), ["2031-01-02", "2031-01-03"]);
  assert.equal((await api.get("/v1/contracts?group=other")).body.items.length, 1);
  assert.equal((await api.get("/v1/contracts?group=nobodys")).body.items.length, 0);
});

test("a contract has the fields of the specification and no internal ones", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const stored = await storeTestContract(world, { linkId });
  const unpaged = await storeTestContract(world, { linkId, pages: null });
  const api = await world.api();

  const { body } = await api.get(`/v1/contracts/${stored.id}`);

  const { source } = stored;
  assert.deepEqual(body, {
    id: stored.id,
    tenant: "tenant-1",
    groupId: "group-1",
    fileName: "契約書.docx",
    concludedOn: "2031-01-15",
    uploadedBy: "DocuSign",
    importedAt: "2031-01-15T03:10:00.000Z",
    pages: 1,
    bytes: stored.bytes,
    sha256: stored.sha256,
    certificate: null,
    source: { ...source, completedAt: "2031-01-15T03:10:00.000Z" },
  });
  assert.equal("pages" in (await api.get(`/v1/contracts/${unpaged.id}`)).body, false);
  assert.equal((await api.get(`/v1/contracts/${stored.id.toUpperCase()}`)).body.id, stored.id);
});

test("another tenant's contract is not found, whatever the request", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const { id, source } = await storeTestContract(world, { linkId });
  const stranger = await world.api("tenant-2");

  assert.equal((await stranger.get("/v1/contracts")).body.items.length, 0);
  assert.equal((await stranger.get("/v1/changes")).body.items.length, 0);
  for (const path of [`/v1/contracts/${id}`, `/v1/contracts/${id}/document`]) {
    assert.equal((await stranger.get(path)).status, 404, path);
  }
  const deletion = await stranger.send("DELETE", `/v1/contracts/${id}`);
  assert.deepEqual([deletion.status, deletion.body.detail], [404, "Contract not found."]);
  assert.equal((await stranger.get(`/v1/envelopes/${source.envelopeId}`)).status, 404);
  assert.equal((await (await world.api()).get(`/v1/contracts/${id}`)).status, 200);
});

test("a deleted contract is not found, its bytes are erased, and a repeated deletion succeeds", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const kept = await storeTestContract(world, { linkId });
  const gone = await storeTestContract(world, { linkId });
  const api = await world.api();

  const first = await api.send("DELETE", `/v1/contracts/${gone.id}`);
  const second = await api.send("DELETE", `/v1/contracts/${gone.id}`);
  await world.runJobs();

  assert.deepEqual([first.status, second.status], [204, 204]);
  assert.equal((await api.get(`/v1/contracts/${gone.id}`)).status, 404);
  assert.equal((await api.get(`/v1/contracts/${gone.id}/document`)).status, 404);
  const { body } = await api.get("/v1/contracts");
  assert.deepEqual(
    body.items.map((one: { id: string }) => one.id),
    [kept.id],
  );
  const { documents } = world.service.foundation.tasks;
  assert.equal(await documents.open(gone.documentKey), null);
  const left = await documents.open(kept.documentKey);
  left?.destroy();
  assert.ok(left);
  const { items } = (await api.get("/v1/changes")).body;
  assert.deepEqual(
    items.map((one: { type: string; contract: { id: string } }) => [one.type, one.contract.id]),
    [
      ["imported", kept.id],
      ["imported", gone.id],
      ["deleted", gone.id],
    ],
  );
  assert.deepEqual(items[2].contract, items[1].contract);
});

test("a contract is deleted even while the document store is down, and its bytes are erased once the store is back", async () => {
  await using world = await createWorld({ expectErrors: true });
  const linkId = await storeTestLink(world);
  const { id, documentKey } = await storeTestContract(world, { linkId });
  const { documents } = world.service.foundation.tasks;
  const { erase } = documents;
  documents.erase = async () => await Promise.reject(new Error("the store is away"));

  const deletion = await (await world.api()).send("DELETE", `/v1/contracts/${id}`);
  await world.runJobs();
  const left = await documents.open(documentKey);
  left?.destroy();
  documents.erase = erase;
  world.clock.pass(60_000);
  await world.runJobs();

  assert.equal(deletion.status, 204);
  assert.ok(left);
  assert.equal(await documents.open(documentKey), null);
});

test("deleting a contract that never existed fails", async () => {
  await using world = await createWorld();
  const api = await world.api();

  const { status, body } = await api.send("DELETE", "/v1/contracts/00000000-0000-4000-8000-000000000000");

  assert.equal(status, 404);
  assert.equal(body.type, "urn:torikomi:problem:not-found");
});

const REFUSED_QUERIES = [
  "limit=0",
  "limit=201",
  "limit=-1",
  "limit=1.5",
  "limit=1e2",
  "limit=",
  "limit=5&limit=6",
  "cursor=",
  "cursor=%00",
  "cursor=bm90IGEgY3Vyc29y",
  "cursor=WyJhIiwiYiJd",
  "cursor=WyIyMDMxLTAxLTE1VDAzOjEwOjAwLjAwMFoiLCJ4Il0",
  "group=a%2Fb",
  "group=%00",
  "concludedFrom=2031-02-29",
  "concludedFrom=2031-1-1",
  "concludedTo=0000-01-01",
  "concludedTo=today",
  "order=asc",
  "Limit=5",
];

for (const query of REFUSED_QUERIES) {
  test(`the query ${query} is rejected with its reason`, async () => {
    await using world = await createWorld();
    const api = await world.api();

    const { status, body, headers } = await api.get(`/v1/contracts?${query}`);

    assert.equal(status, 400);
    assert.match(headers.get("content-type") ?? "", /^application\/problem\+json/);
    assert.equal(body.type, "urn:torikomi:problem:malformed");
    assert.match(body.detail, new RegExp(`"${query.split("=")[0]}"`));
  });
}

for (const id of [
  "1",
  "x",
  "%00",
  "..%2F..%2Fetc",
  "00000000-0000-4000-8000-00000000000g",
  "'; drop table contract",
]) {
  test(`an invalid id is not found: ${id}`, async () => {
    await using world = await createWorld();
    const api = await world.api();

    for (const path of [`/v1/contracts/${id}`, `/v1/contracts/${id}/document`, `/v1/envelopes/${id}`]) {
      assert.equal((await api.get(path)).status, 404, path);
    }
    assert.equal((await api.send("DELETE", `/v1/contracts/${id}`)).status, 404);
  });
}

test("a reader with a current ETag gets 304", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const { id } = await storeTestContract(world, { linkId });
  const token = await world.cabinet.token({ tenant: "tenant-1", scope: "contracts:read" });
  const ask = async (headers: Record<string, string> = {}) =>
    await fetch(`${world.url}/v1/contracts/${id}`, {
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
  const first = await ask();

  const second = await ask({ "if-none-match": first.headers.get("etag") ?? "" });

  assert.equal(second.status, 304);
  assert.match(first.headers.get("cache-control") ?? "", /private/);
});

test("an envelope whose contracts are all deleted at the same time counts as deleted", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const api = await world.api();
  const envelopes = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const first = await storeTestContract(world, { linkId });
      const { envelopeId } = first.source;
      const source = { ...first.source, documentId: "2" };
      const second = await storeTestContract(world, { linkId, envelopeId, source });
      return { envelopeId, ids: [first.id, second.id] };
    }),
  );

  const deletions = envelopes.flatMap(({ ids }) =>
    ids.map(async (id) => (await api.send("DELETE", `/v1/contracts/${id}`)).status),
  );

  assert.deepEqual(new Set(await Promise.all(deletions)), new Set([204]));
  for (const { envelopeId } of envelopes) {
    assert.equal((await api.get(`/v1/envelopes/${envelopeId}`)).body.outcome, "deleted");
  }
});
