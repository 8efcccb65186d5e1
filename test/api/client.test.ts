import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createTorikomiClient,
  type TorikomiClient,
  TorikomiError,
} from "../../docs/client/torikomi-client.ts";
import { createWorld, EVERY_SCOPE, type World } from "../support/world.ts";
import { storeTestContract, storeTestLink } from "./stored.ts";

function clientOf(world: World, scope = EVERY_SCOPE): TorikomiClient {
  const token = async () => await world.cabinet.token({ tenant: "tenant-1", scope });
  return createTorikomiClient({ url: world.url, token });
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

test("a service tells groups and begins a linking with the client", async () => {
  await using world = await createWorld();
  const client = clientOf(world);

  const group = await client.putGroup({ id: "sales", body: { name: "営業" } });
  const { authorizationUrl } = await client.beginLinking({ body: { groupId: group.id } });
  await client.deleteGroup({ id: "sales" });

  assert.ok(URL.canParse(authorizationUrl));
  assert.deepEqual((await client.listGroups()).items, []);
});

test("what the service refuses is thrown by the client with its problem", async () => {
  await using world = await createWorld();

  await assert.rejects(clientOf(world).getLink(), (error) => {
    assert.ok(error instanceof TorikomiError);
    assert.equal(error.status, 404);
    assert.equal(error.problem?.type, "urn:torikomi:problem:link-not-found");
    assert.equal(error.message, "連携情報が見つかりませんでした。");
    return true;
  });
  await assert.rejects(clientOf(world, "links:read").listContracts(), { status: 403 });
});
