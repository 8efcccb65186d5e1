import type { JobHelpers, Task } from "graphile-worker";
import { z } from "zod";
import { linkFlag, putBack } from "../store/queue/queue.ts";

/** Prevents one link from occupying all workers of a process, however many jobs it has and however slow DocuSign is. */
export type LinkShare = {
  /** Flags of the links that use their full share; for graphile-worker's `forbiddenFlags`, which skips their jobs. */
  readonly fullFlags: () => string[];
  /** Wraps a task: it requeues its job if the link reached its share meanwhile. */
  readonly within: (task: Task) => Task;
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
    const others = running.size - (running.has(flag) ? 1 : 0);
    return (running.get(flag) ?? 0) >= (others > 0 ? among : alone);
  };
  const count = (flag: string, change: 1 | -1): void => {
    const left = (running.get(flag) ?? 0) + change;
    if (left === 0) running.delete(flag);
    else running.set(flag, left);
  };
  return {
    fullFlags: () => [...running.keys()].filter(isFull),
    within: (task) => async (payload, helpers) => {
      const flag = linkFlag(linkPayload.parse(payload).linkId);
      // Several workers may fetch jobs of the link before the first one is counted.
      if (isFull(flag)) return await leaveToOthers(helpers);
      count(flag, 1);
      try {
        await task(payload, helpers);
      } finally {
        count(flag, -1);
      }
    },
  };
}

const linkPayload = z.object({ linkId: z.string() });

async function leaveToOthers({ job, withPgClient }: JobHelpers): Promise<void> {
  await withPgClient(async (client) => {
    await putBack(async (text, values) => await client.query(text, values && [...values]), job);
  });
}
