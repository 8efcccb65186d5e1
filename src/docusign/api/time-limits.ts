import { DocuSignFault } from "../faults/faults.ts";

/** Time limits of one transfer. `signal` aborts it with the fault `timeout`, or with the caller's own reason. */
export type TimeLimits = {
  readonly signal: AbortSignal;
  /** Waits for something of the transfer, for as long as DocuSign may be silent. */
  readonly wait: <T>(something: Promise<T>) => Promise<T>;
  /** The transfer is over, one way or the other. */
  readonly end: () => void;
};

/** Starts the clock of a transfer. What the caller does with its pieces meanwhile counts as nobody's silence. */
export function startTimeLimits(idleMs: number, totalMs: number, caller?: AbortSignal): TimeLimits {
  const limits = new AbortController();
  const giveUp = (): void => limits.abort(new DocuSignFault("later", "timeout"));
  // A transfer that nobody reads any more must not keep the process.
  const total = setTimeout(giveUp, totalMs).unref();
  follow(limits, caller);
  return {
    signal: limits.signal,
    wait: async (something) => {
      const idle = setTimeout(giveUp, idleMs);
      return something.finally(() => clearTimeout(idle));
    },
    end: () => {
      clearTimeout(total);
      limits.abort();
    },
  };
}

/** `AbortSignal.any` would lose the caller's reason to a later end of the transfer. */
function follow(limits: AbortController, caller: AbortSignal | undefined): void {
  const stop = (): void => limits.abort(caller?.reason);
  if (caller?.aborted) stop();
  else caller?.addEventListener("abort", stop, { signal: limits.signal });
}
