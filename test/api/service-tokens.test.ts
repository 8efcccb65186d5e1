import assert from "node:assert/strict";
import { test } from "node:test";
import pino from "pino";
import { createBrowser } from "../support/browser.ts";
import type { TokenOptions } from "../support/cabinet/cabinet.ts";
import { type Api, createApi, createWorld, SERVICE, type World } from "../support/world.ts";
import { NO_NEWS, serveApi } from "./served.ts";
import { storeTestContract, storeTestLink } from "./stored.ts";

const READ = "contracts:read links:read";

async function serviceApi(world: World, wish: TokenOptions = {}, url = world.url): Promise<Api> {
  return createApi(url, await world.cabinet.token({ tenant: "*", sub: SERVICE, scope: READ, ...wish }));
}

/** Two tenants with a contract each, and one with a group only. */
async function createTenants(world: World) {
  const first = await storeTestLink(world, { tenant: "tenant-1" });
  const second = await storeTestLink(world, { tenant: "tenant-2" });
  const one = await storeTestContract(world, { linkId: first, tenant: "tenant-1" });
  const two = await storeTestContract(world, { linkId: second, tenant: "tenant-2" });
  await (await world.api("tenant-3")).send("PUT", "/v1/groups/sales", { name: "営業" });
  return { one, two };
}

const FORBIDDEN: Readonly<Record<string, TokenOptions>> = {
  "with a subject that is not listed": { sub: "another-service" },
  "without a subject": { sub: null },
  "with a scope that writes contracts": { scope: `${READ} contracts:write` },
  "with a scope that writes groups": { scope: `${READ} groups:write` },
};

for (const [name, wish] of Object.entries(FORBIDDEN)) {
  test(`a token for all tenants ${name} is forbidden`, async () => {
    await using world = await createWorld();

    const { status } = await (await serviceApi(world, wish)).get("/v1/changes");

    assert.equal(status, 403);
  });
}

test("a service token reads the changes of all tenants in one order, each with its tenant", async () => {
  await using world = await createWorld();
  await createTenants(world);

  const { body } = await (await serviceApi(world)).get("/v1/changes?types=imported,link");

  const seen = body.items.map(({ type, tenant }: any) => `${type} of ${tenant}`);
  assert.deepEqual(seen, [
    "link of tenant-1",
    "link of tenant-2",
    "imported of tenant-1",
    "imported of tenant-2",
  ]);
  const sequences = body.items.map(({ sequence }: any) => sequence);
  assert.deepEqual(
    sequences,
    sequences.toSorted((one: number, other: number) => one - other),
  );
  const own = await (await world.api("tenant-1")).get("/v1/changes?types=imported,link");
  assert.ok(own.body.items.every((item: any) => !("tenant" in item)));
});

const OF_ONE_TENANT = ["contracts", "groups", "link", "links", "reconciliations"];

test("a service token names the tenant of lists; without one, or for all tenants, the request is malformed", async () => {
  await using world = await createWorld();
  const { one } = await createTenants(world);
  const api = await serviceApi(world);
  const paths = [...OF_ONE_TENANT.map((name) => `/v1/${name}`), `/v1/envelopes/${one.source.envelopeId}`];

  for (const path of paths) {
    assert.equal((await api.get(`${path}?tenant=tenant-1`)).status, 200, path);
    for (const query of ["", "?tenant=*", "?tenant=", "?tenant=a&tenant=b"])
      assert.equal((await api.get(path + query)).status, 400, path + query);
  }
  const listed = (await api.get("/v1/contracts?tenant=tenant-2")).body.items;
  assert.deepEqual(
    listed.map(({ tenant }: any) => tenant),
    ["tenant-2"],
  );
});

test("a tenant without data reads as one that has none", async () => {
  await using world = await createWorld();
  const api = await serviceApi(world);

  assert.deepEqual((await api.get("/v1/contracts?tenant=nobody")).body, { items: [], nextCursor: null });
  assert.equal((await api.get("/v1/link?tenant=nobody")).body.type, "urn:torikomi:problem:link-not-found");
});

test("for tokens of one tenant, the tenant is an unknown parameter", async () => {
  await using world = await createWorld();
  const { one } = await createTenants(world);
  const api = await world.api("tenant-1");

  for (const path of [...OF_ONE_TENANT, `envelopes/${one.source.envelopeId}`, "changes"]) {
    const { status, body } = await api.get(`/v1/${path}?tenant=tenant-1`);
    assert.equal(status, 400, path);
    assert.match(body.detail, /unknown query parameter "tenant"/);
  }
  assert.equal((await (await serviceApi(world)).get("/v1/changes?tenant=tenant-1")).status, 400);
});

test("a service token reads contracts and documents by their id, and each document leaves a log line", async () => {
  await using world = await createWorld();
  const { two } = await createTenants(world);
  const lines: string[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
  await using served = await serveApi(world, { changeNews: NO_NEWS, log });
  const api = await serviceApi(world, {}, served.url);
  const own = createApi(served.url, await world.cabinet.token({ tenant: "tenant-2", scope: READ }));

  assert.equal((await api.get(`/v1/contracts/${two.id}`)).body.tenant, "tenant-2");
  assert.deepEqual(lines, []);
  assert.equal((await api.get(`/v1/contracts/${two.id}/document`)).status, 200);
  assert.equal((await own.get(`/v1/contracts/${two.id}/document`)).status, 200);

  const read = lines.map((line) => JSON.parse(line));
  assert.deepEqual(
    read.map(({ msg, subject, tenant, contractId }) => ({ msg, subject, tenant, contractId })),
    [{ msg: "a service token reads a document", subject: SERVICE, tenant: "tenant-2", contractId: two.id }],
  );
});

test("only a service token lists the tenants: those with data, with the state of their link", async () => {
  await using world = await createWorld();
  await createTenants(world);
  const ended = await storeTestLink(world, { tenant: "tenant-0" });
  await world.service.foundation.serving.db
    .updateTable("link")
    .set({ state: "ended", ended_at: world.clock.now, totals_at_end: "{}" })
    .where("id", "=", ended)
    .execute();
  const api = await serviceApi(world);

  const first = (await api.get("/v1/tenants?limit=3")).body;
  const rest = (await api.get(`/v1/tenants?limit=3&cursor=${first.nextCursor}`)).body;

  assert.deepEqual(first.items, [
    { tenant: "tenant-0", state: null },
    { tenant: "tenant-1", state: "active" },
    { tenant: "tenant-2", state: "active" },
  ]);
  assert.deepEqual(rest, { items: [{ tenant: "tenant-3", state: null }], nextCursor: null });
  assert.equal((await (await world.api("tenant-1")).get("/v1/tenants")).status, 403);
});

test("a service token writes nothing", async () => {
  await using world = await createWorld();
  const { one } = await createTenants(world);
  const api = await serviceApi(world);

  assert.equal((await api.send("DELETE", `/v1/contracts/${one.id}`)).status, 403);
  assert.equal((await api.send("PUT", "/v1/groups/sales", { name: "営業" })).status, 403);
  assert.equal((await api.send("DELETE", "/v1/link")).status, 403);
});

test("nobody signs in to the page for all tenants", async () => {
  await using world = await createWorld();
  world.cabinet.nextSignIn(world.owner("*"));

  const page = await createBrowser().get(`${world.url}/links`);

  assert.equal(page.status, 403);
});
