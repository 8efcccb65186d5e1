/**
 * A process that runs tests of many files one by one, as its parent says, with any mutant switched on for one test and
 * off for the next: the program is loaded once and not once for each mutant.
 */
import { registerHooks } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Body, testsOf } from "./collected.ts";
import { instrument, provideTellApart } from "./tell-apart.ts";

/** Load the file and tell what is in it; or run one of its tests, under a mutant or under none. */
export type HostOrder =
  | { readonly kind: "load"; readonly file: string }
  | { readonly kind: "run"; readonly file: string; readonly name: string; readonly mutant: string | null };

/** What became of it, and which mutants were come by. */
export type HostAnswer =
  | { readonly kind: "loaded"; readonly names: readonly string[]; readonly mutants: readonly string[] }
  | { readonly kind: "passed"; readonly ms: number; readonly mutants: readonly string[] }
  | { readonly kind: "failed"; readonly reason: string };

/** How often code came by each mutant. */
type Counts = { [id: string]: number };

/** What the code that Stryker made reads and writes: which mutant is on, and what was come by, within a test or outside. */
type Switchboard = {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  /** The code keeps the object itself. */
  readonly mutantCoverage: { static: Counts; readonly perTest: Record<string, Counts> };
};

/** A mutant of what modules do when they are loaded is switched on from the beginning, by this variable. */
export const MUTANT_VARIABLE = "__STRYKER_ACTIVE_MUTANT__";

/** Where this is set, a mutant counts as come by only where it makes a difference. */
export const MEASURING_VARIABLE = "TORIKOMI_MEASURES_MUTANTS";

if (import.meta.main) serve();

function serve(): void {
  const switchboard: Switchboard = { mutantCoverage: { static: {}, perTest: {} } };
  const fromTheBeginning = process.env[MUTANT_VARIABLE];
  if (fromTheBeginning !== undefined) switchboard.activeMutant = fromTheBeginning;
  Reflect.set(globalThis, "__stryker__", switchboard);
  const collected = new URL("./collected.ts", import.meta.url).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "node:test" ? { url: collected, shortCircuit: true } : next(specifier, context),
  });
  if (process.env[MEASURING_VARIABLE] !== undefined) measure(switchboard);
  process.on("message", (order: HostOrder) => {
    void answer(order, switchboard).then((told) => process.send?.(told));
  });
  process.on("disconnect", () => process.exit());
}

function measure(switchboard: Switchboard): void {
  const { mutantCoverage } = switchboard;
  provideTellApart((id) => {
    const test = switchboard.currentTestId;
    const counts = test === undefined ? mutantCoverage.static : (mutantCoverage.perTest[test] ??= {});
    counts[id] = (counts[id] ?? 0) + 1;
  });
  const sources = pathToFileURL(resolve("src")).href;
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!url.startsWith(sources) || !url.endsWith(".ts")) return loaded;
      return { ...loaded, source: instrument(String(loaded.source)) };
    },
  });
}

async function answer(order: HostOrder, switchboard: Switchboard): Promise<HostAnswer> {
  try {
    const tests = await testsOf(order.file, pathToFileURL(resolve(order.file)).href);
    if (order.kind === "load") {
      return { kind: "loaded", names: [...tests.keys()], mutants: takeOutside(switchboard) };
    }
    const body = tests.get(order.name);
    if (body === undefined) throw new Error(`${order.file} has no such test`);
    return await run(body, order, switchboard);
  } catch (error) {
    return { kind: "failed", reason: tell(error) };
  }
}

async function run(
  body: Body,
  { name, mutant }: HostOrder & { kind: "run" },
  switchboard: Switchboard,
): Promise<HostAnswer> {
  switchOn(mutant, switchboard);
  switchboard.currentTestId = name;
  const stray = Promise.withResolvers<never>();
  process.once("uncaughtException", stray.reject);
  const begun = performance.now();
  try {
    await Promise.race([body(), stray.promise]);
    const ms = Math.round(performance.now() - begun);
    const within = Object.keys(switchboard.mutantCoverage.perTest[name] ?? {});
    return { kind: "passed", ms, mutants: [...within, ...takeOutside(switchboard)] };
  } finally {
    process.off("uncaughtException", stray.reject);
    switchboard.currentTestId = undefined;
    delete switchboard.mutantCoverage.perTest[name];
    switchOn(null, switchboard);
  }
}

/** In this process, and in those that the test starts. */
function switchOn(mutant: string | null, switchboard: Switchboard): void {
  if (mutant === null) {
    delete process.env[MUTANT_VARIABLE];
    switchboard.activeMutant = undefined;
  } else {
    process.env[MUTANT_VARIABLE] = mutant;
    switchboard.activeMutant = mutant;
  }
}

function takeOutside(switchboard: Switchboard): string[] {
  const ids = Object.keys(switchboard.mutantCoverage.static);
  switchboard.mutantCoverage.static = {};
  return ids;
}

function tell(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
