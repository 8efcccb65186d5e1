import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { CHANGES_CHANNEL } from "./changes.ts";

export type ChangeNews = {
  /**
   * Resolves with `news` when the tenant's feed may hold more, and with `over` when the signal is aborted or the news
   * are closed. Begin to wait before you look, so that nothing falls in between. Holds no connection.
   */
  waitFor(tenant: string, signal: AbortSignal): Promise<"news" | "over">;
  /** Ends all waiting, for good, and the connection. */
  close(): Promise<void>;
};

export type ChangeNewsOptions = {
  /** Told of each connection that is lost or cannot be made; another one is tried soon. */
  readonly onError?: (error: Error) => void;
  readonly reconnectAfterMs?: number;
};

const RECONNECT_AFTER_MS = 1_000;
const CONNECT_WITHIN_MS = 5_000;
/** A connection that died silently is noticed by the system's own probes. */
const PROBE_AFTER_MS = 30_000;

/**
 * News of the change feed over one connection of its own for all readers of this process. News that are lost while
 * the connection is away only cost the wait: once it is back everybody looks again.
 */
export function createChangeNews(connectionString: string, options: ChangeNewsOptions = {}): ChangeNews {
  const waiters = createWaiters();
  const closing = new AbortController();
  const running = keepListening(connectionString, waiters, { ...options, signal: closing.signal });
  return {
    async waitFor(tenant, signal) {
      if (signal.aborted || closing.signal.aborted) return "over";
      return await waiters.wait(tenant, signal);
    },
    async close() {
      closing.abort();
      waiters.tellAll("over");
      await running;
    },
  };
}

type Ending = "news" | "over";

type Waiters = {
  wait(tenant: string, signal: AbortSignal): Promise<Ending>;
  tell(tenant: string, ending: Ending): void;
  tellAll(ending: Ending): void;
};

function createWaiters(): Waiters {
  const waiting = new Map<string, Set<(ending: Ending) => void>>();
  const tell = (tenant: string, ending: Ending): void => {
    for (const resume of waiting.get(tenant) ?? []) resume(ending);
  };
  return {
    async wait(tenant, signal) {
      const { promise, resolve } = Promise.withResolvers<Ending>();
      const stop = (): void => resolve("over");
      const ofTenant = waiting.get(tenant) ?? new Set();
      waiting.set(tenant, ofTenant.add(resolve));
      signal.addEventListener("abort", stop);
      const ending = await promise;
      signal.removeEventListener("abort", stop);
      ofTenant.delete(resolve);
      if (ofTenant.size === 0) waiting.delete(tenant);
      return ending;
    },
    tell,
    tellAll: (ending) => {
      for (const tenant of waiting.keys()) tell(tenant, ending);
    },
  };
}

type Listening = ChangeNewsOptions & { readonly signal: AbortSignal };

async function keepListening(connectionString: string, waiters: Waiters, options: Listening): Promise<void> {
  while (!options.signal.aborted) {
    await listenOnce(connectionString, waiters, options);
    await pause(options);
  }
}

/** One connection, from its making to its end; never rejects, since there will be another. */
async function listenOnce(connectionString: string, waiters: Waiters, options: Listening): Promise<void> {
  const client = new pg.Client({
    connectionString,
    application_name: "torikomi change news",
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: PROBE_AFTER_MS,
  });
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const end = (): void => resolve();
  client.on("error", (error) => options.onError?.(error));
  client.on("end", end);
  client.on("notification", ({ payload }) => waiters.tell(payload ?? "", "news"));
  options.signal.addEventListener("abort", end);
  try {
    await client.connect();
    await client.query(`listen ${CHANGES_CHANNEL}`);
    // What was told while nobody listened is told to nobody: all have to look.
    waiters.tellAll("news");
    await over;
  } catch (error) {
    if (error instanceof Error) options.onError?.(error);
  } finally {
    options.signal.removeEventListener("abort", end);
    await client.end().catch(() => {});
  }
}

async function pause({ signal, reconnectAfterMs = RECONNECT_AFTER_MS }: Listening): Promise<void> {
  await sleep(reconnectAfterMs, undefined, { signal }).catch(() => {});
}
