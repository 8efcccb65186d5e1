import { startReceivers } from "./receiver-group.ts";
import type { Receiver } from "./receivers.ts";
import type { Bench, Row } from "./report.ts";
import type { Flood } from "./senders.ts";
import { median, medianRatio } from "./statistics.ts";

const RECEIVERS: readonly Receiver[] = [
  "torikomi",
  "commit-each",
  "no-storage",
  "bare-express",
  "fastify-pg-boss",
];
/** Turns that warm up code and connections: a receiver runs for months. */
const WARM_UP = 2;
const ROUNDS = 5;
const FLOOD = { senders: 100, warmUpMs: 500, durationMs: 2_500 };
/** More than any receiver takes in one turn. */
const PLENTY = 60_000;

/** How many events a second are accepted from 100 senders: signed bodies of 2 KB, each about another envelope. */
export async function measureEvents(bench: Bench): Promise<Row[]> {
  await using group = await startReceivers(bench, RECEIVERS);
  const rates = new Map<Receiver, number[]>(RECEIVERS.map((name) => [name, []]));
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    for (const [name, port] of group.ports) {
      await group.prepare(PLENTY);
      const { perSecond } = await group.senders.ask<Flood>("flood", { ...FLOOD, port });
      if (round >= 0) rates.get(name)?.push(perSecond);
    }
  }
  const ours = rates.get("torikomi") ?? [];
  return COMPARISONS.map(({ receiver, against, least }) => {
    const theirs = rates.get(receiver) ?? [];
    const ratio = medianRatio(ours, theirs);
    return {
      measured: "events accepted a second, 100 senders",
      here: `${Math.round(median(ours))}/s`,
      against: `${against}: ${Math.round(median(theirs))}/s`,
      result: `${ratio.toFixed(2)} ×`,
      goal: `≥ ${least} ×`,
      met: ratio >= least,
    };
  });
}

const COMPARISONS = [
  { receiver: "commit-each", against: "one INSERT + add_job commit each", least: 3 },
  { receiver: "no-storage", against: "same app, no storage", least: 0.35 },
  { receiver: "bare-express", against: "Express and signature check only", least: 0.35 },
  { receiver: "fastify-pg-boss", against: "Fastify with pg-boss", least: 2 },
] as const;
