import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type HostAnswer, type HostOrder, MEASURING_VARIABLE, MUTANT_VARIABLE } from "./host.ts";

/** An answer; or none within the time allowed. */
export type Outcome = HostAnswer | { readonly kind: "timeout" };

/** A process that runs tests of this folder's project as it is told, one at a time. */
export type TestHost = AsyncDisposable & {
  /** Where nothing comes within `limitMs` the process is ended; a process that ended by itself has failed. */
  ask(order: HostOrder, limitMs: number): Promise<Outcome>;
  /** Nothing can be asked any more. */
  readonly ended: boolean;
};

const HOST = fileURLToPath(new URL("./host.ts", import.meta.url));
const MOST_SAID = 2_000;

export type HostOptions = {
  /** On from the beginning. */
  readonly mutant?: string | null;
  /** Tells which mutants make a difference, and takes a little longer. */
  readonly measuring?: boolean;
};

/** Starts one. Its temporary files go when it is disposed of. */
export async function startTestHost({
  mutant = null,
  measuring = false,
}: HostOptions = {}): Promise<TestHost> {
  const folder = await mkdtemp(join(process.cwd(), "host-"));
  const child = fork(HOST, {
    env: {
      ...process.env,
      TMPDIR: folder,
      ...(mutant !== null && { [MUTANT_VARIABLE]: mutant }),
      ...(measuring && { [MEASURING_VARIABLE]: "1" }),
    },
    // A group of its own, so that the processes which tests start end with it.
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let said = "";
  child.stderr?.on("data", (part: Buffer) => {
    said = `${said}${part.toString()}`.slice(-MOST_SAID);
  });
  const exited = once(child, "exit").then(([code]) => ({ code: Number(code) }));
  return {
    get ended() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    async ask(order, limitMs) {
      const answered = Promise.withResolvers<Outcome>();
      const timer = setTimeout(() => answered.resolve({ kind: "timeout" }), limitMs);
      child.once("message", answered.resolve);
      child.send(order);
      const dead = exited.then(
        ({ code }): Outcome => ({ kind: "failed", reason: `ended with ${code}: ${said}` }),
      );
      const outcome = await Promise.race([answered.promise, dead]);
      clearTimeout(timer);
      child.off("message", answered.resolve);
      if (outcome.kind === "timeout") endGroup(child);
      return outcome;
    },
    async [Symbol.asyncDispose]() {
      endGroup(child);
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // All of the group have ended already.
  }
}
