import type pg from "pg";

/** Around each statement that goes over the pool, begin, commit and rollback included. */
export type Around = (
  statement: string,
  act: () => Promise<unknown>,
  endSession: () => Promise<void>,
) => Promise<unknown>;

type Query = string | { readonly text: string };

/** From now on the pool's statements go the way of `around`; ending a session waits for the server's end of it. */
export function interceptPool(pool: pg.Pool, around: Around): void {
  const take = pool.connect.bind(pool);
  const intercepted = new WeakSet<pg.PoolClient>();
  const connect = async (): Promise<pg.PoolClient> => {
    const client = await take();
    if (!intercepted.has(client)) interceptClient(client, around);
    intercepted.add(client);
    return client;
  };
  const query = async (statement: Query, values?: unknown[]): Promise<unknown> => {
    const client = await connect();
    try {
      return await client.query(statement, values);
    } finally {
      client.release();
    }
  };
  Object.assign(pool, { connect, query });
}

function interceptClient(client: pg.PoolClient, around: Around): void {
  const query = client.query.bind(client);
  const isClient = (one: object): one is pg.Client => "end" in one;
  const end = async (): Promise<void> => {
    if (isClient(client)) await client.end();
  };
  Object.assign(client, {
    query: async (statement: Query, values?: unknown[]) =>
      await around(
        typeof statement === "string" ? statement : statement.text,
        async () => await query(statement, values),
        end,
      ),
  });
}
