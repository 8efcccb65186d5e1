import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { type AccountId, parseUuid } from "../../src/domain/identifiers.ts";
import { pauseAccount } from "../../src/store/budgets.ts";
import { nextDueAt } from "../../src/store/ledger/waiting-envelopes.ts";
import { recordOutage } from "../../src/store/outages.ts";
import { PRIORITY } from "../../src/store/queue/queue.ts";
import { runBacklogTurn } from "../../src/usecases/importing/import-backlog.ts";
import { wakeBacklog } from "../../src/usecases/importing/wake-backlog.ts";
import type { Failure } from "../support/docusign/faults.ts";
import type { Envelope } from "../support/docusign/state.ts";
import { importNow } from "../support/importing.ts";
import {
  type Companies,
  CUSTOMER,
  createCompanies,
  createLinkedCompanies,
  endLink,
  linkIdOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { concludeQuietly, MINUTE_MS } from "../support/reconciling.ts";
import { stepNow, stepOn } from "../support/stepping.ts";
import { until } from "../support/waiting.ts";
import type { World } from "../support/world.ts";

const DOWNLOAD = "/envelopes/{envelopeId}/documents/{documentId}";
const UNAVAILABLE: Failure = { status: 503 };

/** Concludes envelopes with these subjects without sending an event. */
function conclude({ world, colleague }: Companies, ...names: readonly string[]): Envelope[] {
  return concludeQuietly(world, names.length, (number) => ({
    from: colleague,
    to: [CUSTOMER],
    subject: names[number] ?? "",
    completedAt: new Date(world.clock.now.getTime() - (names.length - number) * 1_000),
  }));
}

/** Returns a link whose first import has listed these envelopes without importing any; the queue is empty. */
async function createFirstImport(...names: readonly string[]): Promise<Companies> {
  const companies = await createCompanies();
  const { world, admin } = companies;
  conclude(companies, ...names);
  assert.equal(await world.link(admin), "linked");
  await stepOn(world);
  await emptyQueue(world);
  return companies;
}

/** Returns a link whose hourly run has found these envelopes without importing any; the queue is empty. */
async function createBacklog(...names: readonly string[]): Promise<Companies> {
  return await findAll(await createLinkedCompanies(), names);
}

async function findAll(companies: Companies, names: readonly string[]): Promise<Companies> {
  conclude(companies, ...names);
  companies.world.clock.pass(MINUTE_MS);
  await stepOn(companies.world);
  await emptyQueue(companies.world);
  return companies;
}

async function emptyQueue({ service }: World): Promise<void> {
  await sql`select graphile_worker.complete_jobs(array(select id from graphile_worker.jobs))`.execute(
    service.foundation.working.db,
  );
}

const PRIORITIES = new Map<number, string>(Object.entries(PRIORITY).map(([name, value]) => [value, name]));

/** Returns the queued turns: lane, priority and start time. */
async function queuedTurns({ service }: World): Promise<string[]> {
  const { rows } = await sql<{ key: string; priority: number; run_at: Date; is_due: boolean }>`
    select key, priority, run_at, run_at <= now() as is_due from graphile_worker.jobs
    where task_identifier = 'import-backlog' order by key`.execute(service.foundation.working.db);
  return rows.map(({ key, priority, run_at, is_due }) => {
    const when = is_due ? "now" : run_at.toISOString().slice(11, 19);
    return `${key.split(":").at(-1)} ${PRIORITIES.get(priority)} ${when}`;
  });
}

/** Runs one turn of this lane of the link's backlog, which has four lanes; returns the import outcomes. */
async function takeTurn(world: World, { lane = 0, isEnding = false } = {}): Promise<string[]> {
  const outcomes: string[] = [];
  const { tasks } = world.service.foundation;
  const metrics = { ...tasks.metrics, importEnded: (kind: string) => void outcomes.push(kind) };
  const signal = isEnding ? AbortSignal.abort() : new AbortController().signal;
  await runBacklogTurn({ ...tasks, lanes: 4, metrics }, { linkId: await linkIdOf(world), lane, signal });
  return outcomes;
}

async function wake(world: World): Promise<void> {
  await wakeBacklog(world.service.foundation.working.db, await linkIdOf(world), world.clock.now);
}

test("a backlog with a due envelope is woken at once, with higher priority for hourly findings than for a first import", async () => {
  await using first = await createFirstImport("old");
  await using hourly = await createBacklog("found");

  await wake(first.world);
  await wake(hourly.world);

  assert.deepEqual(await queuedTurns(first.world), ["0 firstImport now"]);
  assert.deepEqual(await queuedTurns(hourly.world), ["0 reconciliation now"]);
});

test("a backlog is woken when the next envelope is due, and never if none is waiting", async () => {
  await using companies = await createBacklog("found");
  const { world } = companies;
  world.docusign.failNext(1, UNAVAILABLE, DOWNLOAD);
  assert.deepEqual(await takeTurn(world), ["waiting"]);
  await emptyQueue(world);
  const { db } = world.service.foundation.working;
  const due = new Date("2031-01-15T03:40:00Z");
  await db.updateTable("envelope").set({ waiting_until: due }).execute();

  await wake(world);
  assert.deepEqual(await queuedTurns(world), ["0 reconciliation 03:40:00"]);
  await emptyQueue(world);
  world.clock.now = due;
  await wake(world);
  assert.deepEqual(await queuedTurns(world), ["0 reconciliation now"]);
  await emptyQueue(world);

  assert.deepEqual(await takeTurn(world), ["imported"]);
  await wake(world);
  assert.deepEqual(await queuedTurns(world), []);
});

test("the backlog of a link that a person must repair is neither woken nor processed", async () => {
  await using companies = await createBacklog("found");
  const { world, admin } = companies;
  world.docusign.revokeConsent(admin);
  assert.deepEqual(await takeTurn(world), ["waiting"]);
  assert.equal((await linkOf(world)).state, "error");
  await emptyQueue(world);

  await wake(world);

  assert.deepEqual(await takeTurn(world), []);
  assert.deepEqual(await queuedTurns(world), []);
});

test("the first lane starts as many other lanes as the work needs and the link has; other lanes start none", async () => {
  await using three = await createBacklog("a", "b", "c");
  await using many = await createBacklog("a", "b", "c", "d", "e", "f", "g");

  await takeTurn(three.world, { lane: 1, isEnding: true });
  assert.deepEqual(await queuedTurns(three.world), ["1 reconciliation now"]);
  await emptyQueue(three.world);
  await takeTurn(three.world);
  await takeTurn(many.world);

  assert.deepEqual(await queuedTurns(three.world), ["1 reconciliation now", "2 reconciliation now"]);
  assert.deepEqual(await queuedTurns(many.world), [
    "1 reconciliation now",
    "2 reconciliation now",
    "3 reconciliation now",
  ]);
});

test("a turn interrupted by shutdown leaves the next turn and its other lanes queued", async () => {
  await using companies = await createFirstImport("a", "b", "c");
  const { world } = companies;

  assert.deepEqual(await takeTurn(world, { isEnding: true }), []);

  assert.deepEqual(await queuedTurns(world), ["0 firstImport now", "1 firstImport now", "2 firstImport now"]);
});

test("while calls to an account are paused, only its first lane waits for the end of the pause", async () => {
  await using companies = await createBacklog("a", "b", "c");
  const { world } = companies;
  const { account } = await linkOf(world);
  const until = new Date("2031-01-15T03:50:00Z");
  await world.service.foundation.tasks.budgets.pause(account.id, until);

  assert.deepEqual(await takeTurn(world, { lane: 1 }), []);
  assert.deepEqual(await queuedTurns(world), []);
  assert.deepEqual(await takeTurn(world), []);

  assert.deepEqual(await queuedTurns(world), ["0 reconciliation 03:50:00"]);
});

test("a first import that is held back starts no lanes and waits for the hour's end, while newer envelopes are imported", async () => {
  await using companies = await createFirstImport("a", "b", "c");
  const { world, account } = companies;
  world.docusign.setLimits({ hourly: 100 });
  // The response to the first download reports that only the reserve is left.
  world.docusign.onNext(DOWNLOAD, () => world.docusign.spendCalls(account, 75));

  assert.deepEqual(await takeTurn(world, { lane: 1 }), ["imported", "waiting"]);
  await emptyQueue(world);
  const held = await takeTurn(world);
  assert.deepEqual([held, await queuedTurns(world)], [[], ["0 firstImport 04:00:00"]]);

  conclude(companies, "newer");
  world.clock.pass(MINUTE_MS);
  await stepOn(world);
  await emptyQueue(world);
  assert.deepEqual(await takeTurn(world), ["imported"]);
  assert.ok((await subjects(world)).includes("newer"));
  assert.deepEqual(await queuedTurns(world), ["0 firstImport 04:00:00"]);
});

test("envelopes newer than a first import that is held back do not wait for the hour's end, however many there are", async () => {
  await using companies = await createFirstImport("old");
  const { world, account } = companies;
  world.docusign.setLimits({ hourly: 1_000 });
  world.docusign.spendCalls(account, 900);
  conclude(companies, "newer", "newer too");
  world.clock.pass(MINUTE_MS);
  await stepOn(world);
  await emptyQueue(world);
  world.docusign.onNext(DOWNLOAD, () => world.clock.pass(1_000));

  assert.deepEqual(await takeTurn(world), ["imported"]);

  assert.deepEqual(await queuedTurns(world), ["0 firstImport now"]);
});

test("an envelope is leased for two minutes during its import", async () => {
  await using companies = await createBacklog("a");
  const { world } = companies;
  const { db } = world.service.foundation.working;
  const leases: (Date | null)[] = [];
  world.docusign.onNext(DOWNLOAD, async () => {
    const linkId = await linkIdOf(world);
    leases.push(await nextDueAt(db, linkId));
  });

  await takeTurn(world);

  assert.deepEqual(leases, [new Date(world.clock.now.getTime() + 2 * MINUTE_MS)]);
});

test("a turn ends after one second and queues the next one", async () => {
  await using companies = await createBacklog("a", "b", "c");
  const { world } = companies;
  world.docusign.onNext(DOWNLOAD, () => {
    world.clock.pass(999);
    world.docusign.onNext(DOWNLOAD, () => world.clock.pass(1));
  });

  assert.deepEqual(await takeTurn(world, { lane: 1 }), ["imported", "imported"]);

  assert.deepEqual(await queuedTurns(world), ["1 reconciliation now"]);
});

test("a lane other than the first does not wait for envelopes that are due later", async () => {
  await using companies = await createBacklog("a");
  const { world } = companies;
  world.docusign.failNext(1, UNAVAILABLE, DOWNLOAD);

  assert.deepEqual(await takeTurn(world, { lane: 1 }), ["waiting"]);

  assert.deepEqual(await queuedTurns(world), []);
});

test("an envelope that waits for its own cause delays no other", async () => {
  await using companies = await createBacklog("a", "b", "c");
  const { world } = companies;
  world.docusign.failNext(1, UNAVAILABLE, DOWNLOAD);

  assert.deepEqual(await takeTurn(world), ["waiting", "imported", "imported"]);
});

const OF_ALL: Readonly<Record<string, (companies: Companies) => Promise<unknown> | void>> = {
  "account-throttled": ({ world }) => {
    const body = { errorCode: "HOURLY_APIINVOCATION_LIMIT_EXCEEDED", message: "x" };
    world.docusign.failNext(1, { status: 400, body }, DOWNLOAD);
  },
  "link-error": ({ world, admin }) => world.docusign.revokeConsent(admin),
  "group-missing": ({ world }) => world.docusign.onNext(DOWNLOAD, async () => await removeGroup(world)),
};

async function removeGroup(world: World): Promise<void> {
  const { status } = await (await world.api()).send("DELETE", "/v1/groups/group-1");
  assert.equal(status, 204);
}

for (const [reason, befall] of Object.entries(OF_ALL)) {
  test(`the first envelope that meets a cause shared by all ends the turn for all: ${reason}`, async () => {
    await using companies = await createBacklog("a", "b", "c");
    const { world } = companies;
    await befall(companies);

    assert.deepEqual(await takeTurn(world), ["waiting"]);

    const rows = await world.service.foundation.working.db
      .selectFrom("envelope")
      .select("reason")
      .where("reason", "=", reason)
      .execute();
    assert.equal(rows.length, 1);
  });
}

test("a turn claims no other envelope once its link is stopped", async () => {
  await using companies = await createBacklog("a", "b", "c");
  const { world } = companies;
  world.docusign.onNext(DOWNLOAD, async () => await removeGroup(world));
  world.docusign.failNext(1, UNAVAILABLE, DOWNLOAD);

  assert.deepEqual(await takeTurn(world, { lane: 1 }), ["waiting"]);

  assert.deepEqual(await queuedTurns(world), []);
});

const STOPS: Readonly<Record<string, (companies: Companies) => Promise<unknown>>> = {
  "the document store refuses writes": async ({ world }) =>
    await recordOutage(world.service.foundation.working.db, "ENOSPC", world.clock.now),
  "the account's calls are paused": async ({ world, account }) =>
    await pauseAccount(
      world.service.foundation.working.db,
      parseUuid<AccountId>(account.accountId)!,
      new Date(world.clock.now.getTime() + MINUTE_MS),
      world.clock.now,
    ),
};

for (const [what, stop] of Object.entries(STOPS)) {
  test(`a turn claims no other envelope once another worker has noted that ${what}`, async () => {
    await using companies = await createBacklog("a", "b");
    const { world } = companies;
    world.docusign.onNext(DOWNLOAD, async () => void (await stop(companies)));

    assert.deepEqual(await takeTurn(world), ["imported"]);
  });
}

test("a lane holds the lock of an envelope until it claims the next one", async () => {
  await using companies = await createBacklog("a", "b");
  const { world } = companies;
  const others: string[] = [];
  const importToo = async (path = ""): Promise<void> => {
    const envelope = [...world.docusign.state.envelopes.values()].find(({ envelopeId }) =>
      path.includes(envelopeId),
    );
    others.push((await importNow(world, envelope!)).kind);
  };
  world.docusign.onNext(DOWNLOAD, async () => {
    const first = world.docusign.calls.at(-1)?.path;
    await importToo(first);
    world.docusign.onNext(DOWNLOAD, async () => await importToo(first));
  });

  assert.deepEqual(await takeTurn(world), ["imported", "imported"]);

  assert.deepEqual(others, ["busy", "settled"]);
});

test("a turn ends when its link ends", async () => {
  await using companies = await createBacklog("a", "b", "c");
  const { world } = companies;
  world.docusign.onNext(DOWNLOAD, async () => {
    assert.equal((await endLink(world)).status, 204);
  });

  assert.deepEqual(await takeTurn(world), ["link-ended"]);
});

test("each import outcome is counted, including exclusions", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const [empty] = conclude(companies, "a", "b");
  empty!.documents = [];
  world.clock.pass(MINUTE_MS);
  await stepOn(world);

  assert.deepEqual((await takeTurn(world)).sort(), ["excluded", "imported"]);
});

test("a first import is completed by the turn after which none of its envelopes waits, and stays completed", async () => {
  await using companies = await createFirstImport("a", "b");
  const { world } = companies;
  world.docusign.failNext(1, UNAVAILABLE, DOWNLOAD);

  await takeTurn(world);
  const meanwhile = (await linkOf(world)).firstImport;
  world.clock.pass(MINUTE_MS);
  await takeTurn(world);
  const after = (await linkOf(world)).firstImport;
  const doneAt = await doneAtOf(world);
  world.clock.pass(MINUTE_MS);
  await takeTurn(world);

  assert.deepEqual([meanwhile.done, after.done, after.estimatedEnd], [1, 2, null]);
  assert.deepEqual(await doneAtOf(world), doneAt);
});

test("a first import is not completed while its listing continues, even if no listed envelope waits", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  world.docusign.setListingHabits({ rowsAtMost: 2 });
  conclude(companies, "a", "b", "c");
  await world.link(admin);
  assert.equal((await stepNow(world)).kind, "more");

  assert.deepEqual(await takeTurn(world), ["imported", "imported"]);

  assert.equal(await doneAtOf(world), null);
});

async function doneAtOf({ service }: World): Promise<Date | null> {
  const { db } = service.foundation.working;
  const row = await db.selectFrom("link").select("first_import_done_at").executeTakeFirstOrThrow();
  return row.first_import_done_at;
}

const MANY = Array.from({ length: 12 }, (_, number) => `contract ${number}`);

/** Returns how many contracts each commit imported, in order; the ids of transactions increase. */
async function contractsPerCommit({ service }: World): Promise<number[]> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from contract group by xmin order by xmin::text::bigint`.execute(
    service.foundation.working.db,
  );
  return rows.map(({ count }) => count);
}

async function dueNow(world: World): Promise<{ attempts: number }[]> {
  return await world.service.foundation.working.db
    .selectFrom("envelope")
    .select("attempts")
    .where("state", "=", "waiting")
    .where("waiting_until", "<=", world.clock.now)
    .execute();
}

test("a lane commits up to ten envelopes together that it imports quickly, after the first one", async () => {
  await using companies = await createBacklog(...MANY);
  const { world } = companies;

  assert.equal((await takeTurn(world, { lane: 1 })).length, 12);

  assert.deepEqual(await contractsPerCommit(world), [1, 10, 1]);
});

test("a lane commits as few envelopes together as it imports in a fifth of a second", async () => {
  await using companies = await createBacklog(...MANY.slice(0, 5));
  const { world } = companies;
  const slowly = (): void => {
    world.clock.pass(100);
    world.docusign.onNext(DOWNLOAD, slowly);
  };
  world.docusign.onNext(DOWNLOAD, slowly);

  assert.equal((await takeTurn(world, { lane: 1 })).length, 5);

  assert.deepEqual(await contractsPerCommit(world), [1, 2, 2]);
});

test("a contract does not wait for the slow download of the next one", async () => {
  await using companies = await createBacklog("a", "b", "c");
  const { world } = companies;
  const untilTwo = async (): Promise<void> =>
    void (await until(async () => (await contractsPerCommit(world)).length === 2, "the second contract"));
  world.docusign.onNext(DOWNLOAD, () =>
    world.docusign.onNext(DOWNLOAD, () => world.docusign.onNext(DOWNLOAD, untilTwo)),
  );

  assert.deepEqual(await takeTurn(world, { lane: 1 }), ["imported", "imported", "imported"]);

  assert.deepEqual(await contractsPerCommit(world), [1, 1, 1]);
});

test("an envelope that was tried before is imported by itself", async () => {
  await using companies = await createBacklog(...MANY.slice(0, 4));
  const { world } = companies;
  await world.service.foundation.working.db.updateTable("envelope").set({ attempts: 1 }).execute();

  assert.equal((await takeTurn(world, { lane: 1 })).length, 4);

  assert.deepEqual(await contractsPerCommit(world), [1, 1, 1, 1]);
});

const INTERRUPTIONS: Readonly<Record<string, (companies: Companies) => unknown>> = {
  "its turn ends": ({ world }) => world.docusign.onNext(DOWNLOAD, () => world.clock.pass(1_000)),
  "DocuSign limits the account's calls": OF_ALL["account-throttled"] ?? assert.fail(),
};

for (const [what, interrupt] of Object.entries(INTERRUPTIONS)) {
  test(`a lane gives back the envelopes that it has claimed if ${what}`, async () => {
    await using companies = await createBacklog("a", "b", "c", "d");
    const { world } = companies;
    world.docusign.onNext(DOWNLOAD, () => void interrupt(companies));

    assert.equal((await takeTurn(world, { lane: 1 })).length, 2);

    assert.deepEqual(await dueNow(world), [{ attempts: 0 }, { attempts: 0 }]);
  });
}

test("an envelope that cannot be committed does not keep back those that were to be committed with it", async () => {
  const linked = await createLinkedCompanies({ expectErrors: true });
  await using companies = await findAll(linked, ["a", "b", "refused", "d"]);
  const { world } = companies;
  const { db } = world.service.foundation.working;
  await sql`alter table contract add constraint refusing check (subject <> 'refused')`.execute(db);
  await sql`
    update envelope set waiting_until = waiting_until - interval '1 second'
    where listing ->> 'subject' <> 'refused'`.execute(db);

  const outcomes = await takeTurn(world, { lane: 1 });

  assert.deepEqual(outcomes.sort(), ["imported", "imported", "imported", "waiting"]);
  assert.deepEqual((await subjects(world)).sort(), ["a", "b", "d"]);
});
