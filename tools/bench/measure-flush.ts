import { startChild } from "./child.ts";
import { importMany } from "./measure-imports.ts";
import { type Program, startProgram } from "./program.ts";
import type { Bench, Row } from "./report.ts";
import { setStage } from "./stage.ts";

const WORKERS = 4;
const FLUSH_MS = 10;
/** More slots than the processors can keep busy, whatever the flush. */
const CONCURRENCY = 20;
const LINKS = 10;
const ENVELOPES = 1_000;
const LEAST = 0.9;

/** Compares the imports of several worker processes with a slow flush, as of a synchronous standby, and a fast one. */
export async function measureFlush(bench: Bench): Promise<Row[]> {
  const fast = await importWith(bench, 0);
  const slow = await importWith(bench, FLUSH_MS);
  return [
    {
      measured: `imports a second of ${WORKERS} worker processes, each flush of PostgreSQL ${FLUSH_MS} ms longer`,
      here: `${slow.toFixed(1)}/s`,
      against: `the flush as it is: ${fast.toFixed(1)}/s`,
      result: `${(slow / fast).toFixed(2)} ×`,
      goal: `≥ ${LEAST} ×`,
      met: slow / fast >= LEAST,
    },
  ];
}

async function importWith(bench: Bench, flushMs: number): Promise<number> {
  await using stage = await setStage(bench, { role: "serve", links: LINKS, flushMs });
  await using workers = new AsyncDisposableStack();
  const wish = {
    ...stage.wish,
    role: "work",
    environment: { WORKER_CONCURRENCY: String(CONCURRENCY) },
  } as const;
  const start = async (): Promise<Program> => workers.use(await startProgram(wish));
  await Promise.all(Array.from({ length: WORKERS }, start));
  await using senders = await startChild("./senders.ts");
  await importMany(stage, senders, 10 * LINKS);
  return await importMany(stage, senders, ENVELOPES);
}
