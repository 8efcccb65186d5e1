import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { type Command, parseCommand } from "../../src/cli/arguments.ts";
import { type CommandUses, type OperatorCommand, runOperatorCommand } from "../../src/cli/commands.ts";
import type { World } from "../support/world.ts";

export type Said = { readonly exit: number; readonly out: string };

export type CommandOptions = {
  /** True if a person watches the output. */
  terminal?: boolean;
  language?: "en" | "ja";
  signal?: AbortSignal;
  deps?: Partial<CommandUses>;
};

/** Runs a command in this process with the world's clock. */
export async function runCommand(world: World, line: string, options: CommandOptions = {}): Promise<Said> {
  const command = parseCommand(line.split(" "));
  assert.ok(isOperatorCommand(command));
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 200, rows: 50 });
  const told = text(stream);
  const exit = await runOperatorCommand(
    command,
    { ...world.service.foundation.tasks, ...options.deps },
    {
      write: (words) => void stream.write(words),
      isTerminal: options.terminal === true,
      stream,
      language: options.language ?? "en",
      signal: options.signal ?? new AbortController().signal,
    },
  );
  stream.end();
  return { exit, out: await told };
}

const OTHERS = ["serve", "work", "all", "migrate", "help", "version"];

function isOperatorCommand(command: Command): command is OperatorCommand {
  return !OTHERS.includes(command.name);
}

const PROGRAM = join(import.meta.dirname, "..", "..", "src", "main.ts");

/** Starts the program, or another version of it, as its own process with only this environment. */
export function startProgram(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  program: string = PROGRAM,
): ChildProcessByStdio<null, Readable, Readable> {
  const env = { PATH: process.env["PATH"] ?? "", ...environment };
  return spawn(process.execPath, [program, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
}

/** Runs the program, or another version of it, until it exits. */
export async function runProgram(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  program: string = PROGRAM,
): Promise<Said & { readonly err: string }> {
  const child = startProgram(args, environment, program);
  const [out, err, [exit]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { exit, out, err };
}

/** The world's configuration as environment variables. */
export function environmentOf({ config, database }: World): Record<string, string> {
  return {
    DATABASE_URL: database.connectionString,
    DATA_DIR: config.dataDir,
    PUBLIC_URL: config.publicUrl,
    DOCUSIGN_OAUTH_URL: config.docusign.oauthUrl,
    DOCUSIGN_CLIENT_ID: config.docusign.clientId,
    DOCUSIGN_CLIENT_SECRET: config.docusign.clientSecret,
    CONNECT_HMAC_KEYS: config.hmacKeys.join(","),
    CABINET_ISSUER: config.cabinet.issuer ?? "",
  };
}
