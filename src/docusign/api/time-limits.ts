import { DocuSignFault } from "../faults/faults.ts";

/** Time limits of one transfer. `signal` aborts it with the fault `timeout`, or with the caller's own reason. */
export type TimeLimits = {
  readonly signal: AbortSignal;
  /** Waits for a step of the transfer, at most as long as DocuSign may be silent. */
  readonly wait: <T>(something: Promise<T>) => Promise<T>;
  /** Ends the limits: the transfer succeeded or failed. */
  readonly end: () => void;
};

/** Without a reason, the end of each transfer would make an error with its stack. */
const ENDED = "ended";

/** Starts the limits of a transfer. Time that the caller spends on its chunks does not count as silence. */
export function startTimeLimits(idleMs: number, totalMs: number, caller?: AbortSignal): TimeLimits {
  const limits = new AbortController();
  const giveUp = (): void => limits.abort(new DocuSignFault("later", "timeout"));
  // A transfer that is no longer read must not keep the process alive.
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
      limits.abort(ENDED);
    },
  };
}

/** `AbortSignal.any` would replace the caller's reason with a later end of the transfer. */
function follow(limits: AbortController, caller: AbortSignal | undefined): void {
  const stop = (): void => limits.abort(caller?.reason);
  if (caller?.aborted) stop();
  else caller?.addEventListener("abort", stop, { signal: limits.signal });
}
