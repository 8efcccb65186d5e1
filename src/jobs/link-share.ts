import type { Job, Task } from "graphile-worker";
import { z } from "zod";
import { linkFlag } from "../store/queue/queue.ts";

/** Keeps one link from taking all workers of a process, however many jobs it has and however slow DocuSign is. */
export type LinkShare = {
  /** Flags of the links that have their share: their jobs are left in the queue. For graphile-worker's `forbiddenFlags`. */
  readonly fullFlags: () => string[];
  /** The task, which puts its job back where the link got its share meanwhile. */
  readonly within: (task: Task) => Task;
};

/**
 * About half of the workers for a link, and four fifths while no other link has anything under way; never all of them
 * where there are several.
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
      // Several workers may have fetched jobs of the link before the first of them was counted.
      if (isFull(flag)) return await putBack(payload, helpers);
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

async function putBack(
  payload: unknown,
  { job, addJob }: { job: Job; addJob: Parameters<Task>[1]["addJob"] },
): Promise<void> {
  const { task_identifier: task, key, priority, max_attempts: maxAttempts } = job;
  await addJob(task, payload, {
    ...(key !== null && { jobKey: key }),
    priority,
    maxAttempts,
    flags: Object.keys(job.flags ?? {}),
  });
}
