import { startReceivers } from "./receiver-group.ts";
import type { Bench, Row } from "./report.ts";
import { median, medianRatio } from "./statistics.ts";

const ROUNDS = 9;
const LONE = { count: 60, pauseMs: 5 };
const MOST = 1.1;

/** How long a lone event waits for its answer, from its first byte on. */
export async function measureLone(bench: Bench): Promise<Row[]> {
  await using group = await startReceivers(bench, ["torikomi", "commit-each"]);
  const times = { torikomi: new Array<number>(), "commit-each": new Array<number>() };
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const name of ["torikomi", "commit-each"] as const) {
      await group.prepare(LONE.count);
      const answers = await group.senders.ask<number[]>("oneByOne", { ...LONE, port: group.ports.get(name) });
      if (round >= 0) times[name].push(median(answers));
    }
  }
  const ratio = medianRatio(times.torikomi, times["commit-each"]);
  return [
    {
      measured: "one lone event: arrival to answer, median",
      here: `${median(times.torikomi).toFixed(2)} ms`,
      against: `one INSERT + add_job commit each: ${median(times["commit-each"]).toFixed(2)} ms`,
      result: `${ratio.toFixed(2)} ×`,
      goal: `≤ ${MOST} ×`,
      met: ratio <= MOST,
    },
  ];
}
