import assert from "node:assert/strict";
import { test } from "node:test";
import type { EnvelopeWish } from "../support/docusign/envelopes.ts";
import type { Failure } from "../support/docusign/faults.ts";
import type { Envelope } from "../support/docusign/state.ts";
import {
  type Companies,
  CUSTOMER,
  createCompanies,
  createLinkedCompanies,
  endLink,
  historyOf,
  linkOf,
} from "../support/linked-world.ts";
import {
  callsOf,
  concludeQuietly,
  DAY_MS,
  entriesOf,
  failuresOf,
  HOUR_MS,
  MINUTE_MS,
} from "../support/reconciling.ts";
import { stepNow, stepOn } from "../support/stepping.ts";
import type { World } from "../support/world.ts";

const REFUSED: Failure = { status: 403, body: { errorCode: "USER_LACKS_PERMISSIONS", message: "x" } };
/** Rows per DocuSign page in these tests; the service asks for a thousand. */
const PAGE = 10;

/** Ends the link a minute later without a last look at DocuSign; returns how far it accounts for each side. */
async function accountedFor(world: World): Promise<(string | null)[]> {
  world.clock.pass(MINUTE_MS);
  world.docusign.failNext(1, REFUSED, "/envelopes");
  assert.equal((await endLink(world)).status, 204);
  const { sentUntil, receivedUntil } = (await historyOf(world)).at(-1);
  return [sentUntil, receivedUntil];
}

/** A day earlier, because DocuSign may list a completion up to a day late. */
function upTo(moment: Date): string {
  return new Date(moment.getTime() - DAY_MS).toISOString();
}

/** Concludes envelopes between other users that are not imported, one a second from the given time. */
function concludePurged({ world, colleague }: Companies, count: number, from: Date): void {
  concludeQuietly(world, count, (number) => ({
    from: colleague,
    to: [CUSTOMER],
    completedAt: new Date(from.getTime() + number * 1_000),
    purged: true,
  }));
}

test("a page followed by others of its side accounts only for what it listed", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  const reached = world.clock.now;
  const first = new Date(reached.getTime() + MINUTE_MS);
  world.docusign.setListingHabits({ rowsAtMost: PAGE });
  concludePurged(linked, PAGE + 1, first);
  world.clock.pass(HOUR_MS);

  assert.equal((await stepNow(world)).kind, "more");

  const lastOfPage = new Date(first.getTime() + (PAGE - 1) * 1_000);
  assert.deepEqual(await accountedFor(world), [upTo(lastOfPage), upTo(reached)]);
});

test("a side's last page accounts for the whole window, but only on its own side", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  const reached = world.clock.now;
  concludePurged(linked, 1, reached);
  world.clock.pass(HOUR_MS);
  const to = world.clock.now;

  assert.equal((await stepNow(world)).kind, "more");

  assert.deepEqual(await accountedFor(world), [upTo(to), upTo(reached)]);
});

test("a window that an operator starts later than the link has reached accounts for nothing, because of the gap", async () => {
  await using linked = await createLinkedCompanies();
  const { world } = linked;
  const reached = world.clock.now;
  world.clock.pass(3 * DAY_MS);
  concludePurged(linked, 1, world.clock.now);
  const from = new Date(world.clock.now.getTime() - HOUR_MS);

  assert.equal((await stepOn(world, { from })).kind, "done");

  assert.deepEqual(await accountedFor(world), [upTo(reached), upTo(reached)]);
});

test("a last look longer than six pages accounts for those pages and leaves the rest to the next link", async () => {
  await using linked = await createLinkedCompanies();
  const { world, admin } = linked;
  const first = new Date(world.clock.now.getTime() + MINUTE_MS);
  world.docusign.setListingHabits({ rowsAtMost: PAGE });
  concludePurged(linked, 6 * PAGE + 1, first);
  world.clock.pass(2 * HOUR_MS);

  assert.equal((await endLink(world)).status, 204);

  const { sentUntil } = (await historyOf(world)).at(-1);
  // Each page after the first repeats two seconds of the previous page.
  const lastOfPages = new Date(first.getTime() + (PAGE - 1 + 5 * (PAGE - 2)) * 1_000);
  assert.equal(sentUntil, upTo(lastOfPages));
  assert.equal((await entriesOf(world))[0].state, "failed");
  assert.deepEqual(await failuresOf(world), ["too many envelopes to list before the end"]);
  assert.equal(await world.link(admin), "linked");
  assert.equal((await linkOf(world)).sentFrom, sentUntil);
});

test("a last look longer than six pages, without envelopes between other users, accounts for nothing on the sent side", async () => {
  await using linked = await createLinkedCompanies();
  const { world, admin } = linked;
  const reached = world.clock.now;
  world.docusign.setListingHabits({ rowsAtMost: PAGE });
  concludeQuietly(world, 6 * PAGE + 1, (number) => ({
    from: admin,
    to: [CUSTOMER],
    completedAt: new Date(reached.getTime() + (number + 1) * 1_000),
    purged: true,
  }));
  world.clock.pass(2 * HOUR_MS);

  assert.equal((await endLink(world)).status, 204);

  assert.equal((await historyOf(world)).at(-1).sentUntil, upTo(reached));
});

test("a last look needs another proof of account-wide access only if it lists no envelope between other users", async () => {
  for (const isShown of [true, false]) {
    await using linked = await createLinkedCompanies();
    const { world } = linked;
    world.clock.pass(HOUR_MS);
    if (isShown) concludePurged(linked, 1, world.clock.now);

    const calls = await callsOf(world, async () => assert.equal((await endLink(world)).status, 204));

    const asked = calls.includes("GET /users/{userId}");
    assert.equal(asked, !isShown, calls.join());
    assert.equal((await historyOf(world)).at(-1).sentUntil, world.clock.now.toISOString());
  }
});

const NO_PROOF: Readonly<
  Record<string, (companies: Companies) => EnvelopeWish & { befalls?: (envelope: Envelope) => void }>
> = {
  "sent by the user": ({ admin }) => ({ from: admin, to: [CUSTOMER] }),
  "received by the user under another address": ({ admin, colleague }) => ({
    from: colleague,
    to: [{ user: admin, email: "kyusei@example.com" }],
  }),
  "addressed to the user in capitals and without an id": ({ admin, colleague }) => ({
    from: colleague,
    to: [{ name: "山田", email: admin.email.toUpperCase() }],
  }),
  "received by the user along with another recipient": ({ admin, colleague }) => ({
    from: colleague,
    to: [CUSTOMER, admin],
  }),
  "listed without its recipients": ({ world, colleague }) => ({
    from: colleague,
    to: [CUSTOMER],
    befalls: (envelope) => world.docusign.withoutRecipientsInListing(envelope),
  }),
  "listed without its sender's id": ({ world, account: { accountId }, colleague }) => ({
    from: colleague,
    to: [CUSTOMER],
    befalls: (envelope) =>
      world.docusign.showInListing(envelope, (row) => [{ ...row, sender: { accountId } }]),
  }),
};

for (const [which, wish] of Object.entries(NO_PROOF)) {
  test(`an envelope ${which} proves nothing about the rest of the account`, async () => {
    await using linked = await createLinkedCompanies();
    const { world } = linked;
    const reached = world.clock.now;
    const { befalls, ...envelope } = wish(linked);
    const [concluded] = concludeQuietly(world, 1, () => ({
      ...envelope,
      completedAt: reached,
      purged: true,
    }));
    befalls?.(concluded!);
    world.clock.pass(HOUR_MS);

    assert.equal((await stepNow(world)).kind, "more");

    assert.deepEqual(await accountedFor(world), [upTo(reached), upTo(reached)]);
  });
}

test("an envelope from another account to a new, still unknown address of the user proves nothing", async () => {
  await using linked = await createLinkedCompanies();
  const { world, account, admin, partner } = linked;
  const reached = world.clock.now;
  const to = [{ name: "山田", email: "kaimei@example.com" }];
  concludeQuietly(world, 1, () => ({ from: partner, to, completedAt: reached, purged: true }));
  world.docusign.changeAddress(admin, "kaimei@example.com");
  world.docusign.setRole(admin, account, "DS Sender");
  world.clock.pass(HOUR_MS);

  assert.equal((await stepNow(world)).kind, "more");

  assert.deepEqual(await accountedFor(world), [upTo(reached), upTo(reached)]);
});

test("a user for whom DocuSign returns no address is recognized by their id", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  const { userId, name } = admin;
  const { accountId } = account;
  const accounts = [
    { account_id: accountId, account_name: "甲", is_default: true, base_uri: world.docusign.url },
  ];
  world.docusign.failNext(1, { status: 200, body: { sub: userId, name, accounts } }, "/oauth/userinfo");
  concludePurged(companies, 1, new Date(world.clock.now.getTime() - DAY_MS));
  assert.equal(await world.link(admin), "linked");
  world.clock.pass(HOUR_MS);
  const to = world.clock.now;

  assert.equal((await stepNow(world)).kind, "more");

  assert.deepEqual(await accountedFor(world), [upTo(to), null]);
});

test("an envelope between other users proves account-wide access even if one recipient has neither id nor address", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  const to = [CUSTOMER];
  const [concluded] = concludeQuietly(world, 1, () => ({
    from: colleague,
    to,
    completedAt: world.clock.now,
    purged: true,
  }));
  const recipients = { signers: [{ name: "客", recipientId: "1", routingOrder: "1", status: "completed" }] };
  world.docusign.showInListing(concluded!, (row) => [{ ...row, recipients }]);
  const reached = world.clock.now;
  world.clock.pass(HOUR_MS);
  const until = world.clock.now;

  assert.equal((await stepNow(world)).kind, "more");

  assert.deepEqual(await accountedFor(world), [upTo(until), upTo(reached)]);
});

for (const isSaid of [false, true]) {
  test(`without envelopes between other users, a listing accounts for the sent side ${isSaid ? "once" : "only after"} DocuSign confirms the admin right`, async () => {
    await using linked = await createLinkedCompanies();
    const { world } = linked;
    const reached = world.clock.now;
    world.clock.pass(HOUR_MS / 2);
    const to = world.clock.now;
    world.docusign.failNext(isSaid ? 0 : 1, { status: 503 }, "/users/{userId}");

    await stepOn(world);

    assert.deepEqual(await accountedFor(world), [upTo(isSaid ? to : reached), upTo(to)]);
  });
}

const JUST_LINKED = [
  { when: "within an hour of linking", delay: HOUR_MS - 1, isProven: true },
  { when: "an hour after linking", delay: HOUR_MS, isProven: false },
];

for (const { when, delay, isProven } of JUST_LINKED) {
  test(`a first listing ${when} ${isProven ? "needs no" : "needs"} other proof that it shows the whole account`, async () => {
    await using companies = await createCompanies();
    const { world, admin } = companies;
    await world.link(admin);
    world.clock.pass(delay);
    const to = world.clock.now;

    assert.equal((await stepNow(world)).kind, "more");

    assert.deepEqual(await accountedFor(world), [isProven ? upTo(to) : null, null]);
  });
}

test("a first listing approved an hour after linking needs no other proof, because the user is checked meanwhile", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin } = companies;
  concludeQuietly(world, 1, () => ({
    from: admin,
    to: [CUSTOMER],
    completedAt: world.clock.now,
    purged: true,
  }));
  assert.equal(await world.link(admin), "awaiting-approval");
  world.clock.pass(HOUR_MS);
  await world.runHour();
  assert.equal((await (await world.api()).send("POST", "/v1/link/approve")).status, 200);
  const to = world.clock.now;

  assert.equal((await stepNow(world)).kind, "more");

  assert.deepEqual(await accountedFor(world), [upTo(to), null]);
});
