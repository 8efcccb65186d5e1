import fc from "fast-check";
import type { Death, Forwarding, Hour, Move, MoveOf, WorldPlan } from "./moves.ts";

const anyNumber = fc.nat({ max: 999 });
const tenant = fc.nat({ max: 1 });
const group = fc.nat({ max: 1 });
const seldom = oneIn(12);
const minutes = fc.constantFrom(0, 0, 1, 2, 5);

/** Once in four times, and not at all where that is simpler. */
function sometimes<Thing>(thing: fc.Arbitrary<Thing>): fc.Arbitrary<Thing | null> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: thing });
}

function oneIn(times: number): fc.Arbitrary<boolean> {
  return fc.nat({ max: times - 1 }).map((number) => number === times - 1);
}

const death: fc.Arbitrary<Death> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  {
    weight: 2,
    arbitrary: fc.record({ at: fc.constant("statement" as const), number: fc.integer({ min: 1, max: 120 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ at: fc.constant("call" as const), number: fc.integer({ min: 1, max: 12 }) }),
  },
);

const forwarding: fc.Arbitrary<Forwarding> = fc.record({
  kind: fc.constantFrom("delegation" as const, "reassignment" as const),
  to: anyNumber,
});

export const send: fc.Arbitrary<MoveOf<"send">> = fc.record({
  kind: fc.constant("send" as const),
  minutes,
  from: anyNumber,
  account: fc.nat({ max: 1 }),
  to: fc.array(fc.record({ who: anyNumber, group: anyNumber, byAddress: oneIn(6) }), {
    minLength: 1,
    maxLength: 3,
  }),
  documents: fc.constantFrom(1, 1, 1, 2, 3, 0),
  fate: fc.constantFrom(
    "completed",
    "completed",
    "completed",
    "completed",
    "under-way",
    "voided",
    "declined",
  ),
  purged: seldom,
  forwarding: sometimes(forwarding),
  listing: fc.constantFrom(
    "plain",
    "plain",
    "plain",
    "plain",
    "late",
    "extraneous",
    "at-page-ends",
    "without-recipients",
  ),
});

const link: fc.Arbitrary<MoveOf<"link">> = fc.record({
  kind: fc.constant("link" as const),
  minutes,
  tenant,
  user: anyNumber,
  group,
  from: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat({ max: 2 }) }),
});

const start = moveOf("start", { tenant, from: fc.constantFrom(null, 0, 1, 2) });

/** A move of this kind and what it needs. */
export function moveOf<Kind extends Move["kind"], Needed>(
  kind: Kind,
  needed: { [Field in keyof Needed]: fc.Arbitrary<Needed[Field]> },
): fc.Arbitrary<{ kind: Kind; minutes: number } & Needed> {
  return fc.tuple(minutes, fc.record(needed)).map(([after, fields]) => ({ kind, minutes: after, ...fields }));
}

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 30, arbitrary: send },
  { weight: 8, arbitrary: link },
  { weight: 6, arbitrary: moveOf("complete", { which: anyNumber }) },
  { weight: 3, arbitrary: moveOf("forward", { which: anyNumber, forwarding }) },
  {
    weight: 10,
    arbitrary: moveOf("mail", {
      fate: fc.constantFrom("arrives", "twice", "lost", "shuffled", "half"),
      seed: anyNumber,
    }),
  },
  {
    weight: 4,
    arbitrary: moveOf("forge", { how: fc.constantFrom("wrong key", "signed"), tenant, which: anyNumber }),
  },
  { weight: 3, arbitrary: moveOf("edit", { tenant, group }) },
  { weight: 6, arbitrary: moveOf("end", { tenant, down: oneIn(5) }) },
  { weight: 2, arbitrary: start },
  { weight: 1, arbitrary: moveOf("pause", { tenant }) },
  { weight: 2, arbitrary: moveOf("resume", { tenant }) },
  { weight: 2, arbitrary: moveOf("approve", { tenant }) },
  { weight: 2, arbitrary: moveOf("revoke", { user: anyNumber }) },
  { weight: 3, arbitrary: moveOf("demote", { user: anyNumber }) },
  { weight: 4, arbitrary: moveOf("promote", { user: anyNumber }) },
  { weight: 1, arbitrary: moveOf("close", { user: anyNumber }) },
  { weight: 3, arbitrary: moveOf("group", { tenant, group, gone: oneIn(2) }) },
  { weight: 5, arbitrary: moveOf("delete", { tenant, which: anyNumber, whole: oneIn(2) }) },
  { weight: 10, arbitrary: moveOf("work", { death }) },
  {
    weight: 5,
    arbitrary: moveOf("weather", {
      fault: fc.constantFrom("500", "429", "html", "truncated", "no PDF"),
      calls: fc.integer({ min: 1, max: 4 }),
      skipped: fc.nat({ max: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: moveOf("squeeze", { account: anyNumber, minutesLong: fc.constantFrom(5, 25, 90) }),
  },
  { weight: 2, arbitrary: moveOf("spend", { account: anyNumber, calls: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 1, arbitrary: moveOf("restart", {}) },
);

const arriving = moveOf("mail", {
  fate: fc.constantFrom("arrives" as const, "twice" as const, "shuffled" as const),
  seed: anyNumber,
});
const lost = moveOf("mail", { fate: fc.constant("lost" as const), seed: anyNumber });
const trouble = fc.oneof(
  moveOf("revoke", { user: anyNumber }),
  moveOf("demote", { user: anyNumber }),
  moveOf("group", { tenant, group, gone: fc.constant(true) }),
);
const end = moveOf("end", { tenant, down: fc.constant(false) });

/** One move, or some that tell something together: what happened at the end of a link, and who comes after it. */
const moves: fc.Arbitrary<readonly Move[]> = fc.oneof(
  { weight: 12, arbitrary: move.map((one) => [one]) },
  { weight: 1, arbitrary: fc.tuple(end, link) },
  { weight: 1, arbitrary: fc.tuple(trouble, send, lost) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      moveOf("delete", { tenant, which: anyNumber, whole: oneIn(2) }),
      arriving,
      moveOf("work", { death }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(moveOf("pause", { tenant }), send, lost, fc.oneof(end, moveOf("resume", { tenant }))),
  },
  { weight: 1, arbitrary: fc.tuple(send, lost, end, link) },
  { weight: 1, arbitrary: fc.tuple(end, send, lost, link) },
  { weight: 1, arbitrary: fc.tuple(send, arriving, moveOf("work", { death })) },
);

const hour: fc.Arbitrary<Hour> = fc.record({
  skipped: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 3, 26),
  moves: fc.array(moves, { maxLength: 12 }).map((all) => all.flat()),
  deaths: death.map((one) => [one]),
});

/** A world: envelopes of old, somebody links, and some hours of whatever may happen. */
export const worldPlan: fc.Arbitrary<WorldPlan> = fc.record({
  // First, as what comes first is made simpler first.
  hours: fc.array(hour, { maxLength: 5 }),
  opening: fc
    .tuple(fc.array(send, { maxLength: 4 }), fc.array(link, { minLength: 1, maxLength: 3 }))
    .map(([envelopes, links]) => [...envelopes, ...links]),
  plans: fc.array(fc.record({ connect: oneIn(4).map(not), recipientConnect: oneIn(3).map(not) }), {
    minLength: 3,
    maxLength: 3,
  }),
  importTiming: fc.constantFrom("immediate", "immediate", "immediate", "hourly"),
  largeImport: fc.constantFrom(10_000, 10_000, 10_000, 4),
  hourly: fc.constantFrom(null, null, null, 60),
  atOnce: fc.constant(1),
});

function not(value: boolean): boolean {
  return !value;
}
