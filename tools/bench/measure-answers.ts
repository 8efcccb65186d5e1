import { watchDisk } from "./disk.ts";
import { startReceivers } from "./receiver-group.ts";
import type { Bench, Row } from "./report.ts";
import type { Flood } from "./senders.ts";
import { median, percentile } from "./statistics.ts";

/** Short turns, so that a disk or a host that halts for a moment spoils some of them and not all. */
const TURNS = 11;
/** Until V8 has compiled what is hot: the first seconds of a process are many times slower than the rest. */
const WARM_UP_TURNS = 3;
const SENDERS = 100;
const DURATION_MS = 2_000;
const GOAL_MS = 50;

/**
 * How long the slowest of a hundred answers takes when events come at half the rate that is possible at most; beside it,
 * what the machine makes of the same when nothing is done but the signature checked.
 */
export async function measureAnswers(bench: Bench): Promise<Row[]> {
  await using group = await startReceivers(bench, ["torikomi", "bare-express"]);
  const port = group.ports.get("torikomi") ?? 0;
  const barePort = group.ports.get("bare-express") ?? 0;
  const slowest: number[] = [];
  const bare: number[] = [];
  const rates: number[] = [];
  const writes: number[] = [];
  for (let turn = -WARM_UP_TURNS; turn < TURNS; turn += 1) {
    await group.prepare(60_000);
    const flood = { port, senders: SENDERS, warmUpMs: 500, durationMs: 1_500 };
    const { perSecond } = await group.senders.ask<Flood>("flood", flood);
    const pace = { port, senders: SENDERS, perSecond: perSecond / 2, durationMs: DURATION_MS };
    const { result: times, slowestMs } = await watchDisk(
      async () => await group.senders.ask<number[]>("pace", pace),
    );
    const bareTimes = await group.senders.ask<number[]>("pace", { ...pace, port: barePort });
    if (turn < 0) continue;
    slowest.push(percentile(times, 0.99));
    bare.push(percentile(bareTimes, 0.99));
    rates.push(perSecond / 2);
    writes.push(slowestMs);
  }
  const here = median(slowest);
  return [
    {
      measured: "99th percentile of answers at half the highest rate",
      here: `${here.toFixed(1)} ms`,
      against: `${Math.round(median(rates))} events/s; Express and signature check only: ${median(bare).toFixed(1)} ms; slowest of ${TURNS} turns: ${Math.max(...slowest).toFixed(1)} ms; the disk's slowest write of 8 KB in such a turn: ${median(writes).toFixed(1)} ms`,
      result: `${here.toFixed(1)} ms`,
      goal: `≤ ${GOAL_MS} ms`,
      met: here <= GOAL_MS,
    },
  ];
}
