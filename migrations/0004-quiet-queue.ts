import { type Kysely, sql } from "kysely";

/**
 * `torikomi_queue.add_jobs` queues jobs as `graphile_worker.add_jobs` does, but without its NOTIFY: a transaction that
 * notifies holds a lock of the whole server while it flushes. Inside the function the name `pg_notify` means ours, which
 * does nothing. It takes JSON, since a function that names graphile-worker's types would keep it from changing them.
 */
export async function up<Schema>(db: Kysely<Schema>): Promise<void> {
  await sql`create schema if not exists torikomi_queue`.execute(db);
  await sql`
    create or replace function torikomi_queue.pg_notify(channel text, payload text) returns void
    language sql as ''`.execute(db);
  await sql`
    create or replace function torikomi_queue.add_jobs(specs json, preserve_run_at boolean)
    returns table (job_id bigint, due_at timestamptz)
    language plpgsql set search_path = torikomi_queue, pg_catalog as $$
    begin
      return query select jobs.id, jobs.run_at from graphile_worker.add_jobs(
        array(select json_populate_recordset(null::graphile_worker.job_spec, specs)), preserve_run_at
      ) as jobs;
    end $$`.execute(db);
  await sql`grant usage on schema torikomi_queue to public`.execute(db);
}
