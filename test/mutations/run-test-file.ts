import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** How a file of tests ended: the first failure ends it. */
export type FileRun =
  | { readonly kind: "passed"; readonly ms: number }
  | { readonly kind: "failed" | "timeout"; readonly ms: number; readonly failure: string };

type Failure = { readonly test: string; readonly timedOut: boolean };

const MOST_SAID = 2_000;
const HOOK = new URL("./hook.ts", import.meta.url).href;

export type FileOrder = {
  readonly file: string;
  /** All tests of the file where it is empty. */
  readonly tests: readonly string[];
  readonly env: Record<string, string>;
  /** For each test. */
  readonly testLimitMs: number;
  /** For the process. */
  readonly limitMs: number;
};

/** Runs tests of one file in a process of its own, until the first failure or for `limitMs` at most. */
export async function runTestFile({ file, tests, env, testLimitMs, limitMs }: FileOrder): Promise<FileRun> {
  const begun = performance.now();
  const child = spawn(
    process.execPath,
    ["--test-reporter=tap", `--test-timeout=${testLimitMs}`, ...tests.map(patternOf), "--import", HOOK, file],
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
  if (timedOut) return { kind: "timeout", ms, failure: "not even a test's own limit ended it" };
  if (failure !== null) return { kind: failure.timedOut ? "timeout" : "failed", ms, failure: failure.test };
  return code === 0 ? { kind: "passed", ms } : { kind: "failed", ms, failure: `ended with ${code}: ${said}` };
}

function patternOf(test: string): string {
  return `--test-name-pattern=/^${test.replace(/[\\/^$.*+?()[\]{}|]/g, "\\$&")}$/`;
}

/** The first test that failed; null where the output ends without one. */
async function readFailure({ stdout }: ChildProcess): Promise<Failure | null> {
  if (stdout === null) throw new Error("a process without output");
  let test: string | null = null;
  for await (const line of createInterface({ input: stdout })) {
    test ??= /^\s*not ok \d+ - (.*)$/.exec(line)?.[1] ?? null;
    // TAP says why below the test's name, and ends that with three dots.
    if (test !== null && line.includes("testTimeoutFailure")) return { test, timedOut: true };
    if (test !== null && line.trim() === "...") return { test, timedOut: false };
  }
  return test === null ? null : { test, timedOut: false };
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // All of the group have ended already.
  }
}
