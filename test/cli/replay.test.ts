import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { findCurrentLink } from "../../src/store/links/links.ts";
import { replayEvents } from "../../src/usecases/operating/replay-events.ts";
import {
  type Companies,
  CUSTOMER,
  createCompanies,
  createLinkedCompanies,
  endLink,
  subjects,
} from "../support/linked-world.ts";
import { concludeQuietly, HOUR_MS } from "../support/reconciling.ts";
import type { World } from "../support/world.ts";
import { runCommand } from "./commands.ts";

const DOWNLOAD = "/envelopes/{envelopeId}/documents/{documentId}";

test("recorded events whose imports never ran are imported, and nothing is imported twice", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await conclude(companies, "done");
  await world.runJobs();
  await conclude(companies, "lost");
  await loseJobs(world);

  const first = await runCommand(world, "replay");
  const second = await runCommand(world, "replay --json");

  assert.equal(first.exit, 0);
  assert.match(first.out, /announced 2: imported 1, settled 1\n {2}waiting {3}none/);
  assert.equal(second.exit, 0);
  assert.equal(JSON.parse(second.out).links[0].outcomes.settled, 2);
  assert.deepEqual(await subjects(world), ["done", "lost"]);
  assert.equal(world.docusign.callsTo(DOWNLOAD).length, 2);
});

test("only events since the given time are replayed", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await conclude(companies, "before");
  world.clock.pass(60_000);
  const since = world.clock.now.toISOString();
  await conclude(companies, "since");
  await loseJobs(world);

  const { out } = await runCommand(world, `replay --since ${since}`);

  assert.match(out, /announced 1: imported 1/);
  assert.deepEqual(await subjects(world), ["since"]);
});

test("parked envelopes are retried only if an event announced them, and start counting attempts again", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await conclude(companies, "parked");
  await loseJobs(world);
  world.docusign.failNext(1, { status: 503 }, DOWNLOAD);
  await runCommand(world, "replay");
  const { db } = world.service.foundation.tasks;
  await db
    .updateTable("envelope")
    .set({ waiting_until: null, attempts: 28, reason: "import-failed" })
    .execute();
  world.clock.pass(60_000);
  world.docusign.failNext(1, { status: 503 }, DOWNLOAD);

  const failed = await runCommand(world, "replay");
  const left = await db
    .selectFrom("envelope")
    .select(["attempts", "waiting_until"])
    .executeTakeFirstOrThrow();
  const done = await runCommand(world, "replay");

  assert.equal(failed.exit, 75);
  assert.match(failed.out, /waiting {3}docusign-unavailable 1/);
  assert.equal(left.attempts, 1);
  assert.ok(left.waiting_until !== null, "it is retried automatically");
  assert.match(done.out, /imported 1/);
  assert.deepEqual(await subjects(world), ["parked"]);
});

test("a link that does not import now is left alone, and the command reports that it cannot run now", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin } = companies;
  await conclude(companies, "old");
  world.clock.pass(60_000);
  assert.equal(await world.link(admin), "awaiting-approval");
  await conclude(companies, "announced");

  const { exit, out } = await runCommand(world, "replay");

  assert.equal(exit, 75);
  assert.match(out, /announced 1: none[^]*the first import awaits its owner's approval/);
  assert.deepEqual(await world.contracts(), []);
});

test("a replay is postponed for an account with paused calls", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  await conclude(companies, "一", "二");
  await loseJobs(world);
  const reset = new Date(world.clock.now.getTime() + 600_000);
  world.docusign.throttle(account, reset);

  const spent = await runCommand(world, "replay");
  world.clock.now = reset;
  const later = await runCommand(world, "replay");

  assert.equal(spent.exit, 75);
  assert.match(spent.out, /accepts no more calls for the account/);
  assert.equal(later.exit, 0);
  assert.deepEqual(await subjects(world), ["一", "二"]);
});

test("events of a single link are replayed, but not of an ended one", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const account = world.docusign.addAccount();
  const other = world.docusign.addUser(account, { name: "高橋", role: "DS Admin" });
  await world.link(other, { tenant: "tenant-2" });
  await world.runJobs();
  await conclude(companies, "first");
  await world.docusign.concludeEnvelope({ from: other, to: [CUSTOMER], subject: "second" });
  await loseJobs(world);
  const link = await findCurrentLink(world.service.foundation.tasks.db, "tenant-2");

  const one = await runCommand(world, `replay --link ${link?.id}`);
  await endLink(world, "tenant-2");
  const rest = await runCommand(world, "replay --json");

  assert.match(one.out, /of tenant-2\n {2}announced 1: imported 1/);
  assert.deepEqual(
    JSON.parse(rest.out).links.map((replayed: any) => replayed.tenant),
    ["tenant-1"],
  );
});

test("without recorded events the command says so", async () => {
  await using companies = await createLinkedCompanies();

  const { exit, out } = await runCommand(companies.world, "replay");

  assert.deepEqual([exit, out], [0, "no recorded event announces a completion\n"]);
});

test("a replay reports an interruption", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await conclude(companies, ...Array.from({ length: 8 }, (_, index) => `契約${index}`));
  await loseJobs(world);
  const stop = new AbortController();
  world.docusign.onNext("/envelopes/{envelopeId}", () => stop.abort());

  const { exit, out } = await runCommand(world, "replay", { signal: stop.signal });
  await runCommand(world, "replay");

  assert.equal(exit, 75);
  assert.match(out, /interrupted/);
  assert.equal((await world.contracts()).length, 8);
});

test("the links of all tenants are replayed one after the other until the command is stopped", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const other = world.docusign.addUser(world.docusign.addAccount(), { name: "高橋", role: "DS Admin" });
  await world.link(other, { tenant: "tenant-2" });
  await world.runJobs();
  await conclude(companies, "first");
  await world.docusign.concludeEnvelope({ from: other, to: [CUSTOMER], subject: "second" });
  await loseJobs(world);
  const stop = new AbortController();
  world.docusign.onNext(DOWNLOAD, () => stop.abort());

  const stopped = await runCommand(world, "replay --json", { signal: stop.signal });
  const all = await runCommand(world, "replay --json");

  assert.equal(stopped.exit, 75);
  assert.equal(JSON.parse(stopped.out).links.length, 1);
  assert.equal(all.exit, 0);
  assert.deepEqual(
    JSON.parse(all.out)
      .links.map(({ tenant }: any) => tenant)
      .sort(),
    ["tenant-1", "tenant-2"],
  );
  assert.deepEqual([...(await subjects(world)), ...(await subjects(world, "tenant-2"))], ["first", "second"]);
});

test("a replay shows its progress on a terminal", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await conclude(companies, "一", "二");
  await loseJobs(world);
  const shown: object[] = [];
  const { signal } = new AbortController();

  const replay = replayEvents(world.service.foundation.tasks, {
    linkId: null,
    since: null,
    signal,
    onProgress: (_link, progress) => void shown.push(progress),
  });

  assert.equal((await Array.fromAsync(replay)).length, 1);
  assert.deepEqual(shown, [
    { phase: "importing", done: 1, total: 2 },
    { phase: "importing", done: 2, total: 2 },
  ]);
});

test("announced envelopes are replayed even while a first import is held back", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  const completedAt = new Date(world.clock.now.getTime() - HOUR_MS);
  concludeQuietly(world, 60, () => ({ from: admin, to: [CUSTOMER], subject: "old", completedAt }));
  await world.link(admin);
  world.docusign.setLimits({ hourly: 40 });
  await world.runJobs();
  await conclude(companies, "announced");
  await loseJobs(world);

  const { exit } = await runCommand(world, "replay");

  assert.equal(exit, 0);
  assert.ok((await subjects(world)).includes("announced"));
  assert.ok((await subjects(world)).length < 60);
});

test("parked envelopes stay parked if their link does not import now", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await conclude(companies, "parked");
  world.docusign.failNext(1, { status: 503 }, DOWNLOAD);
  await world.runJobs();
  const { db } = world.service.foundation.tasks;
  await db
    .updateTable("envelope")
    .set({ waiting_until: null, attempts: 28, reason: "import-failed" })
    .execute();
  await (await world.api()).send("DELETE", "/v1/groups/group-1");

  const { exit } = await runCommand(world, "replay");

  const left = await db
    .selectFrom("envelope")
    .select(["attempts", "waiting_until"])
    .executeTakeFirstOrThrow();
  assert.equal(exit, 75);
  assert.deepEqual(left, { attempts: 28, waiting_until: null });
});

test("a replay that imported everything is complete, even if it used the account's last calls", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  await conclude(companies, "last");
  await loseJobs(world);
  world.docusign.setLimits({ hourly: 1_000, isKept: false });
  world.docusign.onNext(DOWNLOAD, () => world.docusign.spendCalls(account, 1_000));

  const { exit, out } = await runCommand(world, "replay");

  assert.equal(exit, 0, out);
  assert.deepEqual(await subjects(world), ["last"]);
});

for (const isStopped of [false, true]) {
  test(`a replay reports a failure of its last import, ${isStopped ? "even if it is stopped meanwhile" : "with the time of the next retry"}`, async () => {
    await using companies = await createLinkedCompanies();
    const { world } = companies;
    await conclude(companies, "last");
    await loseJobs(world);
    const stop = new AbortController();
    world.docusign.failNext(1, { status: 503 }, DOWNLOAD);
    if (isStopped) world.docusign.onNext(DOWNLOAD, () => stop.abort());

    const { exit, out } = await runCommand(world, "replay --json", { signal: stop.signal });

    const [{ notNow, waiting }] = JSON.parse(out).links;
    assert.equal(exit, 75);
    assert.deepEqual(waiting, { "docusign-unavailable": 1 });
    assert.equal(notNow.reason, "docusign-unavailable");
    assert.ok(Date.parse(notNow.until) > world.clock.now.getTime());
  });
}

async function conclude({ world, admin }: Companies, ...names: string[]): Promise<void> {
  for (const subject of names)
    await world.docusign.concludeEnvelope({ from: admin, to: [CUSTOMER], subject });
}

/** Removes the queued imports, as if the queue had lost them. */
async function loseJobs(world: World): Promise<void> {
  await sql`delete from graphile_worker._private_jobs`.execute(world.service.foundation.working.db);
}
