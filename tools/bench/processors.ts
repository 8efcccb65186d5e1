import { readdir, readFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, platform, totalmem } from "node:os";

/** Describes the machine, for comparing figures. */
export function describeMachine(): string {
  const model = cpus()[0]?.model ?? "unknown processor";
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `${availableParallelism()} × ${model}, ${memory} GiB, ${platform()}, Node.js ${process.versions.node}`;
}

export type Watch = {
  /** The share of all processors that other programs used since the watch began; null if unknown. */
  shareOfOthers(): Promise<number | null>;
};

/**
 * Watches what the processors do beside us. Ours are this process and what descends from it or from the given
 * processes, which are to be alive for as long as the watch goes on.
 */
export async function watchProcessors(roots: readonly number[]): Promise<Watch> {
  if (platform() !== "linux") return { shareOfOthers: async () => null };
  const begin = await readTicks(roots);
  return {
    shareOfOthers: async () => {
      const end = await readTicks(roots);
      const others = end.busy - begin.busy - (end.own - begin.own);
      return Math.max(0, others) / Math.max(1, end.all - begin.all);
    },
  };
}

/** One line on how busy the machine is before anything is measured. */
export function describeLoad(): string {
  return `load average ${loadavg()[0]?.toFixed(2)} on ${availableParallelism()} processors`;
}

/** Ticks of `/proc/PID/stat` a second. */
const TICKS = 100;

/** Returns the seconds of processor time that these processes and what descends from them have used. */
export async function readProcessorSeconds(roots: readonly number[]): Promise<number> {
  return (await readOwnTicks(roots)) / TICKS;
}

type Ticks = { readonly busy: number; readonly all: number; readonly own: number };

/** Busy time of the machine: without idle and disk wait, with time stolen by the host. */
async function readTicks(roots: readonly number[]): Promise<Ticks> {
  const [line = ""] = (await readFile("/proc/stat", "utf8")).split("\n");
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softIrq = 0, steal = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const busy = user + nice + system + irq + softIrq + steal;
  return { busy, all: busy + idle + wait, own: await readOwnTicks([process.pid, ...roots]) };
}

type Process = { readonly pid: number; readonly parent: number; readonly ticks: number };

async function readOwnTicks(roots: readonly number[]): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const processes = (await Promise.all(pids.map(readProcess))).filter((one) => one !== null);
  const ours = new Set(roots);
  for (let before = -1; before !== ours.size; ) {
    before = ours.size;
    for (const { pid, parent } of processes) if (ours.has(parent)) ours.add(pid);
  }
  return processes.filter(({ pid }) => ours.has(pid)).reduce((sum, { ticks }) => sum + ticks, 0);
}

/** With the ticks of its children that have ended; null if it has ended itself. */
async function readProcess(name: string): Promise<Process | null> {
  const text = await readFile(`/proc/${name}/stat`, "utf8").catch(() => null);
  if (text === null) return null;
  // The program's name stands in brackets and may hold anything.
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const [parent = 0] = fields.slice(1);
  return { pid: Number(name), parent, ticks: fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0) };
}
