import { writeFileSync } from "node:fs";
import { afterEach, beforeEach } from "node:test";

/** The folder in which a process that was started with this module leaves what its tests came by; unset: nowhere. */
export const COVERAGE_VARIABLE = "TORIKOMI_MUTANT_COVERAGE";

/** How often code came by each mutant. */
export type Counts = { [id: string]: number };

/** Of each test by name: how long it took, and what it came by; `outside`: what was come by outside of any test. */
export type TestCoverage = { tests: { [name: string]: { ms: number; mutants: Counts } }; outside: Counts };

const folder = process.env[COVERAGE_VARIABLE];
if (folder !== undefined) observe(folder);

function observe(folder: string): void {
  // Stryker's instrumented code counts here, for the test that it finds named.
  const stryker: {
    currentTestId?: string;
    mutantCoverage: { static: Counts; perTest: Record<string, Counts> };
  } = { mutantCoverage: { static: {}, perTest: {} } };
  Reflect.set(globalThis, "__stryker__", stryker);
  const begun = new Map<string, number>();
  const tests: TestCoverage["tests"] = {};
  beforeEach((test) => {
    stryker.currentTestId = test.name;
    begun.set(test.name, performance.now());
  });
  afterEach(({ name }) => {
    delete stryker.currentTestId;
    const ms = Math.round(performance.now() - (begun.get(name) ?? 0));
    tests[name] = { ms, mutants: stryker.mutantCoverage.perTest[name] ?? {} };
  });
  process.on("exit", () => {
    const coverage: TestCoverage = { tests, outside: stryker.mutantCoverage.static };
    writeFileSync(`${folder}/${process.pid}.json`, JSON.stringify(coverage));
  });
}
