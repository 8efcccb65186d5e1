import { runDueJobs } from "../../src/jobs/worker.ts";
import type { Envelope } from "./docusign/state.ts";
import { type Companies, CUSTOMER } from "./linked-world.ts";
import { concludeQuietly, HOUR_MS } from "./reconciling.ts";
import type { World } from "./world.ts";

/** Envelopes of the days before the linking, one an hour. */
export function concludeHistory({ world, colleague }: Companies, count: number): Envelope[] {
  const start = world.clock.now.getTime() - 20 * 24 * HOUR_MS;
  return concludeQuietly(world, count, (number) => ({
    from: colleague,
    to: [CUSTOMER],
    subject: `old ${number}`,
    completedAt: new Date(start + number * 60_000),
  }));
}

/** As a worker with several jobs at once does. */
export async function runAtOnce(world: World): Promise<void> {
  const { tasks, working, log } = world.service.foundation;
  await runDueJobs(tasks, { pgPool: working.pool, log, concurrency: 4 });
  await world.runJobs();
}

export async function passHours(world: World, count: number): Promise<void> {
  for (let hour = 0; hour < count; hour += 1) {
    await world.runHour();
    await runAtOnce(world);
  }
}
