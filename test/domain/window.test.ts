import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_HISTORY, type EndedLink, type Ending, endOf, startsFor } from "../../src/domain/window.ts";
import { accountA, accountB, u, x } from "./envelopes.ts";

const january = new Date("2026-01-01T00:00:00Z");
const february = new Date("2026-02-01T00:00:00Z");
const march = new Date("2026-03-01T00:00:00Z");
const april = new Date("2026-04-01T00:00:00Z");

/** A link that ended at this time, with everything until then accounted for. */
function ended(accountId: typeof accountA, by: typeof u, endedAt = february): EndedLink {
  return { accountId, userId: by.userId, endedAt, sentUntil: endedAt, receivedUntil: endedAt };
}

const next = { accountId: accountA, userId: u.userId };
const none = { sentFrom: null, receivedFrom: null };

test("not linked before, no previous link: both sides import all history", () => {
  assert.deepEqual(startsFor([], next), none);
});

test("not linked before, previous link of another account: both sides import all history", () => {
  assert.deepEqual(startsFor([ended(accountA, x, january), ended(accountB, x, february)], next), none);
});

test("not linked before, previous link of the same account: sent continues from its end", () => {
  const history = [ended(accountB, x, march), ended(accountA, x, april)];

  assert.deepEqual(startsFor(history, next), { sentFrom: april, receivedFrom: null });
});

test("linked before, previous link of another account: both sides continue from the user's own end", () => {
  const history = [ended(accountA, u, january), ended(accountA, x, february), ended(accountB, x, march)];

  assert.deepEqual(startsFor(history, next), { sentFrom: january, receivedFrom: january });
});

test("linked before, previous link of the same account by another user: sent continues from its end, received from the own", () => {
  const history = [ended(accountA, u, february), ended(accountA, x, march)];

  assert.deepEqual(startsFor(history, next), { sentFrom: march, receivedFrom: february });
});

test("linked before, previous link of the same account by the same user: both sides continue from its end", () => {
  const history = [ended(accountA, u, january), ended(accountB, x, february), ended(accountA, u, march)];

  assert.deepEqual(startsFor(history, next), { sentFrom: march, receivedFrom: march });
});

test("the same user on another account counts as not linked before", () => {
  assert.deepEqual(startsFor([ended(accountB, u, march)], next), none);
});

test("the latest end counts, whatever the order of the history", () => {
  const history = [ended(accountA, u, march), ended(accountA, x, april), ended(accountA, u, january)];

  assert.deepEqual(startsFor(history, next), { sentFrom: april, receivedFrom: march });
});

test("of two links that ended at the same time, the later one in the history counts", () => {
  const early = { ...ended(accountA, x, march), sentUntil: january };
  const late = { ...ended(accountA, x, march), sentUntil: february };

  assert.deepEqual(startsFor([early, late], next), { sentFrom: february, receivedFrom: null });
});

test("a link continues from where the previous one stopped importing, not from its deletion", () => {
  const failed = { ...ended(accountA, u, april), sentUntil: february, receivedUntil: january };

  assert.deepEqual(startsFor([failed], next), { sentFrom: february, receivedFrom: january });
});

test("a link that accounted for nothing leaves all history to the next one", () => {
  const nothing = { ...ended(accountA, u), sentUntil: null, receivedUntil: null };

  assert.deepEqual(startsFor([nothing], next), none);
});

const deleted: Ending = {
  endedAt: april,
  sentFrom: null,
  receivedFrom: null,
  reachedSent: null,
  reachedReceived: null,
  oldestWaiting: null,
  oldestAnnounced: null,
};

const endings: { when: string; given: Partial<Ending>; sent: Date | null; received: Date | null }[] = [
  { when: "before its first import was complete", given: {}, sent: null, received: null },
  {
    when: "before it reached anything, with starts of its own",
    given: { sentFrom: february, receivedFrom: january },
    sent: february,
    received: january,
  },
  {
    when: "with sent reached further than received",
    given: { reachedSent: march, reachedReceived: february },
    sent: dayBefore(march),
    received: dayBefore(february),
  },
  {
    when: "with only one side reached",
    given: { sentFrom: january, receivedFrom: january, reachedReceived: march },
    sent: january,
    received: dayBefore(march),
  },
  {
    when: "with less than a day reached beyond its own start",
    given: { sentFrom: march, reachedSent: new Date("2026-03-01T12:00:00Z") },
    sent: march,
    received: null,
  },
  {
    when: "with more reached than its end",
    given: { endedAt: march, reachedSent: april, reachedReceived: april },
    sent: march,
    received: march,
  },
  {
    when: "while an older envelope waits",
    given: { reachedSent: april, reachedReceived: april, oldestWaiting: february },
    sent: february,
    received: february,
  },
  {
    when: "while an envelope waits from after what was reached",
    given: { reachedSent: february, reachedReceived: january, oldestWaiting: march },
    sent: dayBefore(february),
    received: dayBefore(january),
  },
  {
    when: "while an envelope waits from before its own start",
    given: {
      sentFrom: march,
      receivedFrom: january,
      reachedSent: april,
      reachedReceived: april,
      oldestWaiting: february,
    },
    sent: march,
    received: february,
  },
  {
    when: "while an envelope waits that was announced but never seen",
    given: { reachedSent: april, reachedReceived: april, oldestAnnounced: march },
    sent: dayBefore(march),
    received: dayBefore(march),
  },
  {
    when: "while an envelope waits that was announced long after another waiting one",
    given: { reachedSent: april, reachedReceived: april, oldestWaiting: february, oldestAnnounced: march },
    sent: february,
    received: february,
  },
  {
    when: "while an envelope waits and nothing was reached",
    given: { oldestWaiting: february },
    sent: null,
    received: null,
  },
];

/** Listings show a completion up to a day late. */
function dayBefore(moment: Date): Date {
  return new Date(moment.getTime() - 24 * 60 * 60 * 1000);
}

for (const { when, given, sent, received } of endings) {
  test(`a link that ends ${when} returns how far it accounted for every envelope`, () => {
    assert.deepEqual(endOf({ ...deleted, ...given }), {
      sentUntil: sent,
      receivedUntil: received,
    });
  });
}

test("all history begins in 2003, when DocuSign was founded", () => {
  assert.equal(ALL_HISTORY.getTime(), Date.UTC(2003, 0));
});
