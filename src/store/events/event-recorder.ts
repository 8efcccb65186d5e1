import { isDataRejected } from "../database-errors.ts";
import type { ConnectEvent, Recorded } from "./record-events.ts";

export type EventRecorder = {
  /**
   * Settles once the commit that holds the event is done. Rejects with `RecorderFull` if too many wait, and after
   * `answerWithinMs`: the event may be recorded later all the same, and its retry is then a repeat.
   */
  record(event: ConnectEvent): Promise<Recorded>;
};

/** The process holds as many waiting events as it may. */
export class RecorderFull extends Error {
  override readonly name = "RecorderFull";
}

export type RecorderLimits = {
  /** Largest number of events in one commit. */
  readonly batch: number;
  /** Limits for events, and for the bytes of their bodies, that are waiting or being written. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Largest number of concurrent commits. */
  readonly writers: number;
  /** A database that hangs must not keep the sender waiting. */
  readonly answerWithinMs: number;
};

/** Limit for the bodies of one commit: they are copied together, and no event should wait for many large ones. */
const BATCH_BYTES = 4 * 1024 * 1024;

/** A large body may take longer to write. */
const LEAST_BYTES_PER_MS = 2 * 1024;

type Write = (events: readonly ConnectEvent[]) => Promise<Recorded[]>;

type Waiting = {
  readonly event: ConnectEvent;
  readonly resolve: (recorded: Recorded) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Group commit: events that arrive during a commit share the next one (design decision 15). A lone event is written at
 * once. If the database rejects the data of a batch, its halves are tried, so that no event can fail its neighbours.
 */
export function createEventRecorder(write: Write, limits: RecorderLimits): EventRecorder {
  const queue: Waiting[] = [];
  const held = { events: 0, bytes: 0 };
  let writers = 0;

  async function drain(): Promise<void> {
    writers += 1;
    while (queue.length > 0) {
      const batch = queue.splice(0, countBatch(queue, limits.batch));
      await settle(write, batch);
      held.events -= batch.length;
      held.bytes -= bytesOf(batch);
    }
    writers -= 1;
  }

  /** Consecutive commits hold more events and cost less than concurrent ones. A second one starts only for a full batch. */
  function mayStart(): boolean {
    return writers === 0 || (writers < limits.writers && queue.length >= countBatch(queue, limits.batch));
  }

  return {
    async record(event) {
      const bytes = sizeOf(event);
      if (held.events >= limits.waiting || held.bytes + bytes > limits.waitingBytes) throw new RecorderFull();
      held.events += 1;
      held.bytes += bytes;
      const { promise: settled, resolve, reject } = Promise.withResolvers<Recorded>();
      queue.push({ event, resolve, reject });
      if (mayStart()) void drain();
      const patienceMs = limits.answerWithinMs + bytes / LEAST_BYTES_PER_MS;
      const tooLate = setTimeout(() => reject(new Error("the database took too long")), patienceMs);
      return await settled.finally(() => clearTimeout(tooLate));
    },
  };
}

/** Returns how many of the oldest events share the next commit; at least one. */
function countBatch(queue: readonly Waiting[], most: number): number {
  let bytes = 0;
  const fitting = queue.slice(0, most).findIndex(({ event }) => {
    bytes += sizeOf(event);
    return bytes > BATCH_BYTES;
  });
  return fitting === -1 ? most : Math.max(1, fitting);
}

/** Never rejects: the result is reported for each event. */
async function settle(write: Write, batch: readonly Waiting[]): Promise<void> {
  try {
    const recorded = await write(batch.map(({ event }) => event));
    batch.forEach(({ resolve, reject }, index) => {
      const answer = recorded[index];
      if (answer === undefined) reject(new Error("the commit gave no answer for an event"));
      else resolve(answer);
    });
  } catch (error) {
    if (batch.length === 1 || !isDataRejected(error)) return batch.forEach(({ reject }) => reject(error));
    const middle = Math.ceil(batch.length / 2);
    await settle(write, batch.slice(0, middle));
    await settle(write, batch.slice(middle));
  }
}

function bytesOf(batch: readonly Waiting[]): number {
  return batch.reduce((bytes, { event }) => bytes + sizeOf(event), 0);
}

function sizeOf({ body }: ConnectEvent): number {
  return body?.byteLength ?? 0;
}
