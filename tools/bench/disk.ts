import { open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const PAGE = Buffer.alloc(8 * 1024, 1);
const PAUSE_MS = 25;

/**
 * How long the slowest write of one page took on the disk of temporary files, where the bench's PostgreSQL lies too,
 * while the work went on: no commit can be sooner than that.
 */
export async function watchDisk<T>(work: () => Promise<T>): Promise<{ result: T; slowestMs: number }> {
  const end = new AbortController();
  const watching = writeUntil(end.signal);
  const result = await work().finally(() => end.abort());
  return { result, slowestMs: await watching };
}

async function writeUntil(end: AbortSignal): Promise<number> {
  const path = join(tmpdir(), `torikomi-bench-disk-${process.pid}`);
  await using file = await open(path, "w");
  let slowest = 0;
  while (!end.aborted) {
    const begin = performance.now();
    await file.write(PAGE, 0, PAGE.length, 0);
    await file.datasync();
    slowest = Math.max(slowest, performance.now() - begin);
    await sleep(PAUSE_MS);
  }
  await rm(path);
  return slowest;
}
