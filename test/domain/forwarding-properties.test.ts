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

/** Random routings. What is told twice alike can't be told from an event that came twice, so it is left out. */
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

/** U has received exactly if U was addressed before any forwarding, however this is told. */
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

test("where every forwarding is recorded, exactly who was addressed has received", () => {
  assertTruthIsFound(anyRouting, ({ listed, recorded }) => [listed, recorded]);
});

test("who gave a place away has received, even if DocuSign listed nobody as carbon copy for it", () => {
  const ofSigners = routingWithNewIds.filter(({ addressed }) =>
    addressed.every(({ group }) => group !== "carbonCopies"),
  );
  assertTruthIsFound(ofSigners, ({ listedWithoutCopies, recorded }) => [listedWithoutCopies, recorded]);
});

test("the order of recipients and of events, and events that come twice, change nothing", () => {
  assertTruthIsFound(anyRouting, ({ listed, recorded }) => [
    listed.toReversed(),
    [...recorded, ...recorded].reverse(),
  ]);
});

test("events without any recipient id tell as much, unless two persons forward to each other twice", () => {
  assertTruthIsFound(routingWithoutRepeats, ({ listed, recorded }) => [
    listed,
    recorded.map(({ from, to }) => ({
      from: { ...from, recipientId: null },
      to: { ...to, recipientId: null },
    })),
  ]);
});

test("events that know only where from, or only where to, tell as much, where no id is used again", () => {
  assertTruthIsFound(plainRouting, ({ listed, recorded }) => [
    listed,
    recorded.map(({ from, to }, index) =>
      index % 2 === 0
        ? { from, to: { ...to, recipientId: null } }
        : { from: { ...from, recipientId: null }, to },
    ),
  ]);
});

test("events that hold recipient ids and no persons tell as much, where no id is used again", () => {
  assertTruthIsFound(routingWithNewIds, ({ listed, recorded }) => [
    listed,
    recorded.map(({ from, to }) => ({
      from: { userId: null, email: null, recipientId: from.recipientId },
      to: { userId: null, email: null, recipientId: to.recipientId },
    })),
  ]);
});

test("events that hold addresses instead of user ids, in any case, tell as much", () => {
  assertTruthIsFound(anyRouting, ({ listed, recorded }) => [
    listed,
    recorded.map(({ from, to }) => ({
      from: { ...from, userId: null, email: from.email?.toUpperCase() ?? null },
      to: { ...to, userId: null, email: ` ${to.email} ` },
    })),
  ]);
});

test("where nothing is told, recipients count as listed", () => {
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
