import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type EndedLink, endOf, type Starts, startsFor } from "../../src/domain/window.ts";
import { accountA, accountB, envelope, recipient, u, user, x, z } from "./envelopes.ts";
import { playHistory } from "./history.ts";

const accounts = fc.constantFrom(accountA, accountB);
const users = fc.constantFrom(u, x, z).map(({ userId }) => userId);
const moments = fc.integer({ min: 0, max: 40 }).map((day) => new Date(Date.UTC(2026, 0, day)));
const optionalMoments = fc.option(moments, { nil: null });

const histories: fc.Arbitrary<EndedLink[]> = fc.array(
  fc.record({
    accountId: accounts,
    userId: users,
    endedAt: moments,
    sentUntil: optionalMoments,
    receivedUntil: optionalMoments,
  }),
);

/** The table of import-rules 2, row by row. */
const TABLE = [
  { before: "no", previous: "none", sentFrom: "none", receivedFrom: "none" },
  { before: "no", previous: "another account", sentFrom: "none", receivedFrom: "none" },
  { before: "no", previous: "the same account", sentFrom: "end(prev)", receivedFrom: "none" },
  { before: "yes", previous: "another account", sentFrom: "end(own)", receivedFrom: "end(own)" },
  { before: "yes", previous: "the same account", sentFrom: "end(prev)", receivedFrom: "end(own)" },
];

type Next = Pick<EndedLink, "accountId" | "userId">;

/** Looks the row up in the table: slow but obviously correct. */
function readTable(history: readonly EndedLink[], next: Next): Starts {
  const prev = lastOf(history, () => true);
  const own = lastOf(history, (one) => one.userId === next.userId && one.accountId === next.accountId);
  const row = TABLE.find(
    ({ before, previous }) => before === (own ? "yes" : "no") && previous === describe(prev, next),
  );
  const meaning = new Map<string, Pick<EndedLink, "sentUntil" | "receivedUntil"> | undefined>([
    ["none", { sentUntil: null, receivedUntil: null }],
    ["end(prev)", prev],
    ["end(own)", own],
  ]);
  return {
    sentFrom: meaning.get(row?.sentFrom ?? "")?.sentUntil ?? null,
    receivedFrom: meaning.get(row?.receivedFrom ?? "")?.receivedUntil ?? null,
  };
}

function lastOf(history: readonly EndedLink[], isMeant: (link: EndedLink) => boolean): EndedLink | undefined {
  let last: EndedLink | undefined;
  for (const link of history) {
    if (isMeant(link) && (last === undefined || link.endedAt >= last.endedAt)) last = link;
  }
  return last;
}

function describe(prev: EndedLink | undefined, next: Next): string {
  if (prev === undefined) return "none";
  return prev.accountId === next.accountId ? "the same account" : "another account";
}

test("for any history, the starts are those of the rules' table", () => {
  fc.assert(
    fc.property(histories, accounts, users, (history, accountId, userId) => {
      const next = { accountId, userId };

      assert.deepEqual(startsFor(history, next), readTable(history, next));
    }),
    { numRuns: 2000 },
  );
});

test("a link's end lies between its start and its deletion, and never after what it had reached", () => {
  const endings = fc.record({
    endedAt: moments,
    sentFrom: optionalMoments,
    receivedFrom: fc.constant(null),
    reachedSent: optionalMoments,
    reachedReceived: optionalMoments,
    oldestWaiting: optionalMoments,
    oldestAnnounced: optionalMoments,
  });
  fc.assert(
    fc.property(endings, (ending) => {
      const { sentUntil } = endOf(ending);
      const { sentFrom, reachedSent, endedAt, oldestWaiting, oldestAnnounced } = ending;

      if (reachedSent === null) return assert.deepEqual(sentUntil, sentFrom);
      assert.ok(sentUntil !== null);
      assert.ok(sentFrom === null || sentUntil >= sentFrom);
      for (const bound of [endedAt, reachedSent, oldestWaiting, oldestAnnounced]) {
        assert.ok(bound === null || sentUntil <= bound || sentUntil.getTime() === sentFrom?.getTime());
      }
    }),
    { numRuns: 2000 },
  );
});

const linkings = fc
  .array(fc.record({ accountId: accounts, userId: users, endedAt: moments }), { minLength: 1 })
  .map((links) => links.toSorted((one, other) => one.endedAt.getTime() - other.endedAt.getTime()));

test("while one account is linked, by any user, each envelope it sent is found by exactly one link", () => {
  fc.assert(
    fc.property(linkings, moments, (links, completedAt) => {
      const ofOneAccount = links.map((link) => ({ ...link, accountId: accountA }));
      const sent = envelope({ completedAt, sender: { ...user("9"), accountId: accountA } });

      const finders = playHistory(ofOneAccount, [sent]).filter((found) => found.length > 0);

      const lastEnd = ofOneAccount.at(-1)?.endedAt ?? completedAt;
      assert.equal(finders.length, completedAt < lastEnd ? 1 : 0);
    }),
  );
});

test("for any history, each envelope that a linked user received is found by exactly one of their links", () => {
  fc.assert(
    fc.property(linkings, moments, (links, completedAt) => {
      const ofOneAccountEach = links.map((link) => ({
        ...link,
        accountId: link.userId === u.userId ? accountA : accountB,
      }));
      const received = envelope({
        completedAt,
        sender: { ...user("9"), accountId: null },
        recipients: [recipient(u)],
      });

      const finders = playHistory(ofOneAccountEach, [received]).filter((found) => found.length > 0);

      const lastEnd = ofOneAccountEach.findLast((link) => link.userId === u.userId)?.endedAt;
      assert.equal(finders.length, lastEnd !== undefined && completedAt < lastEnd ? 1 : 0);
    }),
  );
});
