import { execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { platform } from "node:os";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";

/** The user that a program of PostgreSQL runs as; undefined means the current user. */
export type ServerUser = { readonly uid: number; readonly gid: number };

export type Start = {
  /** Working directory of the program. */
  readonly cwd: string;
  readonly user: ServerUser | undefined;
  /** Open file that becomes the program's standard input. */
  readonly stdin?: number;
};

/** The complete environment of PostgreSQL's programs: English messages, UTC, and none of our secrets. */
export const PROGRAM_ENVIRONMENT = { LC_ALL: "C", TZ: "UTC" };

/** Runs a program to its end. Throws with its output if it fails. */
export async function runProgram(program: string, args: readonly string[], start: Start): Promise<void> {
  const child = spawn(program, args, {
    cwd: start.cwd,
    env: PROGRAM_ENVIRONMENT,
    stdio: [start.stdin ?? "ignore", "pipe", "pipe"],
    ...start.user,
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const [code, output, errors] = await Promise.all([ended, readAll(child.stdout), readAll(child.stderr)]);
  if (code !== 0)
    throw new Error(`${program} failed (${code ?? "killed"}): ${errors.trim() || output.trim()}`);
}

async function readAll(stream: Readable | null): Promise<string> {
  return stream === null ? "" : await text(stream);
}

/**
 * Returns the command line of a process, or null if the process does not exist. Works for other users' processes. The
 * result is empty for a zombie, which occurs in containers.
 */
export async function readCommandLine(pid: number): Promise<string | null> {
  if (platform() === "linux") {
    const raw = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => null);
    return raw === null ? null : raw.replaceAll("\0", " ").trim();
  }
  const answer = await promisify(execFile)("ps", ["-ww", "-o", "command=", "-p", String(pid)]).catch(
    () => null,
  );
  return answer === null ? null : answer.stdout.trim();
}
