import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { type ReconcileStep, reconcileStep } from "../../src/usecases/reconciling/reconcile-link.ts";
import type { Failure } from "../support/docusign/faults.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  endLink,
  linkIdOf,
} from "../support/linked-world.ts";
import { callsOf, DAY_MS, entriesOf, HOUR_MS, MINUTE_MS } from "../support/reconciling.ts";
import { allowWrites, refuseWrites } from "../support/refused-writes.ts";
import { stepNow, stepOf, stepOn } from "../support/stepping.ts";

const LISTING = "/envelopes";

const USER = "/users/{userId}";

const NO_ADMIN: Failure = { status: 403, body: { errorCode: "USER_LACKS_PERMISSIONS", message: "x" } };

/** The link's state and cause from the result of a step that does not import. */
function notImporting(step: ReconcileStep): unknown[] {
  return step.kind === "not-importing" ? [step.link?.state, step.link?.cause] : [step.kind];
}

test("a window requested during an hourly run follows that run", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  world.clock.pass(HOUR_MS);
  await stepNow(world);
  const to = world.clock.now;
  const from = new Date(to.getTime() - DAY_MS);
  const steps: ReconcileStep[] = [];

  do steps.push(await stepNow(world, { from }));
  while (steps.at(-1)?.kind === "more");

  const ended = steps.map((step) => (step.kind === "more" ? step.ended?.kind : step.kind));
  assert.deepEqual(ended, ["hourly", undefined, "done"]);
  // The clock stands still, so both runs have the same start time and no order.
  const [window] = (await entriesOf(world)).filter(({ kind }) => kind === "manual");
  assert.deepEqual([window.kind, window.from, window.to], ["manual", from.toISOString(), to.toISOString()]);
});

test("a window requested up to a later time follows the running one", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  const from = new Date(world.clock.now.getTime() - DAY_MS);
  await stepNow(world, { from });
  world.clock.pass(MINUTE_MS);

  const between = await stepNow(world, { from });
  const last = await stepOn(world, { from });

  assert.ok(between.kind === "more" && last.kind === "done");
  assert.equal(between.ended?.kind, "manual");
  assert.deepEqual(last.reconciliation.to, world.clock.now);
});

test("a first import follows a running window and is reported as a first import", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  await world.link(admin);
  await stepNow(world, { from: new Date(world.clock.now.getTime() - DAY_MS) });

  const between = await stepNow(world);

  assert.ok(between.kind === "more");
  assert.deepEqual([between.first, between.ended?.kind], [true, "manual"]);
});

test("a step that fails in our database is an internal error, and the next step does its work", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  const { db } = world.service.foundation.tasks;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  world.clock.pass(HOUR_MS);
  await refuseWrites(db, "envelope");

  await assert.rejects(stepOn(world), /disk full/);

  await allowWrites(db, "envelope");
  const step = await stepOn(world);
  assert.ok(step.kind === "done");
  assert.equal(step.reconciliation.listed, 1);
});

test("a step of a link that does not import reports the link's state", async () => {
  await using linked = await createLinkedCompanies();
  const { world, admin } = linked;
  const linkId = await linkIdOf(world);
  const unknown = parseUuid<LinkId>(randomUUID())!;
  world.docusign.failNext(1, NO_ADMIN, USER);
  world.docusign.failNext(1, NO_ADMIN, LISTING);

  const noAdmin = notImporting(await stepOf(world, linkId));
  world.docusign.revokeConsent(admin);
  const revoked = notImporting(await stepOf(world, linkId));
  const again = notImporting(await stepOf(world, linkId));
  assert.equal((await endLink(world)).status, 204);

  assert.deepEqual(noAdmin, ["error", "not-admin"]);
  assert.deepEqual(
    [revoked, again],
    [
      ["error", "authorization-revoked"],
      ["error", "authorization-revoked"],
    ],
  );
  assert.deepEqual(notImporting(await stepOf(world, linkId)), ["ended", "authorization-revoked"]);
  assert.deepEqual(await stepOf(world, unknown), { kind: "not-importing", link: null });
});

test("a first import is not done if its user turns out at its end to be no longer an admin", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  await world.link(admin);
  world.clock.pass(HOUR_MS);
  world.docusign.setRole(admin, account, "DS Sender");

  assert.deepEqual(notImporting(await stepOn(world)), ["error", "not-admin"]);
});

test("a step that finds the user's right restored continues at once, unless an approval is awaited", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  world.docusign.failNext(1, NO_ADMIN, LISTING);
  world.docusign.failNext(1, NO_ADMIN, USER);
  assert.deepEqual(notImporting(await stepNow(world)), ["error", "not-admin"]);

  assert.equal((await stepNow(world)).kind, "more");
});

test("a step of a link that awaits approval checks the user and nothing else", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  assert.equal(await world.link(admin), "awaiting-approval");
  const steps: unknown[] = [];

  const calls = await callsOf(world, async () => steps.push(notImporting(await stepNow(world))));
  world.docusign.failNext(1, NO_ADMIN, USER);
  steps.push(notImporting(await stepNow(world)));
  steps.push(notImporting(await stepNow(world)));

  assert.deepEqual(calls, [`GET ${USER}`]);
  assert.deepEqual(steps, [
    ["awaiting-approval", null],
    ["error", "not-admin"],
    ["awaiting-approval", null],
  ]);
});

test("a first import begins with its first step; it and the daily check list all history, other runs only what is new", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  await world.link(admin);
  const { tasks } = world.service.foundation;
  world.clock.pass(5 * MINUTE_MS);
  await stepOn(world);
  world.clock.pass(HOUR_MS);
  await stepOn(world);
  world.clock.pass(DAY_MS);
  await stepOn(world);
  world.clock.pass(MINUTE_MS);
  await stepOn(world, { manual: true });

  const windows = (await entriesOf(world)).map(({ kind, from }) => [kind, from]).toReversed();
  const started = await tasks.db.selectFrom("link").select("first_import_started_at as at").execute();
  assert.deepEqual(started, [{ at: new Date("2031-01-15T03:15:00Z") }]);
  assert.deepEqual(windows, [
    ["first", "2003-01-01T00:00:00.000Z"],
    ["hourly", "2031-01-14T03:15:00.000Z"],
    ["hourly", "2031-01-14T04:15:00.000Z"],
    ["full", "2003-01-01T00:00:00.000Z"],
    ["manual", "2031-01-15T04:15:00.000Z"],
  ]);
});

test("a link that ends while a step waits for its turn is not reconciled", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  const linkId = await linkIdOf(world);
  const { tasks } = world.service.foundation;
  const ending: typeof tasks = {
    ...tasks,
    budgets: {
      ...tasks.budgets,
      pace: async () => {
        await endLink(world);
        return { kind: "go" };
      },
    },
  };

  const step = await reconcileStep(ending, { linkId, to: world.clock.now });

  assert.deepEqual(notImporting(step), ["ended", null]);
  assert.equal(
    (await tasks.db.selectFrom("reconciliation").select("state").where("state", "=", "running").execute())
      .length,
    0,
  );
});

test("a run's calls are counted over all steps, including failed ones, and reported with its findings", async () => {
  await using linked = await createLinkedCompanies();
  const { world, admin, colleague, partner } = linked;
  world.clock.pass(HOUR_MS);
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  await concludeUnheard(world, { from: partner, to: [admin] });
  world.docusign.failNext(1, { status: 503 }, USER);
  let last: ReconcileStep | undefined;

  const calls = await callsOf(world, async () => {
    assert.equal((await stepOn(world)).kind, "put-off");
    last = await stepOn(world);
  });

  const [entry] = await entriesOf(world);
  assert.equal(entry.calls, calls.length, calls.join(", "));
  assert.ok(last?.kind === "done");
  const { kind, state, listed, unannounced, calls: told } = last.reconciliation;
  assert.deepEqual([kind, state, listed, unannounced, told], ["hourly", "done", 2, 2, calls.length]);
});

test("a step before the last reports if it belongs to the first import, and which run it has ended", async () => {
  await using companies = await createCompanies();
  const { world, admin, colleague, partner } = companies;
  await world.link(admin);
  const ofFirst = await stepNow(world);
  await stepOn(world);
  world.clock.pass(HOUR_MS);
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  await concludeUnheard(world, { from: partner, to: [admin] });
  const ofHour = await stepNow(world);
  const last = await stepOn(world);
  world.clock.pass(DAY_MS);
  await stepNow(world);

  const betweenRuns = await stepNow(world);

  assert.deepEqual(ofFirst, { kind: "more", first: true, ended: null });
  assert.deepEqual(ofHour, { kind: "more", first: false, ended: null });
  assert.ok(last.kind === "done");
  assert.equal(last.reconciliation.listed, 2, "the rows of its last page count too");
  assert.ok(betweenRuns.kind === "more");
  assert.deepEqual([betweenRuns.first, betweenRuns.ended?.kind], [false, "hourly"]);
});

test("an operator's step checks the user and Connect even if nothing is new", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  world.clock.pass(HOUR_MS);

  const calls = await callsOf(world, async () => await stepOn(world, { manual: true }));

  assert.ok(calls.includes(`GET ${USER}`), calls.join(", "));
  assert.ok(calls.includes("GET /connect"), calls.join(", "));
});

test("all history is listed again after a day, or half an hour less, not sooner", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  const kindsAfter = async (ms: number): Promise<string[]> => {
    world.clock.pass(ms);
    const known = (await entriesOf(world)).length;
    await stepOn(world);
    return (await entriesOf(world))
      .slice(0, -known)
      .map(({ kind }) => kind)
      .toSorted();
  };

  const kinds = [
    await kindsAfter(23 * HOUR_MS),
    await kindsAfter(HOUR_MS / 2),
    await kindsAfter(23 * HOUR_MS),
    await kindsAfter(DAY_MS),
  ];

  assert.deepEqual(kinds, [["hourly"], ["full", "hourly"], ["hourly"], ["full", "hourly"]]);
});

for (const what of ["run", "window"] as const) {
  test(`an operator's ${what} leaves the listing of all history to the hourly run, even if it is due`, async () => {
    await using linked = await createLinkedCompanies();
    const { world } = linked;
    world.clock.pass(DAY_MS);
    const from = new Date(world.clock.now.getTime() - 3 * DAY_MS);
    const asked = what === "run" ? { manual: true } : { from };

    const steps = [await stepNow(world, asked), await stepNow(world, asked)];

    assert.deepEqual(
      steps.map(({ kind }) => kind),
      ["more", "done"],
    );
    await stepOn(world);
    assert.ok((await entriesOf(world)).some(({ kind }) => kind === "full"));
  });
}
