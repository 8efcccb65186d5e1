import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { serveParent } from "./child.ts";
import { type FloorLink, importEnvelope, quietHour, setUp, startReceiver } from "./floor/floor.mjs";
import { KEY } from "./messages.ts";

/** The floor in a process of its own, as `work` is one. */
const [connectionString = ""] = process.argv.slice(2);
const CONCURRENCY = 10;
const pool = new pg.Pool({ connectionString, max: CONCURRENCY, idleTimeoutMillis: 0 });
const directory = await mkdtemp(join(tmpdir(), "torikomi-floor-"));
const links = new Map<string, FloorLink>();
const readable = new Map<string, () => void>();
const receiver = { close: async (): Promise<void> => {} };

type Import = Parameters<typeof importEnvelope>[1];

serveParent(
  {
    setUp: async (wished: readonly FloorLink[]) => {
      await setUp(pool);
      for (const link of wished) links.set(link.id, link);
      await pool.query(
        `insert into floor_link (id, account_id, token) select * from unnest($1::uuid[], $2::uuid[], $3::text[])`,
        [
          wished.map(({ id }) => id),
          wished.map(({ accountId }) => accountId),
          wished.map(({ token }) => token),
        ],
      );
    },
    quietHours: async (window: { from: string; to: string; count: number }) =>
      await each([...links.values()].slice(0, window.count), async (link) => {
        await quietHour({ pool }, link, window);
      }),
    importAll: async (wishes: readonly Import[]) =>
      await each(wishes, async (wish) => {
        await importEnvelope({ pool, directory }, wish);
      }),
    startReceiver: async () => {
      const started = await startReceiver({
        pool,
        directory,
        links,
        hmacKey: KEY,
        onReadable: (envelopeId) => readable.get(envelopeId)?.(),
      });
      receiver.close = async () => await started.close();
      return started.url;
    },
    untilReadable: async (envelopeId: string) =>
      await new Promise<void>((resolve) => readable.set(envelopeId, resolve)),
  },
  async () => {
    await receiver.close();
    await pool.end();
    await rm(directory, { recursive: true, force: true });
  },
);

/** Works through them with ten at a time; returns the seconds that took. */
async function each<One>(all: readonly One[], work: (one: One) => Promise<void>): Promise<number> {
  const begin = performance.now();
  const left = [...all];
  const lanes = Array.from({ length: CONCURRENCY }, async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
  });
  await Promise.all(lanes);
  return (performance.now() - begin) / 1000;
}
