import assert from "node:assert/strict";
import { test } from "node:test";
import { type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { startReconciliation } from "../../src/store/ledger/reconciliations.ts";
import type { Link } from "../../src/store/links/links.ts";
import {
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  subjects,
} from "../support/linked-world.ts";
import { createWorld, type World } from "../support/world.ts";
import { runCommand } from "./commands.ts";
import { conclude, theLink, wish } from "./concluded.ts";

const MINUTE_MS = 60_000;

const HOUR_MS = 60 * MINUTE_MS;

const DAY_MS = 24 * HOUR_MS;

test("a window that begins after what was reached imports its envelopes but proves nothing about the gap", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const before = await theLink(world);
  world.clock.pass(3 * DAY_MS);
  await concludeUnheard(world, wish(companies, "gap"));
  world.clock.pass(3 * DAY_MS);
  const from = new Date(world.clock.now);
  await concludeUnheard(world, wish(companies, "inside"));
  world.clock.pass(HOUR_MS);

  const { exit, out } = await runCommand(world, `reconcile --from ${from.toISOString()} --json`);

  assert.equal(exit, 0);
  const [run] = JSON.parse(out).links[0].reconciliations;
  assert.deepEqual([run.from, run.to], [from.toISOString(), world.clock.now.toISOString()]);
  assert.deepEqual(await subjects(world), ["inside"]);
  const after = await theLink(world);
  assert.deepEqual(reachedBy(after), reachedBy(before));
  await world.runHour();
  assert.deepEqual(await subjects(world), ["gap", "inside"]);
});

test("a window that ends in the past moves nothing back", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  await conclude(companies, "old");
  world.clock.pass(3 * DAY_MS);
  await world.link(admin);
  await world.runJobs();
  const before = await theLink(world);
  const to = "2031-01-16T00:00:00.000Z";

  const { exit, out } = await runCommand(world, `reconcile --to ${to} --json`);

  assert.equal(exit, 0);
  const [run] = JSON.parse(out).links[0].reconciliations;
  assert.deepEqual([run.kind, run.to, run.listed], ["manual", to, 1]);
  assert.deepEqual(reachedBy(await theLink(world)), reachedBy(before));
});

test("a window does not count as a first import, which is still due after it", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  await conclude(companies, "old");
  world.clock.pass(3 * DAY_MS);
  await conclude(companies, "new");
  world.clock.pass(MINUTE_MS);
  await world.link(admin);

  const { out } = await runCommand(world, "reconcile --from 2031-01-17 --to 2031-01-19 --json");
  const between = await theLink(world);
  const imported = await subjects(world);
  const first = await runCommand(world, "reconcile --json");

  assert.equal(JSON.parse(out).links[0].reconciliations[0].kind, "manual");
  assert.deepEqual(imported, ["new"]);
  assert.deepEqual([between.firstImport.listedAt, ...reachedBy(between)], [null, null, null]);
  assert.equal(JSON.parse(first.out).links[0].reconciliations[0].kind, "first");
  assert.deepEqual(await subjects(world), ["new", "old"]);
});

test("a window without a gap moves the link forward, but never beyond now", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  world.clock.pass(3 * DAY_MS);

  const { exit } = await runCommand(world, "reconcile --from 2030-01-01 --to 2040-01-01");

  assert.equal(exit, 0);
  assert.deepEqual(reachedBy(await theLink(world)), [world.clock.now, world.clock.now]);
});

test("a window in the future is a usage error", async () => {
  await using world = await createWorld();

  await assert.rejects(runCommand(world, "reconcile --from 2040-01-01"), { name: "UsageError" });
});

test("an interrupted run is completed before the requested one", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await beginWindow(world, "2031-01-01T00:00:00Z", "2031-01-02T00:00:00Z");
  await concludeUnheard(world, wish(companies, "契約"));
  world.clock.pass(MINUTE_MS);

  const { exit, out } = await runCommand(world, "reconcile --json");

  assert.equal(exit, 0);
  const { reconciliations } = JSON.parse(out).links[0];
  assert.deepEqual(
    reconciliations.map((run: any) => run.to),
    ["2031-01-02T00:00:00.000Z", world.clock.now.toISOString()],
  );
  assert.deepEqual(await subjects(world), ["契約"]);
});

test("an interrupted operator's run does not skip the hourly reconciliation", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await beginWindow(world, "2031-01-01T00:00:00Z", "2031-01-02T00:00:00Z");
  await concludeUnheard(world, wish(companies, "契約"));

  await world.runHour();

  assert.deepEqual(await subjects(world), ["契約"]);
  assert.deepEqual(reachedBy(await theLink(world)), [world.clock.now, world.clock.now]);
});

test("a stopped command leaves its run in progress, and the next one continues it", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await concludeUnheard(world, wish(companies, "契約"));
  world.clock.pass(MINUTE_MS);
  const stop = new AbortController();
  world.docusign.onNext("/envelopes", () => stop.abort());
  world.docusign.calls.length = 0;

  const stopped = await runCommand(world, "reconcile", { signal: stop.signal });
  const listings = world.docusign.callsTo("/envelopes").length;
  const imported = await subjects(world);
  const next = await runCommand(world, "reconcile");

  assert.equal(stopped.exit, 75);
  assert.equal(listings, 1);
  assert.deepEqual(imported, []);
  assert.equal(next.exit, 0);
  assert.deepEqual(await subjects(world), ["契約"]);
});

function reachedBy({ sentReached, receivedReached }: Link): (Date | null)[] {
  return [sentReached, receivedReached];
}

/** Leaves a run in progress, like a command that was stopped before its first page. */
async function beginWindow(world: World, from: string, to: string): Promise<void> {
  const link = await theLink(world);
  const linkId = parseUuid<LinkId>(link.id);
  assert.ok(linkId !== null);
  await startReconciliation(world.service.foundation.tasks.db, {
    linkId,
    tenant: link.tenant,
    kind: "manual",
    from: new Date(from),
    to: new Date(to),
    now: world.clock.now,
  });
}
