import assert from "node:assert/strict";
import { test } from "node:test";
import { replayEvents } from "../../src/usecases/operating/replay-events.ts";
import { reconcileAll } from "../../src/usecases/reconciling/reconcile-all.ts";
import {
  type Companies,
  CUSTOMER,
  createLinkedCompanies,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { createRandom } from "../support/random.ts";
import { assertAddsUp, entriesOf } from "../support/reconciling.ts";
import { settleUntilNextHour } from "../support/settle.ts";
import type { World } from "../support/world.ts";
import { atOnce, startProcess, workAt } from "./processes.ts";

const SEEDS = [1, 2, 3];
const NAMES = Array.from({ length: 6 }, (_, index) => `契約 ${index}`);
const DOCUMENT = "/envelopes/{envelopeId}/documents/{documentId}";

for (const seed of SEEDS) {
  test(`envelopes brought at once by events, the hour, a replay and a second tenant's link are imported once per tenant (seed ${seed})`, async () => {
    await using companies = await createTwiceLinked();
    const { world, colleague } = companies;
    const random = createRandom(seed);
    await using first = await startProcess(world, random);
    await using second = await startProcess(world, random);
    world.docusign.holdDeliveries();
    for (const subject of NAMES)
      await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject });
    await world.docusign.deliver(NAMES.length, { atOnce: true });
    world.clock.pass(50 * 60_000);

    await atOnce<unknown>(random, [
      async () => await world.docusign.deliver("all", { atOnce: true }),
      async () => await reconcileAll(first.tasks, world.clock.now),
      async () => await replayAll(second.tasks),
      async () => await workAt(first),
      async () => await workAt(second),
      async () => await workAt(first),
    ]);
    await atOnce(random, [async () => await workAt(first), async () => await workAt(second)]);
    await settleUntilNextHour(world);

    assert.deepEqual(await subjects(world, "tenant-1"), NAMES);
    assert.deepEqual(await subjects(world, "tenant-2"), NAMES);
    assert.deepEqual(await changesOf(world), NAMES.length * 2);
    assert.deepEqual(
      downloads(world),
      NAMES.map(() => 2),
    );
  });
}

for (const seed of SEEDS) {
  test(`two overlapping hours count each envelope once and miss none (seed ${seed})`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    const random = createRandom(seed);
    await using first = await startProcess(world, random);
    await using second = await startProcess(world, random);
    world.docusign.loseNext(NAMES.length);
    for (const subject of NAMES)
      await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject });
    const hours = [new Date("2031-01-15T04:00:00Z"), new Date("2031-01-15T05:00:00Z")] as const;
    world.clock.now = hours[1];

    await atOnce(random, [
      async () => await reconcileAll(first.tasks, hours[0]),
      async () => await reconcileAll(second.tasks, hours[1]),
      async () => await workAt(first),
      async () => await workAt(second),
      async () => await workAt(second),
    ]);
    await settleUntilNextHour(world);

    assert.deepEqual(await subjects(world), NAMES);
    const entries = (await entriesOf(world)).filter(({ kind }) => kind === "hourly");
    assert.equal(
      entries.reduce((sum, { missed }) => sum + missed, 0),
      NAMES.length,
    );
    assert.ok(entries.every(({ state }) => state === "done"));
    const link = await linkOf(world);
    assertAddsUp(link);
    assert.equal(link.totals.atDocuSign, NAMES.length);
  });
}

/** A second admin links the same account for a second tenant with its own group. */
async function createTwiceLinked(): Promise<Companies> {
  const companies = await createLinkedCompanies();
  const { world, account } = companies;
  const other = world.docusign.addUser(account, { name: "高橋", role: "DS Admin" });
  assert.equal(await world.link(other, { tenant: "tenant-2", group: "group-2" }), "linked");
  await world.runJobs();
  return companies;
}

async function replayAll(tasks: Parameters<typeof replayEvents>[0]): Promise<void> {
  const { signal } = new AbortController();
  const links = replayEvents(tasks, { linkId: null, since: null, signal, onProgress: () => {} });
  for await (const { obstacle } of links) assert.equal(obstacle, null);
}

async function changesOf({ service }: World): Promise<number> {
  const rows = await service.foundation.working.db.selectFrom("change").select("id").execute();
  return rows.length;
}

/** Counts the downloads of each document. */
function downloads(world: World): number[] {
  const paths = world.docusign.callsTo(DOCUMENT).map(({ path }) => path);
  return [...Map.groupBy(paths, (path) => path).values()].map(({ length }) => length);
}
