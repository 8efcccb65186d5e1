import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** How a file of tests ended: the first failure ends it. */
export type FileRun =
  | { readonly kind: "passed"; readonly ms: number }
  | { readonly kind: "failed"; readonly ms: number; readonly failure: string }
  | { readonly kind: "timeout"; readonly ms: number };

const MOST_SAID = 2_000;
const HOOK = new URL("./hook.ts", import.meta.url).href;

export type FileOrder = {
  readonly file: string;
  /** All tests of the file where it is empty. */
  readonly tests: readonly string[];
  readonly env: Record<string, string>;
  readonly limitMs: number;
};

/** Runs tests of one file in a process of its own, until the first failure or for `limitMs` at most. */
export async function runTestFile({ file, tests, env, limitMs }: FileOrder): Promise<FileRun> {
  const begun = performance.now();
  const child = spawn(
    process.execPath,
    ["--test-reporter=tap", ...tests.map(patternOf), "--import", HOOK, file],
    {
      env: { ...process.env, ...env },
      // A group of its own, so that the processes which tests start end with it.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const exited = once(child, "exit");
  let said = "";
  child.stderr.on("data", (part: Buffer) => {
    said = `${said}${part.toString()}`.slice(-MOST_SAID);
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    endGroup(child);
  }, limitMs);
  const failure = await readFailure(child);
  if (failure !== null) endGroup(child);
  const [code] = await exited;
  clearTimeout(timer);
  endGroup(child);
  const ms = Math.round(performance.now() - begun);
  if (timedOut) return { kind: "timeout", ms };
  if (failure !== null) return { kind: "failed", ms, failure };
  return code === 0 ? { kind: "passed", ms } : { kind: "failed", ms, failure: `ended with ${code}: ${said}` };
}

function patternOf(test: string): string {
  return `--test-name-pattern=/^${test.replace(/[\\/^$.*+?()[\]{}|]/g, "\\$&")}$/`;
}

/** The first failed test's name; null where the output ends without one. */
async function readFailure({ stdout }: ChildProcess): Promise<string | null> {
  if (stdout === null) throw new Error("a process without output");
  for await (const line of createInterface({ input: stdout })) {
    const failed = /^\s*not ok \d+ - (.*)$/.exec(line);
    if (failed !== null) return failed[1] ?? line;
  }
  return null;
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // All of the group have ended already.
  }
}
