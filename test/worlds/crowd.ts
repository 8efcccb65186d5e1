import fc from "fast-check";
import { moveOf, send } from "./generate.ts";
import type { Death, Move, WorldPlan } from "./moves.ts";

const HOUR_MINUTES = 60;
const MS_PER_MINUTE = 60_000;
/** Envelopes before any link, during the predecessor's, and in the hour of faults: 500 in all. */
const BEFORE = 80;
const UNDER_PREDECESSOR = 60;
const IN_A_SLICE = 60;
const SLICES = 6;
const SLICE_MINUTES = 9;

const anyNumber = fc.nat({ max: 999 });
const atStatement: fc.Arbitrary<Death> = fc.record({
  at: fc.constant("statement" as const),
  number: fc.integer({ min: 1, max: 600 }),
});
/** Within the calls that a worker makes for the envelopes of a slice. */
const ofProcess: fc.Arbitrary<Death> = fc.record({
  at: fc.constant("process" as const),
  number: fc.integer({ min: 1, max: 60 }),
  afterMs: fc.nat({ max: 40 }),
});

/**
 * A world of 500 envelopes. Tenant 2 links a user, ends that link on the hour, and then both tenants link their admins.
 * In the hour that follows, 30 % of the events are lost, 20 % are repeated and the rest is shuffled, DocuSign fails, and
 * workers that run three jobs at once die; with processes, half of them are processes killed with SIGKILL.
 */
export function crowdedPlan(withProcesses: boolean): fc.Arbitrary<WorldPlan> {
  const death = withProcesses ? fc.oneof(atStatement, ofProcess) : atStatement;
  return fc.record({
    hours: fc
      .tuple(
        many(UNDER_PREDECESSOR, 40),
        fc.array(slice(death), exactly(SLICES)),
        fc.array(death, exactly(2)),
      )
      .map(([envelopes, slices, deaths]) => [
        { skipped: 0, moves: [WORK, ...envelopes], deaths: [null] },
        { skipped: 0, moves: [END, ...ADMINS, ...slices.flat()], deaths },
      ]),
    opening: many(BEFORE, 72 * HOUR_MINUTES).map((envelopes) => [...envelopes, PREDECESSOR]),
    plans: fc.constant(Array.from({ length: 3 }, () => ({ connect: true, recipientConnect: true }))),
    importTiming: fc.constant("immediate"),
    largeImport: fc.constant(10_000),
    hourly: fc.constant(null),
    atOnce: fc.constant(3),
  });
}

const WORK: Move = { kind: "work", minutes: 0, death: null };
/** Linkable are kou's admin, deputy and namesake, otsu's admin and deputy; after a first link, its company first. */
const PREDECESSOR: Move = { kind: "link", minutes: 0, tenant: 1, user: 4, group: 0, from: null };
const END: Move = { kind: "end", minutes: 0, tenant: 1, down: false };
const ADMINS: readonly Move[] = [
  { kind: "link", minutes: 5, tenant: 0, user: 0, group: 0, from: null },
  { kind: "link", minutes: 0, tenant: 1, user: 0, group: 0, from: null },
];

/** Envelopes, mail of which a part comes later, faults, and a worker that dies. */
function slice(death: fc.Arbitrary<Death>): fc.Arbitrary<readonly Move[]> {
  const weather = moveOf("weather", {
    fault: fc.constantFrom("500" as const, "truncated" as const),
    calls: fc.integer({ min: 1, max: 3 }),
    skipped: fc.nat({ max: 5 }),
  });
  return fc
    .tuple(
      many(IN_A_SLICE, SLICE_MINUTES),
      fc.array(moveOf("complete", { which: anyNumber }), exactly(SLICES)),
      moveOf("mail", { fate: fc.constant("mixed" as const), seed: anyNumber }),
      fc.array(weather, { maxLength: 2 }),
      moveOf("work", { death }),
    )
    .map(([envelopes, completions, mail, faults, work]) =>
      [...envelopes, ...completions, mail, ...faults, work].map((move, index) =>
        index < envelopes.length ? move : { ...move, minutes: 0 },
      ),
    );
}

/** So many envelopes in about that time, one in five at the same moment as the one before. */
function many(count: number, minutes: number): fc.Arbitrary<Move[]> {
  const most = Math.ceil((2 * minutes * MS_PER_MINUTE) / count);
  const pause = fc.oneof(
    { weight: 1, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.nat({ max: most }) },
  );
  const sent = fc.tuple(send, pause).map(([move, ms]) => ({ ...move, minutes: ms / MS_PER_MINUTE }));
  return fc.array(sent, exactly(count));
}

function exactly(length: number): { minLength: number; maxLength: number } {
  return { minLength: length, maxLength: length };
}
