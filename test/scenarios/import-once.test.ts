import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { openFoundation } from "../../src/foundation.ts";
import { claimEnvelope } from "../../src/store/ledger/claims.ts";
import { findEnvelopes } from "../../src/store/ledger/envelopes.ts";
import { withSession } from "../../src/store/locks.ts";
import { type ImportRequest, importEnvelope } from "../../src/usecases/importing/import-envelope.ts";
import { reconcileAll } from "../../src/usecases/reconciling/reconcile-all.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  explain,
  fateOf,
  importRequestOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { allowWrites, refuseWrites } from "../support/refused-writes.ts";
import type { World } from "../support/world.ts";

const DOCUMENT = "/envelopes/{envelopeId}/documents/{documentId}";
const THREE = [{ name: "一" }, { name: "二" }, { name: "三" }];

/** How often each document was requested, in descending order. */
function downloads(world: World): number[] {
  const paths = world.docusign.callsTo(DOCUMENT).map((call) => call.path);
  const counts = Map.groupBy(paths, (path) => path).values();
  return [...counts].map((asked) => asked.length).sort((one, other) => other - one);
}

test("a repeated event changes nothing, before or after the import", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.holdDeliveries();

  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], documents: THREE });
  const [delivery] = await world.docusign.deliverTwice("all");
  await world.runJobs();
  await world.docusign.redeliver(delivery!);
  await world.runJobs();
  await world.runHour();

  assert.equal((await world.contracts()).length, 3);
  assert.deepEqual(downloads(world), [1, 1, 1]);
  const { body } = await (await world.api()).get("/v1/changes");
  assert.equal(body.items.length, 3);
});

test("an import that runs again finds its work done", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const { tasks } = world.service.foundation;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER], documents: THREE });
  const request = await importRequestOf(world, envelope);

  const first = await importEnvelope(tasks, request);
  const contracts = await world.contracts();
  const calls = world.docusign.calls.length;
  const second = await importEnvelope(tasks, request);

  assert.deepEqual([first.kind, second.kind], ["imported", "settled"]);
  assert.deepEqual(await world.contracts(), contracts);
  assert.equal(world.docusign.calls.length, calls, "a settled envelope costs no call");
});

test("an envelope imported by many workers in two processes at once is imported once", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  await using other = await openFoundation(world.config, {
    log: pino({ level: "silent" }),
    now: () => world.clock.now,
  });
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER], documents: THREE });
  const request = await importRequestOf(world, envelope);

  const here = [1, 2, 3].map(async () => await importEnvelope(world.service.foundation.tasks, request));
  const there = [1, 2, 3].map(async () => await importEnvelope(other.tasks, request));
  const outcomes = (await Promise.all([...here, ...there])).map(({ kind }) => kind);

  assert.equal(outcomes.filter((kind) => kind === "imported").length, 1);
  assert.ok(outcomes.every((kind) => ["imported", "busy", "settled"].includes(kind)));
  assert.equal((await world.contracts()).length, 3);
  assert.deepEqual(downloads(world), [1, 1, 1]);
});

test("events and the hourly reconciliation bring the same envelopes at the same time, and each is imported once", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const { foundation } = world.service;
  world.docusign.holdDeliveries();
  const names = Array.from({ length: 12 }, (_, index) => `契約 ${String(index).padStart(2, "0")}`);
  for (const subject of names) {
    await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject });
  }
  world.clock.pass(50 * 60 * 1000);

  await reconcileAll(foundation.tasks, world.clock.now);
  const workers = [1, 2, 3].map(async () => await world.service.runDueJobs());
  await Promise.all([world.docusign.deliver("all", { atOnce: true }), ...workers]);
  await Promise.all([world.service.runDueJobs(), world.service.runDueJobs(), world.service.runDueJobs()]);
  await world.runJobs();

  assert.deepEqual(await subjects(world), names);
  assert.deepEqual(
    downloads(world),
    names.map(() => 1),
  );
});

test("a retry does not download stored documents again", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const isThird = ({ path }: { path: string }) => path.endsWith("/documents/3");
  world.docusign.failNext(2, { status: 503 }, isThird);

  const envelope = await world.docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    documents: THREE,
  });
  await world.runJobs();
  assert.equal(await fateOf(world, envelope), "waiting docusign-unavailable");
  assert.deepEqual(await world.contracts(), []);
  world.clock.pass(60_000);
  await world.runJobs();
  world.clock.pass(60_000);
  await world.runJobs();

  assert.equal((await world.contracts()).length, 3);
  assert.deepEqual(downloads(world), [3, 1, 1]);
});

test("a failed commit leaves no contract, and the retry downloads no document again", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world, colleague } = companies;
  const { db } = world.service.foundation.working;
  await refuseWrites(db, "change");

  const envelope = await world.docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    documents: THREE,
  });
  await world.runJobs();
  assert.deepEqual(await world.contracts(), []);
  const waiting = await explain(world, envelope);
  assert.deepEqual([waiting.reason, waiting.lastError], ["import-failed", "internal"]);
  const lines = world.logged.map((line) => JSON.parse(line)).filter(({ msg }) => msg === "import failed");
  assert.deepEqual(
    lines.map(({ envelopeId, linkId }) => [envelopeId, linkId]),
    [[envelope.envelopeId, (await linkOf(world)).id]],
  );
  assert.equal(lines[0].err.message, "disk full");
  await allowWrites(db, "change");
  world.clock.pass(60_000);
  await world.runJobs();

  assert.equal((await world.contracts()).length, 3);
  assert.deepEqual(downloads(world), [1, 1, 1]);
});

/** Wraps the tasks so that each DocuSign call records the envelope's lease in the ledger. */
function watching({ tasks }: World["service"]["foundation"], { envelopeId }: ImportRequest) {
  const dueInHand: (Date | null | undefined)[] = [];
  const watch = async (): Promise<void> => {
    const entries = await findEnvelopes(tasks.db, "tenant-1", [envelopeId]);
    dueInHand.push(entries.get(envelopeId)?.waitingUntil);
  };
  const watched: typeof tasks = {
    ...tasks,
    openAccount: (...opening) => {
      const account = tasks.openAccount(...opening);
      return {
        ...account,
        getEnvelope: async (id) => {
          await watch();
          return await account.getEnvelope(id);
        },
        downloadDocument: async (id, documentId) => {
          await watch();
          return await account.downloadDocument(id, documentId);
        },
      };
    },
  };
  return { watched, dueInHand };
}

test("a lease expires after two minutes if the worker dies", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  const request = await importRequestOf(world, envelope);
  const { watched, dueInHand } = watching(world.service.foundation, request);

  const outcome = await importEnvelope(watched, request);

  assert.equal(outcome.kind, "imported");
  const inTwoMinutes = new Date(world.clock.now.getTime() + 2 * 60 * 1000);
  assert.deepEqual(dueInHand, [inTwoMinutes, inTwoMinutes]);
});

test("an envelope first excluded as not completed is leased for two minutes too, once it is completed", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const { docusign } = world;
  const envelope = await docusign.sendEnvelope({ from: colleague, to: [CUSTOMER] });
  const request = await importRequestOf(world, envelope);
  const { watched, dueInHand } = watching(world.service.foundation, request);
  const early = await importEnvelope(world.service.foundation.tasks, request);
  await docusign.completeEnvelope(envelope);

  const late = await importEnvelope(watched, request);

  assert.deepEqual([early.kind, late.kind], ["excluded", "imported"]);
  const inTwoMinutes = new Date(world.clock.now.getTime() + 2 * 60 * 1000);
  assert.deepEqual(dueInHand, [null, inTwoMinutes]);
});

test("an envelope leased by a worker that died is imported by the next hour", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const { tasks } = world.service.foundation;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "in hand" });
  const { now } = world.clock;
  const leaseUntil = new Date(now.getTime() + 120_000);
  const claim = { ...(await importRequestOf(world, envelope)), now, leaseUntil };
  await withSession(tasks.db, async (session) => await claimEnvelope(session, claim));

  await world.runHour();

  assert.deepEqual(await subjects(world), ["in hand"]);
});

test("attempts and the last error are shown until the import succeeds", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.failNext(
    2,
    { status: 500, body: { errorCode: "UNSPECIFIED_ERROR", message: "x" } },
    DOCUMENT,
  );

  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  const first = await explain(world, envelope);
  world.clock.pass(5_000);
  await world.runJobs();
  const second = await explain(world, envelope);
  world.clock.pass(10_000);
  await world.runJobs();
  const third = await explain(world, envelope);

  assert.deepEqual([first.attempts, second.attempts, third.attempts], [1, 2, 3]);
  assert.deepEqual(
    [first.lastError, second.lastError, third.lastError],
    ["UNSPECIFIED_ERROR", "UNSPECIFIED_ERROR", null],
  );
  assert.equal(first.waitingFor.until, "2031-01-15T03:10:05.000Z");
  assert.equal(second.waitingFor.until, "2031-01-15T03:10:15.000Z");
});
