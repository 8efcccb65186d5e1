import { CompiledQuery, type Kysely } from "kysely";
import type pg from "pg";
import type { DB } from "./schema.ts";

/** Does the work in a transaction that is always rolled back. */
export async function rehearse<T>(db: Kysely<DB>, work: (tx: Kysely<DB>) => Promise<T>): Promise<T> {
  const tx = await db.startTransaction().execute();
  try {
    return await work(tx);
  } finally {
    await tx.rollback().execute();
  }
}

/** Runs statements of pg, such as that which records events, in a transaction of kysely. */
export function queryWithin(tx: Kysely<DB>): {
  query<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<{ rows: Row[] }>;
} {
  return {
    query: async <Row>({ text, values = [] }: pg.QueryConfig) =>
      await tx.executeQuery<Row>(CompiledQuery.raw(text, values)),
  };
}
