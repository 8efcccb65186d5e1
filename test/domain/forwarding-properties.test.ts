import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Forwarding, Recipient } from "../../src/domain/envelope.ts";
import { judgeReceipt } from "../../src/domain/receipt.ts";
import { u, user, x, z } from "./envelopes.ts";
import { Routing } from "./routing.ts";

const people = fc.constantFrom(u, x, z, user("4"));
const groups = fc.constantFrom("signers", "agents", "inPersonSigners", "carbonCopies", "newGroup");
const addressees = fc.array(fc.record({ person: people, group: groups }), { minLength: 1, maxLength: 4 });

/** Random routings without identical forwardings, which could not be distinguished from a repeated event. */
function routings(keepsId: fc.Arbitrary<boolean>, tellApart: (one: Forwarding) => unknown) {
  const kind = fc.constantFrom("reassign" as const, "delegate" as const);
  const acts = fc.array(fc.record({ kind, place: fc.nat(5), to: people, keepsId }), { maxLength: 4 });
  return fc
    .tuple(addressees, acts)
    .map(([addressed, steps]) => {
      const routing = new Routing(addressed);
      for (const step of steps) routing.forward(step);
      return routing;
    })
    .filter(({ recorded }) => {
      const told = recorded.map((one) => JSON.stringify(tellApart(one)));
      return new Set(told).size === told.length;
    });
}

const anyRouting = routings(fc.boolean(), (one) => one);
const routingWithoutRepeats = routings(fc.boolean(), ({ from, to }) => [from.userId, to.userId]);
const routingWithNewIds = routings(fc.constant(false), (one) => one);
const plainRouting = routings(fc.constant(false), ({ from, to }) => [from.userId, to.userId]);

type Telling = (routing: Routing) => [listed: readonly Recipient[], recorded: readonly Forwarding[]];

/** Asserts that U counts as a recipient exactly if U was addressed before any forwarding. */
function assertTruthIsFound(from: fc.Arbitrary<Routing>, tell: Telling): void {
  fc.assert(
    fc.property(from, (routing) => {
      const [listed, recorded] = tell(routing);

      const isOwn = judgeReceipt(u, listed, recorded).kind === "own";

      assert.equal(
        isOwn,
        routing.addressed.some(({ person }) => person.userId === u.userId),
      );
    }),
    { numRuns: 2000 },
  );
}

test("if every forwarding is recorded, exactly the original addressees count as recipients", () => {
  assertTruthIsFound(anyRouting, ({ listed, recorded }) => [listed, recorded]);
});

test("a person who passed a place on counts as a recipient, even if DocuSign listed no carbon copy for them", () => {
  const ofSigners = routingWithNewIds.filter(({ addressed }) =>
    addressed.every(({ group }) => group !== "carbonCopies"),
  );
  assertTruthIsFound(ofSigners, ({ listedWithoutCopies, recorded }) => [listedWithoutCopies, recorded]);
});

test("the order of recipients and events, and repeated events, change nothing", () => {
  assertTruthIsFound(anyRouting, ({ listed, recorded }) => [
    listed.toReversed(),
    [...recorded, ...recorded].reverse(),
  ]);
});

test("events without recipient ids suffice, unless two people forward to each other twice", () => {
  assertTruthIsFound(routingWithoutRepeats, ({ listed, recorded }) => [
    listed,
    recorded.map(({ from, to }) => ({
      from: { ...from, recipientId: null },
      to: { ...to, recipientId: null },
    })),
  ]);
});

test("events with only the giver's or only the taker's recipient id suffice if no id is reused", () => {
  assertTruthIsFound(plainRouting, ({ listed, recorded }) => [
    listed,
    recorded.map(({ from, to }, index) =>
      index % 2 === 0
        ? { from, to: { ...to, recipientId: null } }
        : { from: { ...from, recipientId: null }, to },
    ),
  ]);
});

test("events with recipient ids but no persons suffice if no id is reused", () => {
  assertTruthIsFound(routingWithNewIds, ({ listed, recorded }) => [
    listed,
    recorded.map(({ from, to }) => ({
      from: { userId: null, email: null, recipientId: from.recipientId },
      to: { userId: null, email: null, recipientId: to.recipientId },
    })),
  ]);
});

test("events with addresses instead of user ids, in any case, suffice", () => {
  assertTruthIsFound(anyRouting, ({ listed, recorded }) => [
    listed,
    recorded.map(({ from, to }) => ({
      from: { ...from, userId: null, email: from.email?.toUpperCase() ?? null },
      to: { ...to, userId: null, email: ` ${to.email} ` },
    })),
  ]);
});

test("without any forwarding data, recipients count as listed", () => {
  fc.assert(
    fc.property(anyRouting, ({ listed }) => {
      const plain = listed.map((entry) => ({ ...entry, delegatedBy: null, delegatedTo: [] }));

      const isOwn = judgeReceipt(u, plain, []).kind === "own";

      assert.equal(
        isOwn,
        plain.some((entry) => entry.userId === u.userId),
      );
    }),
  );
});
