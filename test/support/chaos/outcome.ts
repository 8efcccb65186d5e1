import { sql } from "kysely";
import type { Database } from "../../../src/store/database.ts";
import { countTotals } from "../../../src/store/ledger/counts.ts";
import { listCurrentLinks } from "../../../src/store/links/links.ts";
import type { World } from "../world.ts";

export type Outcome = {
  /** `tenant subject document`, in alphabetical order. */
  readonly contracts: readonly string[];
  /** Entries of the feed that tell of an import. */
  readonly changes: number;
  readonly totals: Readonly<Record<string, { shown: number; waiting: number }>>;
};

/** What the program holds in the end, straight from its tables. */
export async function readLedger({ service }: World): Promise<Outcome> {
  const { db } = service.foundation.working;
  const rows = await db.selectFrom("contract").select(["tenant", "subject", "file_name"]).execute();
  const { length: changes } = await db
    .selectFrom("change")
    .select("id")
    .where("type", "=", "imported")
    .execute();
  const totals: Record<string, { shown: number; waiting: number }> = {};
  for (const { id, tenant } of await listCurrentLinks(db)) {
    const { atDocuSign: shown, waiting } = await countTotals(db, id);
    totals[tenant] = { shown, waiting };
  }
  const contracts = rows.map(({ tenant, subject, file_name }) => `${tenant} ${subject} ${file_name}`).sort();
  return { contracts, changes, totals };
}

/** Queues what graphile-worker's clock queues on the hour. */
export async function strikeHour(db: Database, hour: Date): Promise<void> {
  await sql`select graphile_worker.add_job('reconcile-all',
    json_build_object('_cron', json_build_object('ts', ${hour}::timestamptz)), job_key := 'reconcile-all')`.execute(
    db,
  );
}
