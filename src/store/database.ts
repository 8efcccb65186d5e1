import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { type Address, currentAddress } from "./address.ts";
import { isSessionUnfit } from "./database-errors.ts";
import type { DB } from "./schema.ts";

export type DatabaseOptions = {
  /** Connections at most; 10 where left out. */
  max?: number;
  /** What `pg_stat_activity` shows. */
  applicationName?: string;
  /** Told of connections that break; the query under way fails by itself. */
  onError?: (error: Error) => void;
  statementTimeoutMs?: number;
  /** How long an answer is waited for, should the network swallow it: the connection is then given up. */
  queryTimeoutMs?: number;
  /** How long a caller waits for a connection, new or free: short, so that the receiver can answer 503. */
  connectionTimeoutMs?: number;
  /**
   * For connections whose every query is served by an index, however a table looked when the query was planned:
   * plans are kept for long, and one that was made while a table was empty walks through it once it is full.
   */
  indexesOnly?: boolean;
  /** Connections are kept open, so that what they planned is kept as well. */
  keepConnected?: boolean;
};

/** The database, or a transaction of it. */
export type Database = Kysely<DB>;

export type OpenDatabase = {
  db: Kysely<DB>;
  pool: pg.Pool;
  /** Ends the connections once what is under way has finished; a second call changes nothing. */
  close(): Promise<void>;
};

/** The pool waits for this before it hands a new connection out. */
const PREFER_INDEXES = {
  onConnect: async (client: pg.ClientBase): Promise<void> => {
    await client.query("set enable_seqscan = off");
  },
};

/**
 * A pool of connections and kysely upon it. Connects at the first query, never here. `bigint` and `date`
 * columns are read as strings, `timestamptz` as `Date`. A lost connection is reported and replaced, it never ends the
 * process; so is one whose session has become unfit, or whose answer did not come in time.
 */
export function openDatabase(address: Address, options: DatabaseOptions = {}): OpenDatabase {
  const pool = new pg.Pool({
    Client: clientFor(address),
    max: options.max ?? 10,
    application_name: options.applicationName ?? "torikomi",
    connectionTimeoutMillis: options.connectionTimeoutMs ?? 2_000,
    ...(options.statementTimeoutMs !== undefined && { statement_timeout: options.statementTimeoutMs }),
    ...(options.queryTimeoutMs !== undefined && { query_timeout: options.queryTimeoutMs }),
    ...(options.indexesOnly === true && PREFER_INDEXES),
    ...(options.keepConnected === true && { idleTimeoutMillis: 0 }),
    keepAlive: true,
    types: readDatesAsText(),
  });
  const report = options.onError ?? ignore;
  const unfit = new WeakSet<pg.ClientBase>();
  pool.on("connect", (client) => {
    client.on("error", report);
    watchQueries(client, (error) => void (isSessionUnfit(error) && unfit.add(client)));
  });
  // The pool removes a client that is ending.
  pool.on("release", (_error, client) => void (unfit.has(client) && client.end()));
  // The pool repeats what its idle clients have reported above; without a listener it would end the process.
  pool.on("error", ignore);
  return {
    db: new Kysely<DB>({ dialect: new PostgresDialect({ pool }) }),
    pool,
    async close() {
      if (!pool.ending) await pool.end();
    },
  };
}

/** The pool would remember the address that it began with. */
function clientFor(address: Address): typeof pg.Client {
  return class extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super({ ...(typeof config === "object" && config), connectionString: currentAddress(address) });
    }
  };
}

/** Callers that pass a callback are the pool's own, which removes a client after any error. */
function watchQueries(client: pg.ClientBase, onError: (error: unknown) => void): void {
  const { query } = client;
  Object.assign(client, {
    query(...args: unknown[]): unknown {
      const result: unknown = Reflect.apply(query, client, args);
      if (result instanceof Promise) result.catch(onError);
      return result;
    },
  });
}

/** A calendar date is no moment: as a `Date` it would shift with the time zone of the machine. */
function readDatesAsText(): pg.CustomTypesConfig {
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.DATE, (text: string) => text);
  return types;
}

function ignore(): void {}
