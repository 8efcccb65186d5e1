import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Bench, Row } from "./report.ts";
import { type Stage, setStage } from "./stage.ts";
import { untilContracts } from "./waiting.ts";

const DOCUMENTS = 50;
const DOCUMENT_BYTES = 25 * 1024 * 1024;
const AT_ONCE = 10;
const GOAL_MIB = 128;
const SETTLE_MS = 2_000;

/** How much memory the program takes beyond that of its idle self while it imports large documents. */
export async function measureMemory(bench: Bench): Promise<Row[]> {
  const environment = { WORKER_CONCURRENCY: String(AT_ONCE) };
  await using stage = await setStage(bench, { role: "all", links: 5, environment });
  await importMany(stage, { count: 20, sizeInBytes: 10_000 });
  await sleep(SETTLE_MS);
  const idle = await readMiB(stage.program.pid);
  const before = await stage.countContracts();
  const sampling = samplePeak(stage.program.pid);
  await importMany(stage, { count: DOCUMENTS, sizeInBytes: DOCUMENT_BYTES });
  const peak = await sampling.end();
  const above = peak - idle;
  return [
    {
      measured: `memory above idle while ${(await stage.countContracts()) - before} documents of 25 MB come in, ${AT_ONCE} at a time`,
      here: `${Math.round(peak)} MiB`,
      against: `idle: ${Math.round(idle)} MiB`,
      result: `+${Math.round(above)} MiB`,
      goal: `≤ +${GOAL_MIB} MiB`,
      met: above <= GOAL_MIB,
    },
  ];
}

async function importMany(stage: Stage, wish: { count: number; sizeInBytes: number }): Promise<void> {
  const before = await stage.countContracts();
  for (const link of stage.links) {
    const { accountId } = link.user;
    const share = { ...wish, accountId, count: wish.count / stage.links.length };
    const ids = await stage.docusign.ask<string[]>("conclude", share);
    await Promise.all(ids.map(async (id) => await stage.tell(link, id)));
  }
  await untilContracts(stage, before + wish.count);
}

function samplePeak(pid: number): { end(): Promise<number> } {
  let peak = 0;
  let over = false;
  const sample = async (): Promise<void> => {
    while (!over) {
      peak = Math.max(peak, await readMiB(pid));
      await sleep(50);
    }
  };
  const sampling = sample();
  return {
    async end() {
      over = true;
      await sampling;
      return peak;
    },
  };
}

/** The resident memory of the process. */
async function readMiB(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "rss=", "-p", String(pid)]);
  return Number(stdout) / 1024;
}
