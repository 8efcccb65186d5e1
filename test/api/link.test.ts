import assert from "node:assert/strict";
import { test } from "node:test";
import type { User } from "../support/docusign/state.ts";
import { createWorld, type World } from "../support/world.ts";

const OTSU = [{ name: "乙", email: "otsu@example.com" }];

function addAdmin(world: World): User {
  return world.docusign.addUser(world.docusign.addAccount({ name: "株式会社甲" }), {
    name: "山田",
    email: "yamada@example.com",
    role: "DS Admin",
  });
}

async function conclude(world: World, from: User, count = 1): Promise<void> {
  for (let made = 0; made < count; made += 1) {
    await world.docusign.concludeEnvelope({ from, to: OTSU, documents: [{ name: "契約書.pdf" }] });
  }
}

test("a link has all applicable fields, and null for the others", async () => {
  await using world = await createWorld();
  const admin = addAdmin(world);
  await conclude(world, admin);
  await world.link(admin);
  await world.runJobs();

  const { status, body } = await (await world.api()).get("/v1/link");

  assert.equal(status, 200);
  const { id, account, user, ...rest } = body;
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.deepEqual(account, { id: admin.defaultAccountId, name: "株式会社甲" });
  assert.deepEqual(user, { id: admin.userId, name: "山田", email: "yamada@example.com" });
  assert.deepEqual(rest, {
    state: "active",
    cause: null,
    notice: null,
    groupId: "group-1",
    linkedAt: "2031-01-15T03:10:00.000Z",
    endedAt: null,
    sentFrom: null,
    receivedFrom: null,
    certificates: false,
    from: null,
    sentUntil: null,
    receivedUntil: null,
    connect: { sent: "active", received: "active" },
    totals: { atDocuSign: 1, imported: 1, excluded: 0, deleted: 0, waiting: 0 },
    excludedByRule: {},
    firstImport: { done: 1, total: 1, estimatedEnd: null },
    lastReconciliation: "2031-01-15T03:10:00.000Z",
    nextReconciliation: "2031-01-15T04:00:00.000Z",
  });
});

test("without a link there is nothing to read, edit, approve or end", async () => {
  await using world = await createWorld();
  const api = await world.api();
  await api.send("PUT", "/v1/groups/sales", { name: "営業" });

  const answers = [
    await api.get("/v1/link"),
    await api.send("PATCH", "/v1/link", { groupId: "sales" }),
    await api.send("POST", "/v1/link/approve"),
    await api.send("DELETE", "/v1/link"),
  ];

  for (const { status, body } of answers) {
    assert.equal(status, 404);
    assert.equal(body.type, "urn:torikomi:problem:link-not-found");
    assert.equal(body.detail, "連携情報が見つかりませんでした。");
  }
});

test("linking begins with DocuSign's login, but not into a missing group or beside an active link", async () => {
  await using world = await createWorld();
  const admin = addAdmin(world);
  const api = await world.api();
  await api.send("PUT", "/v1/groups/sales", { name: "営業" });

  const begun = await api.send("POST", "/v1/link", { groupId: "sales" });
  const nowhere = await api.send("POST", "/v1/link", { groupId: "gone" });
  await world.link(admin);
  const beside = await api.send("POST", "/v1/link", { groupId: "sales" });

  assert.equal(begun.status, 201);
  assert.deepEqual(Object.keys(begun.body), ["authorizationUrl"]);
  const address = new URL(begun.body.authorizationUrl);
  assert.equal(address.origin, new URL(world.docusign.url).origin);
  assert.equal(address.searchParams.get("prompt"), "login");
  assert.equal(nowhere.status, 422);
  assert.equal(nowhere.body.detail, "取り込み先契約書グループが見つかりませんでした。");
  assert.equal(beside.status, 409);
});

test("a first import that awaits approval shows its size and its estimated duration", async () => {
  await using world = await createWorld({ config: { largeImport: 3 } });
  const admin = addAdmin(world);
  await conclude(world, admin, 3);
  assert.equal(await world.link(admin), "awaiting-approval");
  const api = await world.api();

  const waiting = (await api.get("/v1/link")).body;
  const approved = await api.send("POST", "/v1/link/approve");
  const again = await api.send("POST", "/v1/link/approve");
  await world.runJobs();
  const done = (await api.get("/v1/link")).body;

  assert.equal(waiting.state, "awaiting-approval");
  assert.equal(waiting.nextReconciliation, null);
  assert.deepEqual({ ...waiting.firstImport, estimatedEnd: null }, { done: 0, total: 3, estimatedEnd: null });
  assert.ok(Date.parse(waiting.firstImport.estimatedEnd) > world.clock.now.getTime());
  assert.equal(approved.status, 200);
  assert.equal(approved.body.state, "active");
  assert.equal(again.status, 409);
  assert.equal(again.body.type, "urn:torikomi:problem:not-awaiting-approval");
  assert.equal(again.body.detail, "No first import awaits approval.");
  assert.deepEqual(done.firstImport, { done: 3, total: 3, estimatedEnd: null });
});

test("an edited link shows and uses its new group", async () => {
  await using world = await createWorld();
  await world.link(addAdmin(world));
  const api = await world.api();
  await api.send("PUT", "/v1/groups/sales", { name: "営業" });

  const edited = await api.send("PATCH", "/v1/link", { groupId: "sales" });
  const refused = await api.send("PATCH", "/v1/link", { groupId: "gone" });

  assert.equal(edited.status, 200);
  assert.equal(edited.body.groupId, "sales");
  assert.equal(refused.status, 422);
  assert.equal((await api.get("/v1/link")).body.groupId, "sales");
});

test("a link whose group was deleted shows what to do, and resumes when the group is back", async () => {
  await using world = await createWorld();
  await world.link(addAdmin(world));
  const api = await world.api();

  const gone = await api.send("DELETE", "/v1/groups/group-1");
  const waiting = (await api.get("/v1/link")).body;
  await api.send("PUT", "/v1/groups/group-1", { name: "契約書" });

  assert.equal(gone.status, 204);
  assert.equal(waiting.state, "error");
  assert.equal(waiting.cause.code, "group-missing");
  assert.match(waiting.cause.message, /契約書グループ/);
  assert.equal((await api.get("/v1/link")).body.state, "active");
});

test("an ended link stays in the history with its windows, final totals and audit trail", async () => {
  await using world = await createWorld();
  const admin = addAdmin(world);
  await conclude(world, admin);
  await world.link(admin);
  await world.runJobs();
  const api = await world.api();
  const { id } = (await api.get("/v1/link")).body;
  world.clock.pass(60_000);

  const ended = await api.send("DELETE", "/v1/link");
  world.clock.pass(60_000);
  await world.link(admin);

  assert.equal(ended.status, 204);
  const { items, nextCursor } = (await api.get("/v1/links")).body;
  const [current, past] = items;
  assert.equal(nextCursor, null);
  assert.equal(items.length, 2);
  assert.equal(past.id, id);
  assert.equal(past.state, "ended");
  assert.equal(past.endedAt, "2031-01-15T03:11:00.000Z");
  assert.equal(past.sentUntil, "2031-01-15T03:11:00.000Z");
  assert.deepEqual(past.connect, { sent: null, received: null });
  assert.deepEqual(current.connect, { sent: "active", received: "active" });
  assert.deepEqual([past.firstImport, past.nextReconciliation, past.excludedByRule], [null, null, null]);
  assert.equal(past.totals.imported, 1);
  assert.deepEqual(
    past.audit.map(({ subject, action }: { subject: string; action: string }) => [subject, action]),
    [
      ["owner of tenant-1", "linked"],
      ["owner of tenant-1", "ended"],
    ],
  );
  assert.equal(current.sentFrom, "2031-01-15T03:11:00.000Z");
  assert.equal(current.receivedFrom, "2031-01-15T03:11:00.000Z");
});

test("the history is paged, newest first", async () => {
  await using world = await createWorld();
  const admin = addAdmin(world);
  const api = await world.api();
  const linked: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    await world.link(admin);
    linked.unshift((await api.get("/v1/link")).body.id);
    world.clock.pass(1);
    await api.send("DELETE", "/v1/link");
  }

  const first = (await api.get("/v1/links?limit=2")).body;
  const second = (await api.get(`/v1/links?limit=2&cursor=${first.nextCursor}`)).body;

  const ids = [...first.items, ...second.items].map((one: { id: string }) => one.id);
  assert.deepEqual(ids, linked);
  assert.equal(second.nextCursor, null);
});

test("a link whose end fails because DocuSign is down stays unchanged, and the response has the exact message", async () => {
  await using world = await createWorld();
  await world.link(addAdmin(world));
  const api = await world.api();
  world.docusign.goDown();

  const failed = await api.send("DELETE", "/v1/link");
  world.docusign.comeUp();

  assert.equal(failed.status, 502);
  assert.equal(failed.body.detail, "削除に失敗しました。もう一度お試しください。");
  assert.equal((await api.get("/v1/link")).body.state, "active");
});

test("reconciliations are listed with their findings, newest first, in pages", async () => {
  await using world = await createWorld();
  const admin = addAdmin(world);
  await conclude(world, admin);
  await world.link(admin);
  await world.runJobs();
  world.docusign.loseNext(1);
  await conclude(world, admin);
  await world.runHour();
  const api = await world.api();

  const first = (await api.get("/v1/reconciliations?limit=1")).body;
  const second = (await api.get(`/v1/reconciliations?limit=1&cursor=${first.nextCursor}`)).body;

  assert.deepEqual([first.items[0].kind, second.items[0].kind], ["hourly", "first"]);
  assert.equal(second.nextCursor, null);
  const { kind, state, to, durationMs, missed, excluded, waiting } = first.items[0];
  assert.deepEqual(
    { kind, state, to, durationMs, missed, excluded, waiting },
    {
      kind: "hourly",
      state: "done",
      to: "2031-01-15T04:00:00.000Z",
      durationMs: 0,
      missed: 1,
      excluded: {},
      waiting: 1,
    },
  );
});

test("groups are created, renamed, listed by name in pages, and deleted", async () => {
  await using world = await createWorld();
  const api = await world.api();
  for (const [id, name] of [
    ["c", "丙"],
    ["a", "甲"],
    ["b", "甲"],
    ["d", "旧"],
  ]) {
    const told = await api.send("PUT", `/v1/groups/${id}`, { name });
    assert.deepEqual([told.status, told.body], [200, { id, name }]);
  }
  await api.send("PUT", "/v1/groups/d", { name: "新" });
  await api.send("DELETE", "/v1/groups/c");
  const again = await api.send("DELETE", "/v1/groups/c");

  const first = (await api.get("/v1/groups?limit=2")).body;
  const second = (await api.get(`/v1/groups?limit=2&cursor=${first.nextCursor}`)).body;

  assert.equal(again.status, 204);
  const all = [...first.items, ...second.items];
  assert.deepEqual(new Set(all.map(({ id, name }) => `${id} ${name}`)), new Set(["d 新", "a 甲", "b 甲"]));
  assert.equal(all.length, 3);
  assert.equal(second.nextCursor, null);
  assert.deepEqual((await (await world.api("tenant-2")).get("/v1/groups")).body.items, []);
});

for (const id of ["a%20b", "%E5%A5%91", "x".repeat(65), "a%00b", "%2e%2e%2f"]) {
  test(`an invalid group id can be neither created nor deleted: ${id.slice(0, 20)}`, async () => {
    await using world = await createWorld();
    const api = await world.api();

    assert.equal((await api.send("PUT", `/v1/groups/${id}`, { name: "契約書" })).status, 400);
    assert.equal((await api.send("DELETE", `/v1/groups/${id}`)).status, 404);
    assert.equal((await api.send("POST", "/v1/link", { groupId: decodeURIComponent(id) })).status, 400);
  });
}
