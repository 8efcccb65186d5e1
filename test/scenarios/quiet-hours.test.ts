import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  fateOf,
  linkIdOf,
  linkOf,
} from "../support/linked-world.ts";
import { callsOf, countsOf, entriesOf, HOUR_MS, linesOf } from "../support/reconciling.ts";
import { stepNow } from "../support/stepping.ts";
import type { World } from "../support/world.ts";

const LISTING = "GET /envelopes";
const USER = "GET /users/{userId}";

test("a quiet hour costs two listings and no job of its own, and has an entry like any other hour", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  await world.runHour();
  world.service.foundation.log.level = "info";
  const begun = world.logged.length;

  const calls = await callsOf(world, async () => await world.runHour());

  assert.deepEqual(calls, [LISTING, LISTING]);
  assert.deepEqual(tasksSince(world, begun), ["reconcile-links"]);
  const [quiet] = await entriesOf(world);
  assert.deepEqual(countsOf(quiet), { listed: 1, known: 1, missed: 0, excluded: {}, waiting: 0, failed: 0 });
  assert.deepEqual([quiet.kind, quiet.state, quiet.calls, quiet.to], ["hourly", "done", 2, hourOf(world)]);
  const { sentReached, receivedReached } = await reachOf(world);
  assert.deepEqual([sentReached, receivedReached], [hourOf(world), hourOf(world)]);
});

test("a quiet hour that no colleague's envelope proves confirms the admin right, and ends the link's imports without it", async () => {
  await using linked = await createLinkedCompanies();
  const { world, account, admin } = linked;
  assert.deepEqual(await callsOf(world, async () => await world.runHour()), [LISTING, LISTING, USER]);
  assert.equal((await entriesOf(world))[0].calls, 3);
  const { sentReached, checkedAt } = await reachOf(world);
  assert.deepEqual([sentReached, checkedAt], [hourOf(world), hourOf(world)]);

  world.docusign.setRole(admin, account, "DS Sender");
  await world.runHour();

  assert.equal((await linkOf(world)).cause.code, "not-admin");
  assert.equal((await reachOf(world)).sentReached, sentReached);
});

test("each link of a shared hour has its own fate", async () => {
  await using world = (await createCompanies()).world;
  const quiet = await linkTenant(world, "quiet");
  const missing = await linkTenant(world, "missing");
  const throttled = await linkTenant(world, "throttled");
  await linkTenant(world, "paused");
  for (const { colleague } of [quiet, missing])
    await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  await world.runHour();
  assert.equal((await (await world.api("paused")).send("POST", "/v1/link/pause")).status, 200);
  world.clock.pass(HOUR_MS / 2);
  const unheard = await concludeUnheard(world, { from: missing.colleague, to: [CUSTOMER] });
  world.docusign.throttle(throttled.account, new Date(world.clock.now.getTime() + HOUR_MS));

  const calls = await callsOf(world, async () => await world.runHour());

  assert.equal(await fateOf(world, unheard, "missing"), "imported sent");
  const [entry] = await entriesOf(world, "missing");
  assert.deepEqual(countsOf(entry), { listed: 2, known: 1, missed: 1, excluded: {}, waiting: 1, failed: 0 });
  // The listings of a look, and its rejection, serve the link's own reconciliation too.
  assert.equal(calls.filter((call) => call === LISTING).length, 2 + 2 + 1);
  assert.deepEqual(
    await Promise.all(
      ["quiet", "throttled", "paused"].map(
        async (tenant) => (await entriesOf(world, tenant))[0].to === hourOf(world),
      ),
    ),
    [true, false, false],
  );
});

test("a run in progress ends by itself, and no quiet hour is recorded beside it", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  await world.runHour();
  world.clock.pass(HOUR_MS);
  assert.equal((await stepNow(world)).kind, "more");
  const before = (await entriesOf(world)).length;

  await world.runHour();

  const kinds = (await entriesOf(world)).map(({ state }) => state);
  assert.deepEqual(new Set(kinds), new Set(["done"]));
  assert.equal(kinds.length, before + 1);
});

test("a link that is paused while it is listed records no quiet hour", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  await world.runHour();
  const before = await entriesOf(world);
  world.docusign.onNext("/envelopes", async () => {
    await (await world.api()).send("POST", "/v1/link/pause");
  });

  await world.runHour();

  assert.equal((await linkOf(world)).state, "paused");
  assert.deepEqual(await entriesOf(world), before);
  assert.equal((await reachOf(world)).receivedReached, before[0].to);
});

async function linkTenant(world: World, tenant: string): Promise<Pick<Companies, "account" | "colleague">> {
  const account = world.docusign.addAccount({ name: tenant });
  const admin = world.docusign.addUser(account, { name: "山田", role: "DS Admin" });
  const colleague = world.docusign.addUser(account, { name: "佐藤", role: "DS Sender" });
  assert.equal(await world.link(admin, { tenant }), "linked");
  await world.runJobs();
  return { account, colleague };
}

function hourOf(world: World): string {
  return world.clock.now.toISOString();
}

function tasksSince(world: World, line: number): string[] {
  return linesOf({ ...world, logged: world.logged.slice(line) }, "job done").map(({ task }) => task);
}

type Reach = Record<"sentReached" | "receivedReached" | "checkedAt", string | undefined>;

async function reachOf(world: World): Promise<Reach> {
  const row = await world.service.foundation.working.db
    .selectFrom("link")
    .select(["sent_reached", "received_reached", "checked_at"])
    .where("id", "=", await linkIdOf(world))
    .executeTakeFirstOrThrow();
  return {
    sentReached: row.sent_reached?.toISOString(),
    receivedReached: row.received_reached?.toISOString(),
    checkedAt: row.checked_at?.toISOString(),
  };
}
