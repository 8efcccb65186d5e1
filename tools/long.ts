import { randomInt } from "node:crypto";
import process from "node:process";
import { parseArgs } from "node:util";
import { SERVER_VARIABLE, startTestServer } from "../test/support/postgres.ts";
import { findFailure, type Kind } from "../test/worlds/search.ts";

const CHAOS_SEEDS = 50;
const SHRINK_MS = 10 * 60_000;
const USAGE = `npm run test:long [-- --only chaos|worlds --seed N --path P | --help]

First chaos: ${CHAOS_SEEDS} seeds with 500 envelopes each, whose events are lost, repeated and shuffled while workers are killed.
Then random worlds, compared with a model of the import rules after each hour, until Ctrl-C. Each seed prints a line.
The first world that breaks a rule ends the run with status 1. It is made simpler and told as a story, with its seed.

--only chaos    plays chaos only; --only worlds plays random worlds only
--seed N        plays that seed only, of the kind that --only names (chaos by default)
--path P        plays the simpler world that a failure reported`;

type Stop = { readonly signal: AbortSignal };

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      help: { type: "boolean" },
      only: { type: "string" },
      seed: { type: "string" },
      path: { type: "string" },
    },
  });
  const only = values.only ?? null;
  if (values.help === true || (only !== null && !isKind(only))) {
    say(USAGE);
    return values.help === true ? 0 : 2;
  }
  await using server = await startTestServer();
  process.env[SERVER_VARIABLE] = server.adminUrl;
  if (values.seed !== undefined) return await playSeed(only ?? "chaos", Number(values.seed), values.path);
  return await playAll(only, stopOnInterrupt());
}

function isKind(text: string): text is Kind {
  return text === "chaos" || text === "worlds";
}

function stopOnInterrupt(): Stop {
  const stop = new AbortController();
  process.once("SIGINT", () => {
    say("stopping after this one; Ctrl-C again ends at once");
    process.once("SIGINT", () => process.exit(1));
    stop.abort();
  });
  return stop;
}

async function playAll(only: Kind | null, { signal }: Stop): Promise<number> {
  let failed = 0;
  if (only !== "worlds")
    for (let seed = 1; seed <= CHAOS_SEEDS && !signal.aborted && failed === 0; seed += 1)
      failed = await playSeed("chaos", seed);
  if (only !== "chaos")
    while (!signal.aborted && failed === 0) failed = await playSeed("worlds", randomInt(2 ** 31));
  return failed;
}

/** Plays one world of the seed. Returns the exit status. */
async function playSeed(kind: Kind, seed: number, path?: string): Promise<number> {
  const begun = performance.now();
  const failure = await findFailure({ kind, seed, path, worlds: 1, shrinkMs: SHRINK_MS });
  const seconds = Math.round((performance.now() - begun) / 1000);
  say(`${kind}, seed ${seed}: ${failure ?? "as the rules say"}, ${seconds} s`);
  return failure === null ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
