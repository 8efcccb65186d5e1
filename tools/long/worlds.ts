import { randomInt } from "node:crypto";
import process from "node:process";
import { parseArgs } from "node:util";
import { SERVER_VARIABLE, startTestServer } from "../../test/support/postgres.ts";
import { findFailure } from "../../test/worlds/search.ts";

const SHRINK_MS = 10 * 60_000;

/** Plays world after world, each with a seed of its own that is printed, until one goes wrong or the signal comes. */
export async function playWorldsUntilStopped(signal: AbortSignal): Promise<void> {
  for (let count = 1; !signal.aborted; count += 1) {
    const seed = randomInt(2 ** 31);
    console.log(`world ${count}: seed ${seed}`);
    await playSeed(seed);
  }
}

/** Plays the seed's first world, or the simpler one that the path leads to; throws its story where it goes wrong. */
async function playSeed(seed: number, path?: string): Promise<void> {
  const failure = await findFailure({
    seed,
    worlds: 1,
    shrinkMs: SHRINK_MS,
    ...(path !== undefined && { path }),
  });
  if (failure !== null) throw new Error(failure);
}

/** By itself, this file plays worlds until Ctrl-C, or the one that `--seed=…` and `--path=…` name. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seed: { type: "string" }, path: { type: "string" } } });
  await using server = await startTestServer();
  process.env[SERVER_VARIABLE] = server.adminUrl;
  if (values.seed !== undefined) return await playSeed(Number(values.seed), values.path);
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort());
  await playWorldsUntilStopped(stopping.signal);
}

if (import.meta.main) await main();
