import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { type Address, currentAddress } from "./address.ts";
import { isSessionUnfit, isStatementOutdated } from "./database-errors.ts";
import type { DB } from "./schema.ts";
import { createStatementNames, type StatementNames } from "./statement-names.ts";

export type DatabaseOptions = {
  /** Largest number of connections; 10 by default. */
  max?: number;
  /** Shown in `pg_stat_activity`. */
  applicationName?: string;
  /** Called for broken connections; the running query fails by itself. */
  onError?: (error: Error) => void;
  statementTimeoutMs?: number;
  /** Limit for an answer that the network may have lost; the connection is then dropped. */
  queryTimeoutMs?: number;
  /** Limit for acquiring a connection; short, so that the receiver can answer 503. */
  connectionTimeoutMs?: number;
  /**
   * For connections whose queries are all served by an index. Plans are kept for long, and a plan made while a table was
   * empty scans it when it is full.
   */
  indexesOnly?: boolean;
  /** Keeps idle connections open, and with them their plans. */
  keepConnected?: boolean;
  /**
   * Lets each connection plan a statement once: all of them, or those with the mark `PLANNED_ONCE`. For short statements
   * that are repeated often; one plan must serve all values.
   */
  prepared?: "all" | "marked";
};

/** The database, or a transaction of it. */
export type Database = Kysely<DB>;

export type OpenDatabase = {
  db: Kysely<DB>;
  pool: pg.Pool;
  /** Ends the connections after running queries have finished. Idempotent. */
  close(): Promise<void>;
};

/**
 * Opens a pool of connections with kysely on top. Connects at the first query. `bigint` and `date` columns are strings,
 * `timestamptz` columns are `Date`. A connection that is lost, unfit or too slow is reported and replaced; it never ends
 * the process.
 */
export function openDatabase(address: Address, options: DatabaseOptions = {}): OpenDatabase {
  const pool = new pg.Pool({
    Client: clientFor(address),
    max: options.max ?? 10,
    application_name: options.applicationName ?? "torikomi",
    connectionTimeoutMillis: options.connectionTimeoutMs ?? 2_000,
    ...(options.statementTimeoutMs !== undefined && { statement_timeout: options.statementTimeoutMs }),
    ...(options.queryTimeoutMs !== undefined && { query_timeout: options.queryTimeoutMs }),
    ...withSettings(options),
    ...(options.keepConnected === true && { idleTimeoutMillis: 0 }),
    keepAlive: true,
    types: readDatesAsText(),
  });
  const report = options.onError ?? ignore;
  const unfit = new WeakSet<pg.ClientBase>();
  const names = namesFor(options);
  pool.on("connect", (client) => {
    client.on("error", report);
    wrapQueries(client, { names, onError: (error) => void (isSessionUnfit(error) && unfit.add(client)) });
  });
  // The pool removes a client that is ending.
  pool.on("release", (_error, client) => void (unfit.has(client) && client.end()));
  // The pool repeats the errors of its idle clients, reported above. Without a listener they would end the process.
  pool.on("error", ignore);
  return {
    db: new Kysely<DB>({ dialect: new PostgresDialect({ pool }) }),
    pool,
    async close() {
      if (!pool.ending) await pool.end();
    },
  };
}

/** The pool would keep its first address. */
function clientFor(address: Address): typeof pg.Client {
  return class extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super({ ...(typeof config === "object" && config), connectionString: currentAddress(address) });
    }
  };
}

type OnConnect = (client: pg.ClientBase) => Promise<unknown>;

/** The pool awaits the settings before it returns a new connection. */
function withSettings({ indexesOnly, prepared }: DatabaseOptions): { onConnect?: OnConnect } {
  const settings = [
    ...(indexesOnly === true ? ["set enable_seqscan = off"] : []),
    // Otherwise PostgreSQL plans some statements for each use, since it expects more of lists than they hold.
    ...(prepared === "all" ? ["set plan_cache_mode = force_generic_plan"] : []),
  ];
  if (settings.length === 0) return {};
  return { onConnect: async (client) => await client.query(settings.join("; ")) };
}

function namesFor({ prepared }: DatabaseOptions): StatementNames {
  return prepared === undefined ? () => null : createStatementNames(prepared);
}

type Wrapping = { readonly names: StatementNames; readonly onError: (error: unknown) => void };

/** Callers that pass a callback are the pool's own, which removes a client after any error. */
function wrapQueries(client: pg.ClientBase, { names, onError }: Wrapping): void {
  const { query } = client;
  const send = async (...args: unknown[]): Promise<unknown> => await Reflect.apply(query, client, args);
  const sendNamed = async (text: string, values: unknown[], name: string): Promise<unknown> => {
    try {
      return await send({ name, text, values });
    } catch (error) {
      onError(error);
      if (!isStatementOutdated(error) || client.getTransactionStatus() !== "I") throw error;
      return await send(text, values);
    }
  };
  Object.assign(client, {
    query(...args: unknown[]): unknown {
      const [text, values] = args;
      const isPlain = typeof text === "string" && Array.isArray(values) && args.length === 2;
      const name = isPlain ? names(text) : null;
      if (isPlain && name !== null) return sendNamed(text, values, name);
      const result: unknown = Reflect.apply(query, client, args);
      if (result instanceof Promise) result.catch(onError);
      return result;
    },
  });
}

/** A calendar date is not a time: as a `Date` it would shift with the machine's time zone. */
function readDatesAsText(): pg.CustomTypesConfig {
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.DATE, (text: string) => text);
  return types;
}

function ignore(): void {}
