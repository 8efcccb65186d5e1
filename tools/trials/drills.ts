import { parseArgs } from "node:util";
import { type Drill, type Drilled, runDrill } from "../../test/support/drills/set-back.ts";
import { SERVER_VARIABLE, startTestServer } from "../../test/support/postgres.ts";

/**
 * `npm run drills [-- --seeds N | --seed N]`: sets the database back under traffic, with 50 seeds by default. Every other
 * drill runs `torikomi restored`; in the others the service notices by itself. Ends with 1 if a promise was broken.
 */
const { values } = parseArgs({
  options: { seeds: { type: "string", default: "50" }, seed: { type: "string" } },
});
const seeds =
  values.seed === undefined
    ? Array.from({ length: Number(values.seeds) }, (_, index) => index + 1)
    : [Number(values.seed)];

await using server = await startTestServer();
process.env[SERVER_VARIABLE] = server.adminUrl;
let broken = 0;
let contracts = 0;
let lostDeletions = 0;
for (const seed of seeds) {
  const isReported = seed % 2 === 0;
  const { problems, lost, deletions } = await drill({ seed, isReported });
  const isVoid = lost === 0 || deletions === 0;
  if (problems.length > 0 || isVoid) broken += 1;
  contracts += lost;
  lostDeletions += deletions;
  const how = isReported ? "reported" : "noticed";
  print(
    `seed ${seed} (${how}): ${lost} contracts and ${deletions} deletions lost; ${verdict(problems, isVoid)}`,
  );
}
print(
  `${seeds.length - broken} of ${seeds.length} drills kept every promise; the databases lost ${contracts} contracts and ${lostDeletions} deletions`,
);
process.exitCode = broken === 0 ? 0 : 1;

/** A drill that breaks down is a promise broken. */
async function drill(wish: Drill): Promise<Drilled> {
  try {
    return await runDrill(wish);
  } catch (error) {
    return { problems: [String(error)], lost: 0, deletions: 0 };
  }
}

function verdict(problems: readonly string[], isVoid: boolean): string {
  if (problems.length > 0) return `BROKEN: ${problems.slice(0, 5).join("; ")}`;
  return isVoid ? "BROKEN: nothing was at stake" : "kept";
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
