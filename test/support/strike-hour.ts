import { sql } from "kysely";
import type { Database } from "../../src/store/database.ts";

/** Queues what graphile-worker's clock queues on the hour. */
export async function strikeHour(db: Database, hour: Date): Promise<void> {
  await sql`select graphile_worker.add_job('reconcile-all',
    json_build_object('_cron', json_build_object('ts', ${hour}::timestamptz)), job_key := 'reconcile-all')`.execute(
    db,
  );
}
