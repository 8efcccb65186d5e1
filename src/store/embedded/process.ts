import { execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { platform } from "node:os";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";

/** Whom a program of PostgreSQL runs as; undefined stands for ourselves. */
export type ServerUser = { readonly uid: number; readonly gid: number };

export type Start = {
  /** Folder the program runs in. */
  readonly cwd: string;
  readonly user: ServerUser | undefined;
  /** Open file that the program reads as its standard input. */
  readonly stdin?: number;
};

/** All that PostgreSQL's programs see of the environment: plain messages, UTC, and none of our secrets. */
export const PROGRAM_ENVIRONMENT = { LC_ALL: "C", TZ: "UTC" };

/** Runs a program to its end. Throws with what it said where it fails. */
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
 * The command line of a process, null where there is none with this id. Works for other users' processes. Empty for
 * one that is dead but not yet taken note of by its parent, as happens in containers.
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
