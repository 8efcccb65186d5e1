#!/usr/bin/env node
import { type Logger, pino } from "pino";
import { type Command, EXIT, type MigrateCommand, parseCommand, USAGE, UsageError } from "./cli/arguments.ts";
import { runOperatorCommand } from "./cli/commands.ts";
import { printProblems } from "./cli/doctor.ts";
import type { Terminal } from "./cli/terminal.ts";
import { type Config, ConfigError, parseConfig } from "./config.ts";
import { describeError, describeFault } from "./domain/fault-text.ts";
import { migrate, migrateAtStart, openFoundation, type Role, withDatabase } from "./foundation.ts";
import { logContext } from "./log-context.ts";
import { startService } from "./service.ts";
import { waitForAnswer } from "./store/migrate.ts";
import type { Tracing } from "./tracing.ts";
import { leaveMark } from "./usecases/operating/store-marks.ts";
import { VERSION } from "./version.ts";

/** Ctrl-C, or a signal to a process group, arrives a second time through npm. */
const SAME_SIGNAL_MS = 1_000;

// Without this, signal handlers are removed before the process has ended, and a late signal would decide its exit status.
process.exit(await main());

async function main(): Promise<number> {
  try {
    return await run(parseCommand(process.argv.slice(2)));
  } catch (error) {
    return explainFailure(error);
  }
}

async function run(command: Command): Promise<number> {
  switch (command.name) {
    case "help":
      process.stdout.write(`${USAGE}\n`);
      return EXIT.done;
    case "version":
      process.stdout.write(`${VERSION}\n`);
      return EXIT.done;
    case "serve":
    case "work":
    case "all":
      return await serveUntilSignal(command.name);
    case "migrate":
      return await migrateNow(command);
    case "doctor":
      return await runDoctor();
    default:
      return await runOperator(command, openTerminal());
  }
}

async function serveUntilSignal(role: Role): Promise<number> {
  const config = parseConfig(process.env, role === "work" ? "work" : "everything");
  const log = createLogger(config);
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "unexpected error");
    process.exit(EXIT.failed);
  });
  const stopped = nextSignal().then((signal) => {
    log.info({ signal }, "stopping");
    exitAfter(config.shutdownTimeoutMs, EXIT.done);
    return null;
  });
  const tracing = await openTracing(config, log);
  const service = await startService(config, role, { log, now });
  const { port, operationsPort } = service;
  log.info({ role, port, operationsPort }, "torikomi is running");
  leaveMark(service.foundation.tasks, role).catch((error: unknown) =>
    log.warn({ err: error }, "the document store refused a mark of this start"),
  );
  const failure = await Promise.race([stopped, service.failed]);
  if (failure !== null) {
    log.fatal({ err: failure }, "stopping");
    exitAfter(config.shutdownTimeoutMs, EXIT.failed);
  }
  await service[Symbol.asyncDispose]();
  await tracing?.stop();
  if (failure !== null) return EXIT.failed;
  log.info("stopped");
  return EXIT.done;
}

/** The sender of the signal would soon kill a process that still hangs. */
function exitAfter(ms: number, status: number): void {
  setTimeout(() => process.exit(status), ms);
}

/** OpenTelemetry is slow to load and rarely used. */
async function openTracing({ tracing }: Config, log: Logger): Promise<Tracing | null> {
  if (tracing === null) return null;
  const { startTracing } = await import("./tracing.ts");
  return startTracing(tracing, log);
}

/**
 * Installed first, so that a signal during the start is not lost. A second Ctrl-C ends the process at once. Repeated
 * SIGTERMs still mean a graceful end, since some supervisors send them until the process is gone.
 */
function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      let first: number | null = null;
      // One permanent listener: in a moment without any, a second signal would kill the process.
      process.on(name, () => {
        const isAgain = first !== null && performance.now() - first > SAME_SIGNAL_MS;
        if (isAgain && name === "SIGINT") process.exit(EXIT.failed);
        first ??= performance.now();
        resolve(name);
      });
    }
  });
}

async function migrateNow({ waitMs }: MigrateCommand): Promise<number> {
  const config = parseConfig(process.env, "database");
  const onWait = (cause: Error): void =>
    void process.stderr.write(`torikomi: waiting for the database: ${describeFault(cause)}\n`);
  const { databaseRuntimeRole: runtimeRole } = config;
  const { applied } = await withDatabase(config, createLogger(config), async (database) => {
    await waitForAnswer(database.db, { waitMs, onWait });
    return await migrate(database, config);
  });
  process.stdout.write(
    applied.length === 0 ? "the database is current\n" : `applied ${applied.join(", ")}\n`,
  );
  if (runtimeRole !== null) process.stdout.write(`granted ${runtimeRole} what serving and working need\n`);
  return EXIT.done;
}

type OperatorCommand = Parameters<typeof runOperatorCommand>[0];

async function runOperator(command: OperatorCommand, terminal: Terminal): Promise<number> {
  // The doctor checks the values of all roles.
  const config = parseConfig(process.env, command.name === "doctor" ? "everything" : "work");
  // Commands write results to standard output and problems to standard error.
  const level = config.logLevel === "info" ? "warn" : config.logLevel;
  const log = pino({ level, serializers: { err: describeError } }, pino.destination(2));
  terminal.signal.addEventListener("abort", () => exitAfter(config.shutdownTimeoutMs, EXIT.notNow));
  await using foundation = await openFoundation(config, { log, now });
  // The doctor changes nothing.
  if (!config.production && command.name !== "doctor") await migrateAtStart(foundation);
  return await runOperatorCommand(command, foundation.tasks, terminal);
}

/** Problems that prevent the doctor's checks are printed like its other findings. */
async function runDoctor(): Promise<number> {
  const terminal = openTerminal();
  try {
    return await runOperator({ name: "doctor" }, terminal);
  } catch (error) {
    const isConfig = error instanceof ConfigError;
    const problems = isConfig ? error.problems : [describeFault(error)];
    printProblems(terminal, isConfig ? "configuration" : "start", problems);
    return isConfig ? EXIT.config : EXIT.failed;
  }
}

function openTerminal(): Terminal {
  const stop = new AbortController();
  void nextSignal().then(() => stop.abort());
  return {
    write: (text) => void process.stdout.write(text),
    isTerminal: process.stdout.isTTY,
    stream: process.stdout,
    language: process.env["LANG"]?.startsWith("ja") === true ? "ja" : "en",
    signal: stop.signal,
  };
}

function createLogger(config: Config): Logger {
  return pino({
    level: config.logLevel,
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: logContext,
    serializers: { err: describeError },
  });
}

function now(): Date {
  return new Date();
}

function explainFailure(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`torikomi: ${error.message} (torikomi help)\n`);
    return EXIT.usage;
  }
  if (error instanceof ConfigError) {
    process.stderr.write(error.problems.map((problem) => `torikomi: ${problem}\n`).join(""));
    return EXIT.config;
  }
  process.stderr.write(`torikomi: ${describeFault(error)}\n`);
  return EXIT.failed;
}
