import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type Address, currentAddress } from "./address.ts";

/** A dedicated connection that is opened, watched and reopened until it is closed. */
export type Session = {
  /** Runs the set-up again on the current connection, or on the next one. */
  refresh(): void;
  /** Runs the set-up if that was asked for, then ends the connection for good. */
  close(): Promise<void>;
};

export type Query = (text: string, values?: readonly string[]) => Promise<unknown>;

export type SessionOptions = {
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /**
   * Called for each new connection. The function that it returns brings the connection to the wanted state: at once,
   * with each ping and after each `refresh`, one run at a time. If it throws, the connection is replaced.
   */
  readonly setUp: () => (query: Query) => Promise<void>;
  readonly onNotification?: (payload: string, channel: string) => void;
  /** Called once for each connection that is lost or cannot be made. */
  readonly onLost?: (error: Error) => void;
  /** The first pause before another attempt; each further one is twice as long, up to two seconds. */
  readonly reconnectMs?: number;
  readonly pingMs?: number;
};

const RECONNECT_MS = 500;
const LONGEST_PAUSE_MS = 2_000;
const PING_MS = 10_000;
const QUERY_TIMEOUT_MS = 5_000;
const FAREWELL_MS = 1_000;

/** Fails on a standby, which a session may be left on after a failover. */
const PING = "begin read write; commit";
/** By default the server keeps the locks of a vanished machine for two hours. */
const NOTICE_LOSS =
  "set tcp_keepalives_idle = 15; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3";

/**
 * Keeps one connection for what belongs to a session: advisory locks or LISTEN. A pooler in transaction mode cannot
 * provide that.
 */
export function keepSession(address: Address, options: SessionOptions): Session {
  const closing = new AbortController();
  const control: Control = { closing: closing.signal, isStale: false, wake: () => {} };
  const kept = keep(address, options, control);
  return {
    refresh() {
      control.isStale = true;
      control.wake();
    },
    async close() {
      closing.abort();
      control.wake();
      await kept;
    },
  };
}

type Control = {
  readonly closing: AbortSignal;
  /** True from a refresh until the set-up runs. */
  isStale: boolean;
  /** Ends the rest between two runs of the set-up. It takes less time than aborting a signal. */
  wake: () => void;
};

/** Never rejects: there is always another connection, until closing. */
async function keep(address: Address, options: SessionOptions, control: Control): Promise<void> {
  const { onLost, reconnectMs = RECONNECT_MS } = options;
  let pauseMs = reconnectMs;
  while (!control.closing.aborted) {
    try {
      await using connection = await connect(address, options);
      pauseMs = reconnectMs;
      await watch(connection, options, control);
    } catch (error) {
      if (error instanceof Error && !control.closing.aborted) onLost?.(error);
    }
    await pause(pauseMs, control.closing);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** Returns when closing; throws when the connection is lost. */
async function watch(
  { query, lost }: Connection,
  { setUp, pingMs = PING_MS }: SessionOptions,
  control: Control,
): Promise<void> {
  const bring = setUp();
  lost.addEventListener("abort", () => control.wake());
  do {
    control.isStale = false;
    await bring(query);
    if (!control.isStale && !control.closing.aborted && !lost.aborted) await rest(pingMs, control);
    lost.throwIfAborted();
    if (!control.isStale) await query(PING);
  } while (!control.closing.aborted || control.isStale);
}

async function rest(ms: number, control: Control): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  control.wake = resolve;
  const timer = setTimeout(resolve, ms);
  await promise;
  clearTimeout(timer);
}

type Connection = AsyncDisposable & { readonly query: Query; readonly lost: AbortSignal };

async function connect(address: Address, options: SessionOptions): Promise<Connection> {
  const client = new pg.Client({
    connectionString: currentAddress(address),
    application_name: options.applicationName,
    keepAlive: true,
    connectionTimeoutMillis: QUERY_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  });
  const lost = new AbortController();
  client.on("error", (error) => lost.abort(error));
  client.on("end", () => lost.abort(new Error(`the connection "${options.applicationName}" was lost`)));
  client.on("notification", ({ payload, channel }) => options.onNotification?.(payload ?? "", channel));
  try {
    await client.connect();
    await client.query(`${PING}; ${NOTICE_LOSS}`);
    return {
      query: async (text, values) => await client.query(text, values && [...values]),
      lost: lost.signal,
      [Symbol.asyncDispose]: async () => await end(client),
    };
  } catch (error) {
    await end(client);
    throw error;
  }
}

/** Does not wait for a broken connection to confirm its end. */
async function end(client: pg.Client): Promise<void> {
  await Promise.race([client.end().catch(() => {}), sleep(FAREWELL_MS, undefined, { ref: false })]);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
