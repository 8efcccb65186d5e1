import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { DocuSignFault } from "../../src/docusign/faults/faults.ts";
import type { CallLimits } from "../../src/docusign/faults/limits.ts";
import { type AccountId, parseUuid } from "../../src/domain/identifiers.ts";
import { findBudget } from "../../src/store/budgets.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { createCallBudgets } from "../../src/usecases/account/call-budgets.ts";
import type { CallBudgets, CallKind } from "../../src/usecases/capabilities.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { HOUR_MS } from "../support/reconciling.ts";
import { refuseWrites } from "../support/refused-writes.ts";

const END_OF_HOUR = new Date("2031-01-15T04:00:00Z");
const GO = { kind: "go" };
const WAIT = { kind: "wait", until: END_OF_HOUR };

type Line = { readonly details: object; readonly message: string };

/** Processes that share a database and an account of 100 calls an hour, 25 of which first imports leave unused. */
type Processes = AsyncDisposable & {
  readonly db: Database;
  readonly account: AccountId;
  readonly clock: { now: Date };
  start(): CallBudgets;
  /** Waits for a log line. */
  logged(): Promise<Line>;
  /** The limits in a DocuSign response, for this hour by default. */
  answer(remaining: number | null, resetsAt?: Date): CallLimits;
  /** Waits until the database has stored this number of remaining calls. */
  shared(remaining: number): Promise<void>;
};

/** Queries the database until `look` finds something. */
async function find<Found>(look: () => Promise<Found | undefined>): Promise<Found> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const found = await look();
    if (found !== undefined) return found;
  }
  return assert.fail("no result after 1,000 tries");
}

async function createProcesses(): Promise<Processes> {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await createTestDatabase());
  const { db, close } = openDatabase(database.connectionString, { max: 1 });
  opened.defer(close);
  const account = parseUuid<AccountId>(randomUUID()) ?? assert.fail();
  const clock = { now: new Date("2031-01-15T03:10:00Z") };
  const lines: Line[] = [];
  const log = {
    warn: (details: object, message: string) => void lines.push({ details, message }),
    error: () => assert.fail("an error was logged"),
  };
  const kept = opened.move();
  return {
    db,
    account,
    clock,
    start: () => createCallBudgets({ db, log, now: () => clock.now, reserveShare: 0.25 }),
    answer: (remaining, resetsAt = END_OF_HOUR) => ({
      limit: 100,
      remaining,
      resetsAt,
      burstLimit: null,
      burstRemaining: null,
    }),
    async shared(remaining) {
      await find(async () => ((await findBudget(db, account))?.remaining === remaining ? true : undefined));
    },
    async logged() {
      return await find(async () => {
        await findBudget(db, account);
        return lines[0];
      });
    },
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

test("calls in progress count as made until they are answered, whatever responses report meanwhile", async () => {
  await using processes = await createProcesses();
  const { account, answer } = processes;
  const budgets = processes.start();
  const begin = (kind: CallKind): string => {
    try {
      budgets.begin(account, kind);
      return "begun";
    } catch (error) {
      assert.ok(error instanceof DocuSignFault && error.kind === "throttled");
      assert.deepEqual(error.retryAt, END_OF_HOUR);
      return error.code;
    }
  };
  budgets.note(account, answer(27));
  await processes.shared(27);

  const first = [begin("first-import"), begin("first-import"), begin("first-import")];
  budgets.note(account, answer(null));
  const afterAnswer = [begin("first-import"), begin("first-import")];
  budgets.note(account, answer(2));
  const last = [begin("other"), begin("person")];

  assert.deepEqual(first, ["begun", "begun", "budget-reserve"]);
  assert.deepEqual(afterAnswer, ["begun", "budget-reserve"]);
  assert.deepEqual(last, ["begun", "begun"]);
  assert.equal(begin("other"), "hourly-calls-spent");
  await processes.shared(2);
});

test("if responses arrive out of order, the one with the fewest remaining calls counts, and those of the later hour", async () => {
  await using processes = await createProcesses();
  const { account, answer } = processes;
  const budgets = processes.start();
  const nextEnd = new Date(END_OF_HOUR.getTime() + HOUR_MS);
  const pace = async () => await budgets.pace(account, "first-import");

  budgets.note(account, answer(25));
  budgets.note(account, answer(30));
  const late = await pace();
  budgets.note(account, answer(90, nextEnd));
  const nextHour = await pace();
  budgets.note(account, answer(10));

  assert.deepEqual([late, nextHour, await pace()], [WAIT, GO, GO]);
});

test("other processes learn at once that the reserve is reached, and two seconds later how many calls of it remain", async () => {
  await using processes = await createProcesses();
  const { account, answer, clock } = processes;
  const [one, other] = [processes.start(), processes.start()];

  one.note(account, answer(60));
  await processes.shared(60);
  assert.deepEqual(await other.pace(account, "first-import"), GO);
  one.note(account, answer(25));
  await processes.shared(25);
  const paces = [await other.pace(account, "first-import"), await other.pace(account, "other")];
  one.note(account, answer(24));
  // With a single connection, a note would have been written before this query.
  assert.equal((await findBudget(processes.db, account))?.remaining, 25);
  clock.now = new Date(clock.now.getTime() + 2_000);
  one.note(account, answer(23));
  await processes.shared(23);

  assert.deepEqual(paces, [WAIT, GO]);
});

test("a budget that cannot be shared is logged for operators and still counts in its own process", async () => {
  await using processes = await createProcesses();
  const { account, answer, db } = processes;
  const budgets = processes.start();
  await refuseWrites(db, "account_budget");

  budgets.note(account, answer(0));

  const { details, message } = await processes.logged();
  assert.equal(message, "call budget could not be shared");
  assert.deepEqual("accountIds" in details && details.accountIds, [account]);
  assert.deepEqual(await budgets.pace(account, "other"), WAIT);
});

test("every process respects a pause of the account", async () => {
  await using processes = await createProcesses();
  const { account, clock } = processes;
  const [one, other] = [processes.start(), processes.start()];
  const until = new Date(clock.now.getTime() + 60_000);

  await one.pause(account, until);

  assert.deepEqual(await other.pace(account, "person"), { kind: "wait", until });
  clock.now = until;
  assert.deepEqual(await other.pace(account, "other"), GO);
});
