import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export type LogLine = { readonly level: number; readonly msg: string; readonly [field: string]: unknown };

/** A `torikomi` in a process of its own, with the environment of production. */
export type Program = {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Its log lines. Lines that are not JSON are in `noise`, together with standard error. */
  readonly lines: readonly LogLine[];
  readonly noise: readonly string[];
  /** Null while it runs. */
  readonly ended: Ending | null;
  kill(signal: NodeJS.Signals): void;
  /** Settles when it has ended. */
  readonly ending: Promise<Ending>;
};

export type Ending = { readonly status: number | null; readonly signal: NodeJS.Signals | null };

const MAIN = resolve(import.meta.dirname, "../../../src/main.ts");
const START_MS = 60_000;

export type Environment = Readonly<Record<string, string>>;

/** Starts a role and settles when it says that it runs; rejects with what it said if it ends before. */
export async function startProgram(name: string, role: string, environment: Environment): Promise<Program> {
  const child = spawnTorikomi([role], environment);
  const running = Promise.withResolvers<number>();
  const lines: LogLine[] = [];
  const noise: string[] = [];
  const program = {
    name,
    pid: child.pid ?? 0,
    port: 0,
    lines,
    noise,
    ended: null as Ending | null,
    kill: (signal: NodeJS.Signals) => void child.kill(signal),
    ending: endingOf(child),
  };
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const read = readLine(line);
    if (read === null) return void noise.push(line);
    lines.push(read);
    if (read.msg === "torikomi is running") running.resolve(Number(read["port"]));
  });
  createInterface({ input: child.stderr! }).on("line", (line) => noise.push(line));
  void program.ending.then((ending) => {
    program.ended = ending;
    running.reject(new Error(`${name} ended with ${ending.status ?? ending.signal}: ${noise.join("\n")}`));
  });
  const tooLate = setTimeout(() => running.reject(new Error(`${name} does not start`)), START_MS);
  try {
    program.port = await running.promise;
  } finally {
    clearTimeout(tooLate);
  }
  return program;
}

export type Outcome = Ending & { readonly output: string };

/** Runs a command to its end. */
export async function runCommand(
  args: readonly string[],
  environment: Environment,
  onStart: (child: ChildProcess) => void = () => {},
): Promise<Outcome> {
  const child = spawnTorikomi(args, environment);
  onStart(child);
  let output = "";
  for (const stream of [child.stdout!, child.stderr!])
    stream.on("data", (chunk) => (output += String(chunk)));
  return { ...(await endingOf(child)), output };
}

/** The kernel ends it when this process ends, however that happens. */
function spawnTorikomi(args: readonly string[], environment: Environment): ChildProcess {
  const { PATH = "" } = process.env;
  return spawn("setpriv", ["--pdeathsig", "KILL", process.execPath, MAIN, ...args], {
    env: { PATH, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    cwd: join(MAIN, "../.."),
  });
}

async function endingOf(child: ChildProcess): Promise<Ending> {
  // Its output is complete only when its pipes are closed.
  const [status, signal] = await once(child, "close");
  return { status, signal };
}

function readLine(line: string): LogLine | null {
  try {
    const value = JSON.parse(line);
    return typeof value?.level === "number" ? value : null;
  } catch {
    return null;
  }
}
