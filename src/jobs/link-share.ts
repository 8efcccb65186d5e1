import type { JobHelpers, Task } from "graphile-worker";
import { z } from "zod";
import { HOUR_FLAG, linkFlag, putBack } from "../store/queue/queue.ts";

/** Prevents one link from occupying all workers of a process, however many jobs it has and however slow DocuSign is. */
export type LinkShare = {
  /** Flags of the links that use their full share; for graphile-worker's `forbiddenFlags`, which skips their jobs. */
  readonly fullFlags: () => string[];
  /** Wraps a task: it requeues its job if the link reached its share meanwhile. */
  readonly within: (task: Task) => Task;
  /** The same for jobs that reconcile many links, which take a fifth of the workers: each lists several links at a time. */
  readonly withinHour: (task: Task) => Task;
};

/**
 * Gives a link about half of the workers, and four fifths while no other link is active. Never all of them, unless there
 * is only one.
 */
export function createLinkShare(concurrency: number): LinkShare {
  const alone = Math.max(1, concurrency - Math.max(1, Math.floor(concurrency / 5)));
  const among = Math.min(alone, Math.ceil(concurrency / 2));
  const running = new Map<string, number>();
  const isFull = (flag: string): boolean => {
    if (flag === HOUR_FLAG) return (running.get(flag) ?? 0) >= Math.max(1, Math.floor(concurrency / 5));
    const others = running.size - (running.has(flag) ? 1 : 0);
    return (running.get(flag) ?? 0) >= (others > 0 ? among : alone);
  };
  const count = (flag: string, change: 1 | -1): void => {
    const left = (running.get(flag) ?? 0) + change;
    if (left === 0) running.delete(flag);
    else running.set(flag, left);
  };
  const within =
    (flagOf: (payload: unknown) => string, task: Task): Task =>
    async (payload, helpers) => {
      const flag = flagOf(payload);
      // Several workers may fetch jobs of the flag before the first one is counted.
      if (isFull(flag)) return await leaveToOthers(helpers);
      count(flag, 1);
      try {
        await task(payload, helpers);
      } finally {
        count(flag, -1);
      }
    };
  return {
    fullFlags: () => [...running.keys()].filter(isFull),
    within: (task) => within((payload) => linkFlag(linkPayload.parse(payload).linkId), task),
    withinHour: (task) => within(() => HOUR_FLAG, task),
  };
}

const linkPayload = z.object({ linkId: z.string() });

async function leaveToOthers({ job, withPgClient }: JobHelpers): Promise<void> {
  await withPgClient(async (client) => {
    await putBack(async (text, values) => await client.query(text, values && [...values]), job);
  });
}
