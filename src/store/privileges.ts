import type { DB } from "./schema.ts";

export type Privilege = "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "TRUNCATE" | "USAGE";

type Privileges = readonly Privilege[];

/**
 * The program needs exactly these privileges on our tables. `torikomi migrate` grants them to `DATABASE_RUNTIME_ROLE`.
 * The type requires an entry for each table; a test removes each privilege and requires that something fails then.
 */
const TABLES: Readonly<Record<keyof DB, Privileges>> = {
  account_budget: ["SELECT", "INSERT", "UPDATE"],
  audit: ["SELECT", "INSERT"],
  cabinet_group: ["SELECT", "INSERT", "UPDATE"],
  certificate: ["SELECT", "INSERT", "UPDATE"],
  change: ["SELECT", "INSERT", "UPDATE"],
  connect_event: ["SELECT", "INSERT", "UPDATE", "DELETE"],
  contract: ["SELECT", "INSERT", "UPDATE"],
  contract_block: ["SELECT", "INSERT"],
  document_store_outage: ["SELECT", "INSERT", "UPDATE", "DELETE"],
  envelope: ["SELECT", "INSERT", "UPDATE", "DELETE"],
  erased_tenant: ["SELECT", "INSERT", "UPDATE", "DELETE"],
  event_body: ["INSERT"],
  feed_note: ["SELECT", "INSERT", "UPDATE"],
  forwarding: ["SELECT", "INSERT"],
  link: ["SELECT", "INSERT", "UPDATE"],
  link_token: ["SELECT", "INSERT", "UPDATE", "DELETE"],
  linking: ["SELECT", "INSERT", "UPDATE", "DELETE"],
  lookup_budget: ["SELECT", "INSERT", "UPDATE", "DELETE"],
  lookup_miss: ["SELECT", "INSERT", "UPDATE", "DELETE"],
  lost_deletion: ["SELECT", "INSERT", "DELETE"],
  page_session: ["SELECT", "INSERT", "UPDATE", "DELETE"],
  reconciliation: ["SELECT", "INSERT", "UPDATE", "DELETE"],
  sign_in: ["SELECT", "INSERT", "DELETE"],
  stored_document: ["SELECT", "INSERT", "UPDATE", "DELETE"],
};

/** Partitions by their table: rows are written through the table, and housekeeping empties a partition by its name. */
const PARTITIONS: Readonly<Record<string, Privileges>> = {
  event_body: ["SELECT", "UPDATE", "DELETE", "TRUNCATE"],
};

const OTHERS: Readonly<Record<string, Privileges>> = {
  // The default of feed_note.id; an identity column itself needs no privilege.
  change_id_seq: ["USAGE"],
  change_sequence: ["SELECT", "UPDATE"],
  kysely_migration: ["SELECT"],
  kysely_migration_lock: [],
};

/** Covers graphile-worker's workers and its functions, which run with the caller's rights. */
const QUEUE: Readonly<Record<string, Privileges>> = {
  _private_job_queues: ["SELECT", "INSERT", "UPDATE"],
  _private_jobs: ["SELECT", "INSERT", "UPDATE", "DELETE"],
  _private_known_crontabs: ["SELECT", "INSERT", "UPDATE"],
  _private_tasks: ["SELECT", "INSERT"],
  jobs: ["SELECT"],
  migrations: ["SELECT"],
};

const QUEUE_SCHEMA = "graphile_worker";

/** Functions of ours that run with their owner's rights, and so do what the role itself must not. */
export const FUNCTIONS: readonly string[] = ["erase_tenant_rows"];

/** The schemas other than that of our tables. */
export const OTHER_SCHEMAS = [QUEUE_SCHEMA, "torikomi_queue", "event_bodies"] as const;

const OURS: Readonly<Record<string, Privileges>> = { ...TABLES, ...OTHERS };

/** A table, view or sequence. */
export type Relation = {
  readonly schema: string;
  readonly name: string;
  /** The table that it is a partition of. */
  readonly partitionOf: string | null;
  /** A sequence that belongs to an identity column. */
  readonly isIdentity: boolean;
};

/** Returns what the runtime role may do with a table, view or sequence; null if it is not one that we know. */
export function privilegesFor({ schema, name, partitionOf, isIdentity }: Relation): Privileges | null {
  if (partitionOf !== null) return PARTITIONS[partitionOf] ?? null;
  const known = schema === QUEUE_SCHEMA ? QUEUE[name] : OURS[name];
  return known ?? (isIdentity ? [] : null);
}
