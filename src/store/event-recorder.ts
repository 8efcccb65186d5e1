import type { ConnectEvent, Recorded } from "./events.ts";

export type EventRecorder = {
  /** Settles once the commit that holds the event is done; rejects with `RecorderFull` where too many wait. */
  record(event: ConnectEvent): Promise<Recorded>;
};

/** More events wait for the database than this process may hold. */
export class RecorderFull extends Error {
  override readonly name = "RecorderFull";
}

type Waiting = {
  readonly event: ConnectEvent;
  readonly resolve: (recorded: Recorded) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Shares commits between events that arrive while one is under way (design decision 11). A lone event is
 * written at once. Where a batch fails, its events are tried one by one, so that none can fail its neighbours.
 */
export function createEventRecorder(
  write: (events: readonly ConnectEvent[]) => Promise<Recorded[]>,
  limits: { batch: number; waiting: number; waitingBytes: number; writers: number },
): EventRecorder {
  const queue: Waiting[] = [];
  let writers = 0;
  let bytes = 0;

  async function drain(): Promise<void> {
    writers += 1;
    try {
      while (queue.length > 0) {
        const batch = queue.splice(0, limits.batch);
        await settle(write, batch);
        for (const { event } of batch) bytes -= event.body.byteLength;
      }
    } finally {
      writers -= 1;
    }
  }

  return {
    async record(event) {
      if (queue.length >= limits.waiting || bytes + event.body.byteLength > limits.waitingBytes)
        throw new RecorderFull();
      bytes += event.body.byteLength;
      const settled = new Promise<Recorded>((resolve, reject) => queue.push({ event, resolve, reject }));
      if (writers < limits.writers) void drain();
      return await settled;
    },
  };
}

async function settle(
  write: (events: readonly ConnectEvent[]) => Promise<Recorded[]>,
  batch: readonly Waiting[],
): Promise<void> {
  try {
    const recorded = await write(batch.map(({ event }) => event));
    batch.forEach(({ resolve, reject }, index) => {
      const answer = recorded[index];
      if (answer === undefined) reject(new Error("the commit gave no answer for an event"));
      else resolve(answer);
    });
  } catch (error) {
    if (batch.length > 1 && isOfOneEvent(error)) for (const one of batch) await settle(write, [one]);
    else for (const { reject } of batch) reject(error);
  }
}

/** SQLSTATE classes 22 and 23: the data are at fault, not the database. */
function isOfOneEvent(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^2[23]/.test(String(error.code));
}
