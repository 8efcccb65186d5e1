import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { findLink } from "../../src/store/links/links.ts";
import { findOutage } from "../../src/store/outages.ts";
import { reconcileNow } from "../../src/usecases/operating/reconcile-now.ts";
import { breakStore, repairStore } from "../support/broken-store.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  explain,
  fateOf,
  linkIdOf,
  linkOf,
} from "../support/linked-world.ts";
import { MINUTE_MS } from "../support/reconciling.ts";
import type { World } from "../support/world.ts";

const DOCUMENT = "/envelopes/{envelopeId}/documents/{documentId}";
const REASON = "document-store-unavailable";

test("while the document store refuses writes, imports wait, nothing is downloaded, and probes find its return", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world, colleague } = companies;
  await breakStore(world);
  const first = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  const second = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  const unheard = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });

  await passMinutes(world, 5);
  await world.runHour();
  await passMinutes(world, 5);

  assert.equal(world.docusign.callsTo(DOCUMENT).length, 1);
  for (const envelope of [first, second, unheard]) {
    const { reason, lastError, waitingFor } = await explain(world, envelope);
    assert.deepEqual([reason, lastError, waitingFor.reason], [REASON, "ENOTDIR", REASON]);
    assert.deepEqual(Object.keys(waitingFor), ["reason", "until"]);
  }
  const { db } = world.service.foundation.working;
  const stored =
    await sql`select distinct reason from envelope where state = 'waiting' and attempts > 0`.execute(db);
  assert.deepEqual(stored.rows, [{ reason: "import-failed" }], "version 0.1 must be able to read it");
  const { notice } = await linkOf(world);
  assert.deepEqual([notice.code, notice.since], [REASON, "2031-01-15T03:10:00.000Z"]);
  const probes = linesOf(world, "the document store still refuses writes");
  assert.deepEqual(new Set(probes.map(({ code }) => code)), new Set(["ENOTDIR"]));
  // One a minute after the first minute.
  assert.ok(probes.length >= 12 && probes.length <= 65, String(probes.length));

  await repairStore(world);
  await passMinutes(world, 1);

  assert.deepEqual(
    await Promise.all([first, second, unheard].map(async (envelope) => await fateOf(world, envelope))),
    ["imported sent", "imported sent", "imported sent"],
  );
  assert.equal(world.docusign.callsTo(DOCUMENT).length, 4);
  assert.equal((await linkOf(world)).notice, null);
  assert.equal(await findOutage(db), null);
});

test("a store that accepts the probe but no document is tried less and less often", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world, colleague } = companies;
  for (let count = 0; count < 20; count += 1)
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  const { documents } = world.service.foundation.tasks;
  const put = documents.put.bind(documents);
  documents.put = async (key, source) => {
    if (key.startsWith("check/")) return await put(key, source);
    await breakStore(world);
    try {
      return await put(key, source);
    } finally {
      await repairStore(world);
    }
  };

  await world.runHour();
  await passMinutes(world, 10);

  assert.ok(world.docusign.callsTo(DOCUMENT).length <= 20, String(world.docusign.callsTo(DOCUMENT).length));
});

test("an operator's reconcile names the store's error and leaves the imports for later", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world, colleague } = companies;
  await breakStore(world);
  for (let count = 0; count < 8; count += 1)
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  const { tasks } = world.service.foundation;
  const link = (await findLink(tasks.db, await linkIdOf(world))) ?? assert.fail("no link");

  const { obstacle, waiting } = await reconcileNow(tasks, link, {
    from: null,
    to: null,
    signal: new AbortController().signal,
    onProgress: () => {},
  });

  assert.deepEqual([obstacle?.reason, obstacle?.code, waiting], [REASON, "ENOTDIR", { [REASON]: 8 }]);
  assert.ok(world.docusign.callsTo(DOCUMENT).length <= tasks.lanes);
});

test("the hour queues a lost probe again", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world, colleague } = companies;
  await breakStore(world);
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  await repairStore(world);
  const { db } = world.service.foundation.working;
  await sql`delete from graphile_worker._private_jobs where key = 'probe-documents'`.execute(db);

  await passMinutes(world, 10);
  assert.equal(await fateOf(world, envelope), `waiting ${REASON}`);
  await world.runHour();

  assert.equal(await fateOf(world, envelope), "imported sent");
});

async function passMinutes(world: World, minutes: number): Promise<void> {
  for (let passed = 0; passed < minutes * 2; passed += 1) {
    world.clock.pass(MINUTE_MS / 2);
    await world.runJobs();
  }
}

function linesOf({ logged }: World, message: string): { code?: string }[] {
  return logged.map((line) => JSON.parse(line)).filter(({ msg }) => msg === message);
}
