import { isDataRejected } from "../database-errors.ts";
import type { ConnectEvent, Recorded } from "./record-events.ts";

export type EventRecorder = {
  /**
   * Settles once the commit that holds the event is done. Rejects with `RecorderFull` if too many wait, and after
   * `answerWithinMs`: the event may be recorded later all the same, and its retry is then a repeat.
   */
  record(event: ConnectEvent): Promise<Recorded>;
};

/** More events wait for the database than this process may hold. */
export class RecorderFull extends Error {
  override readonly name = "RecorderFull";
}

export type RecorderLimits = {
  /** Events that share a commit. */
  readonly batch: number;
  /** Events, and bytes of their bodies, that are under way or wait. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Commits at once, at most. */
  readonly writers: number;
  /** A database that hangs must not keep the sender waiting. */
  readonly answerWithinMs: number;
};

/** Of the bodies that share a commit: they are copied together, and nobody is to wait for many large ones. */
const BATCH_BYTES = 4 * 1024 * 1024;

type Write = (events: readonly ConnectEvent[]) => Promise<Recorded[]>;

type Waiting = {
  readonly event: ConnectEvent;
  readonly resolve: (recorded: Recorded) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Shares commits between events that arrive while one is under way (design decision 15). A lone event is
 * written at once. Where the data of a batch are refused, its halves are tried, so that no event can fail its
 * neighbours.
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

  /** One commit after the other holds more events each and costs less; a second is begun where a full one waits. */
  function mayStart(): boolean {
    return writers === 0 || (writers < limits.writers && queue.length >= countBatch(queue, limits.batch));
  }

  return {
    async record(event) {
      const bytes = event.body.byteLength;
      if (held.events >= limits.waiting || held.bytes + bytes > limits.waitingBytes) throw new RecorderFull();
      held.events += 1;
      held.bytes += bytes;
      const { promise: settled, resolve, reject } = Promise.withResolvers<Recorded>();
      queue.push({ event, resolve, reject });
      if (mayStart()) void drain();
      const tooLate = setTimeout(
        () => reject(new Error("the database took too long")),
        limits.answerWithinMs,
      );
      return await settled.finally(() => clearTimeout(tooLate));
    },
  };
}

/** How many of those that wait longest share the next commit: one at least. */
function countBatch(queue: readonly Waiting[], most: number): number {
  let bytes = 0;
  const fitting = queue.slice(0, most).findIndex(({ event }) => {
    bytes += event.body.byteLength;
    return bytes > BATCH_BYTES;
  });
  return fitting === -1 ? most : Math.max(1, fitting);
}

/** Never rejects: each event learns by itself what became of it. */
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
  return batch.reduce((bytes, { event }) => bytes + event.body.byteLength, 0);
}
