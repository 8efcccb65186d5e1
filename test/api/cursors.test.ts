import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCursor } from "../../src/web/api/cursor.ts";
import { ENDPOINTS } from "../../src/web/api/routes.ts";
import { createApi, createWorld, SERVICE } from "../support/world.ts";

const UUID = "5f0c2d34-7a51-4c0e-9a39-1f6f4c1e8b02";
const MOMENT = "2026-04-01T00:00:00.000Z";
const LISTS = ["/v1/contracts", "/v1/groups", "/v1/links", "/v1/reconciliations"];
/** Its cursor is a tenant, and only service tokens read it. */
const TENANTS = "/v1/tenants";

const OF_NO_LIST: readonly (readonly string[])[] = [
  ["営業部の契約書"],
  ["", "sales"],
  ["営業部\0", "sales"],
  ["営業部\ud800", "sales"],
  ["営業部", "sales\0"],
  ["営業部", "販売"],
  [MOMENT, `${UUID}\0`],
  [`${MOMENT}\0`, UUID],
  [MOMENT, UUID, UUID],
];

test("every list rejects a cursor that no list has returned as malformed", async () => {
  await using world = await createWorld();
  const api = await world.api();

  for (const path of LISTS) {
    for (const parts of OF_NO_LIST) {
      const { status, body } = await api.get(`${path}?cursor=${encodeCursor(parts)}`);

      assert.equal(status, 400, `${path} ${JSON.stringify(parts)}`);
      assert.match(body.detail, /"cursor" must be a `nextCursor` of this list/);
    }
  }
});

test("the list of tenants rejects a cursor that it has not returned as malformed", async () => {
  await using world = await createWorld();
  const api = createApi(
    world.url,
    await world.cabinet.token({ tenant: "*", sub: SERVICE, scope: "links:read" }),
  );

  for (const parts of [[], ["tenant", UUID], ["*"], ["\0"]]) {
    const { status } = await api.get(`${TENANTS}?cursor=${encodeCursor(parts)}`);
    assert.equal(status, 400, JSON.stringify(parts));
  }
});

test("the earliest and the latest representable time are valid cursors", async () => {
  await using world = await createWorld();
  const api = await world.api();

  for (const path of LISTS.filter((list) => list !== "/v1/groups")) {
    for (const at of ["0000-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])
      assert.equal(
        (await api.get(`${path}?cursor=${encodeCursor([at, UUID])}`)).status,
        200,
        `${path} ${at}`,
      );
  }
});

test("every list with a cursor is covered by these tests", () => {
  const paths = ENDPOINTS.filter(
    ({ query }) => query.safeParse({ cursor: 1 }).error?.issues[0]?.code !== "unrecognized_keys",
  );

  assert.deepEqual(paths.map(({ path }) => path).toSorted(), [...LISTS, TENANTS]);
});
