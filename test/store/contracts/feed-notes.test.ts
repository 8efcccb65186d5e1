import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { addRestoredEntries } from "../../../src/store/contracts/feed-notes.ts";
import { listTenants } from "../../../src/store/links/tenants.ts";
import { storeTestLink } from "../../api/stored.ts";
import { createWorld } from "../../support/world.ts";

const SINCE = new Date("2031-01-14T00:00:00Z");

test("a restoration adds one entry for each tenant with data, and none when it is repeated", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.serving;
  for (const tenant of ["tenant-1", "tenant-2"]) await storeTestLink(world, { tenant });

  const [first, again] = [await addRestoredEntries(db, SINCE), await addRestoredEntries(db, SINCE)];
  const other = await addRestoredEntries(db, new Date("2031-01-14T01:00:00Z"));

  assert.deepEqual([first, again, other], [2, 0, 2]);
  const { rows } =
    await sql`select tenant, note from feed_note where type = 'restored' order by note, tenant`.execute(db);
  assert.deepEqual(rows.slice(0, 2), [
    { tenant: "tenant-1", note: { since: SINCE.toISOString() } },
    { tenant: "tenant-2", note: { since: SINCE.toISOString() } },
  ]);
});

test("the pause, the start date and the certificates of a link are in the feed, each change once", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.serving;
  await storeTestLink(world);
  const listStates = async () =>
    (
      await sql<{ state: string }>`select note ->> 'state' as state from feed_note order by id`.execute(db)
    ).rows.map(({ state }) => state);
  const tenantState = async () => (await listTenants(db, { limit: 1, after: null }))[0]?.state;

  await db.updateTable("link").set({ paused_at: world.clock.now }).execute();
  const paused = await tenantState();
  await db.updateTable("link").set({ paused_at: world.clock.now, checked_at: world.clock.now }).execute();
  await db.updateTable("link").set({ state: "error", cause: "not-admin" }).execute();
  const failed = await tenantState();
  await db.updateTable("link").set({ state: "active", cause: null, paused_at: null }).execute();
  await db.updateTable("link").set({ start_date: "2031-01-01" }).execute();
  await db.updateTable("link").set({ certificates: true }).execute();

  assert.deepEqual([paused, failed, await tenantState()], ["paused", "error", "active"]);
  assert.deepEqual(await listStates(), ["active", "paused", "error", "active", "active", "active"]);
});
