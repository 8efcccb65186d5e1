import process from "node:process";
import { inspect, parseArgs } from "node:util";
import { SERVER_VARIABLE, startTestServer } from "../../test/support/postgres.ts";
import { CHAOS_SEEDS, playChaosSeeds, playSeed } from "./chaos.ts";
import { playWorldsUntilStopped } from "./worlds.ts";

const USAGE = `npm run test:long [-- --seed N | --help]

First the chaos: ${CHAOS_SEEDS} seeds with 500 envelopes each, whose events are dropped, repeated and shuffled while workers are
killed. Then random worlds, held against a model of the import rules after each hour, until it is stopped with Ctrl-C.
Each seed prints a line. The first world that is not as the rules say ends it with status 1, and prints its seed.

--seed N   plays the chaos of that seed only`;

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { help: { type: "boolean" }, seed: { type: "string" } } });
  if (values.help === true) {
    say(USAGE);
    return 0;
  }
  const stop = new AbortController();
  process.once("SIGINT", () => {
    say("stopping after this one; Ctrl-C again ends at once");
    process.once("SIGINT", () => process.exit(1));
    stop.abort();
  });
  await using server = await startTestServer();
  process.env[SERVER_VARIABLE] = server.adminUrl;
  return await play(stop.signal, values.seed);
}

async function play(signal: AbortSignal, seed: string | undefined): Promise<number> {
  try {
    if (seed !== undefined) {
      await playSeed(Number(seed), say);
      return 0;
    }
    await playChaosSeeds(signal, say);
    if (!signal.aborted) await playWorldsUntilStopped(signal);
    return 0;
  } catch (error) {
    process.stderr.write(`${inspect(error)}\n`);
    return 1;
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
