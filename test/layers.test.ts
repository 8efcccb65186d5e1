import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { LEVELS, WITHIN } from "../oxlint.config.ts";

const ROOT = resolve(import.meta.dirname, "..");

/** Objects to imports that point up or sideways, and to libraries away from home. */
const R = "eslint(no-restricted-imports)";

/** A line of code, the place that it is planted in, and the rule that has to object; null if none may. */
const PLANTED: readonly (readonly [place: string, line: string, rule: string | null])[] = [
  ["src/store/up.ts", 'export { x } from "../web/planted.ts";', R],
  ["src/store/up-twice.ts", 'export * from "../usecases/planted.ts";', R],
  ["src/store/up-to-the-top.ts", 'export { x } from "../service.ts";', R],
  ["src/store/up-by-type.ts", 'export type { X } from "../web/planted.ts";', R],
  ["src/store/up-by-type-import.ts", 'import type { X } from "../jobs/planted.ts";', R],
  ["src/store/up-later.ts", 'await import("../web/planted.ts");', R],
  ["src/store/deep/up.ts", 'import "../../web/planted.ts";', R],
  ["src/store/sideways.ts", 'import "../docusign/planted.ts";', R],
  ["src/web/sideways.ts", 'import type { X } from "../jobs/planted.ts";', R],
  ["src/cli/sideways.ts", 'import "../web/planted.ts";', R],
  ["src/usecases/up.ts", 'import "../cli/planted.ts";', R],
  ["src/domain/up.ts", 'import "../documents/planted.ts";', R],
  ["src/documents/to-tests.ts", 'import "../../test/planted.ts";', R],
  ["src/documents/to-tools.ts", 'import "../../tools/planted.ts";', R],
  ["test/support/to-tools.ts", 'import "../../tools/planted.ts";', R],
  ["tools/down.ts", 'import "../test/support/planted.ts"; import "../src/store/planted.ts";', null],
  ["src/web/down.ts", 'import "../store/planted.ts";', null],
  ["src/usecases/down.ts", 'import "../docusign/planted.ts";', null],
  ["src/store/beside.ts", 'import "./planted.ts";', null],
  ["src/service.ts", 'import "./web/planted.ts";', null],
  ["src/main.ts", 'process.exitCode = 1; import "./web/planted.ts";', R],

  ["src/web/auth/up.ts", 'import "../page/planted.ts";', R],
  ["src/web/html/up-by-type.ts", 'import type { X } from "../auth/planted.ts";', R],
  ["src/web/html/up-to-app.ts", 'import "../app.ts";', R],
  ["src/web/api/sideways.ts", 'import "../page/planted.ts";', R],
  ["src/web/api/deep/sideways.ts", 'import type { X } from "../../operations/planted.ts";', R],
  ["src/web/page/sideways-around.ts", 'import "../../web/api/planted.ts";', R],
  ["src/web/problem.ts", 'import "./html/planted.ts";', R],
  ["src/web/problem-by-type.ts", 'import type { X } from "./app.ts";', R],
  ["src/web/app.ts", 'import "./page/planted.ts"; export type { X } from "./problem.ts";', null],
  ["src/web/page/down.ts", 'import "../html/planted.ts"; export type { X } from "../auth/planted.ts";', null],
  ["src/web/page/down-to-files.ts", 'import "../problem.ts";', null],
  ["src/web/api/deep/at-home.ts", 'import "../planted.ts";', null],

  ["src/usecases/importing/up.ts", 'import "../reconciling/planted.ts";', R],
  ["src/usecases/account/up-by-type.ts", 'import type { X } from "../importing/planted.ts";', R],
  ["src/usecases/reconciling/up-later.ts", 'await import("../linking/planted.ts");', R],
  ["src/usecases/explaining/sideways.ts", 'import "../reconciling/planted.ts";', R],
  ["src/usecases/health/sideways-by-type.ts", 'export type { X } from "../account/planted.ts";', R],
  ["src/usecases/keeping/not-alone.ts", 'import "../account/planted.ts";', R],
  ["src/usecases/receiving/not-alone.ts", 'import "../keeping/planted.ts";', R],
  ["src/usecases/linking/to-alone.ts", 'import type { X } from "../keeping/planted.ts";', R],
  ["src/usecases/capabilities.ts", 'import type { X } from "./account/planted.ts";', R],
  ["src/usecases/operating/down.ts", 'import "../health/planted.ts"; import "../capabilities.ts";', null],
  ["src/usecases/keeping/down.ts", 'export type { X } from "../capabilities.ts";', null],

  ["src/store/queue/up.ts", 'import "../ledger/planted.ts";', R],
  ["src/store/queue/up-by-type.ts", 'import type { X } from "../events/planted.ts";', R],
  ["src/store/contracts/sideways.ts", 'import "../links/planted.ts";', R],
  ["src/store/upkeep/to-alone.ts", 'import "../embedded/planted.ts";', R],
  ["src/store/rows.ts", 'import type { X } from "./links/planted.ts";', R],
  ["src/store/links/down.ts", 'import "../queue/planted.ts"; export type { X } from "../rows.ts";', null],

  ["src/docusign/wire/up.ts", 'import "../api/planted.ts";', R],
  ["src/docusign/faults/up-by-type.ts", 'import type { X } from "../wire/planted.ts";', R],
  ["src/docusign/connect/sideways.ts", 'import "../oauth.ts";', R],
  ["src/docusign/oauth.ts", 'import type { X } from "./api/planted.ts";', R],
  [
    "src/docusign/api/down.ts",
    'import "../wire/planted.ts"; export type { X } from "../faults/planted.ts";',
    null,
  ],

  ["src/usecases/foreign.ts", 'import "express";', R],
  ["src/usecases/foreign-type.ts", 'import type { Kysely } from "kysely";', R],
  ["src/usecases/foreign-part.ts", 'import "kysely/migration";', R],
  ["src/service-too.ts", 'import "pg";', R],
  ["src/web/foreign.ts", 'import "graphile-worker";', R],
  ["src/store/foreign.ts", 'import "@aws-sdk/client-s3";', R],
  ["src/documents/foreign.ts", 'import "docusign-esign";', R],
  ["src/web/foreign-traces.ts", 'import "@opentelemetry/api";', R],
  ["src/jobs/foreign-traces.ts", 'import "@opentelemetry/sdk-node";', R],
  ["src/jobs/traces.ts", 'import "@opentelemetry/api";', null],
  ["src/main-too.ts", 'import "@opentelemetry/api"; import "@opentelemetry/sdk-node";', null],
  ["src/domain/foreign.ts", 'import "zod";', R],
  ["src/domain/input.ts", 'import "node:fs";', R],
  ["src/web/logger.ts", 'import "pino";', R],
  ["src/web/logger-type.ts", 'export type { Logger } from "pino";', null],
  ["src/web/at-home.ts", 'import "express";', null],
  ["src/documents/at-home.ts", 'import "@aws-sdk/client-s3";', null],
  ["src/docusign/everybodys.ts", 'import "zod";', null],
  ["test/anything.ts", 'import "../src/web/planted.ts"; import "express"; import "pg";', null],

  ["src/store/exit.ts", "process.exitCode = 1;", "eslint(no-restricted-globals)"],
  ["src/store/exit-too.ts", "globalThis.process.exitCode = 1;", "eslint(no-restricted-properties)"],
  ["src/config.ts", 'import "node:process";', R],
  ["src/usecases/clock.ts", "export const now = Date.now();", "eslint(no-restricted-properties)"],
  ["src/web/loud.ts", 'console.log("x");', "eslint(no-console)"],
  ["src/web/floating.ts", "Promise.resolve(1);", "typescript(no-floating-promises)"],
  ["src/web/cast.ts", 'export const x = JSON.parse("1") as string;', "typescript(no-unsafe-type-assertion)"],
  ["src/web/circle-1.ts", 'export * from "./circle-2.ts";', "import(no-cycle)"],
  ["src/web/circle-2.ts", 'export * from "./circle-1.ts";', "import(no-cycle)"],
  ["src/web/circle-by-type-1.ts", 'export type { X } from "./circle-by-type-2.ts";', "import(no-cycle)"],
  ["src/web/circle-by-type-2.ts", 'export type { X } from "./circle-by-type-1.ts";', "import(no-cycle)"],
  ["src/web/default.ts", "export default 1;", "import(no-default-export)"],
  ["test/told.test.ts", 'import { test } from "node:test"; test("told", () => {});', null],
];

const Report = z.object({
  number_of_files: z.number(),
  diagnostics: z.array(z.object({ code: z.string(), filename: z.string() })),
});

test("the linter finds what breaks the rules, and nothing else", async () => {
  const folder = await plant();

  const report = Report.parse(JSON.parse(await runLinter(folder, ["--format=json", "src", "test", "tools"])));

  const found = new Map(report.diagnostics.map(({ filename, code }) => [filename, code]));
  for (const [place, line, rule] of PLANTED)
    assert.equal(found.get(place) ?? null, rule, `${place}: ${line}`);
  assert.equal(report.number_of_files, PLANTED.length);
  await rm(folder, { recursive: true });
});

test("the linter sees every file of the program, and every folder of it has its layer", async () => {
  const everything = await readdir(join(ROOT, "src"), { recursive: true });
  const files = everything.filter((path) => /\.[jt]s$/.test(path)).map((path) => join("src", path));
  const entries = await readdir(join(ROOT, "src"), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);

  const seen = (await runLinter(ROOT, ["--debug=files", "src"])).trim().split("\n");

  assert.deepEqual(seen.sort(), files.sort());
  assert.ok(files.length > 80, `only ${files.length} files`);
  assert.deepEqual(folders.sort(), LEVELS.slice(1).flat().toSorted());
});

test("every sub-folder has its place within its folder", async () => {
  for (const folder of LEVELS.slice(1).flat()) {
    const entries = await readdir(join(ROOT, "src", folder), { withFileTypes: true });
    const subFolders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    const { levels, alone = [] } = WITHIN[folder] ?? { levels: [] };
    const parts = [...levels.flat(), ...alone];

    const [named, placed] = [
      parts.filter((part) => part.endsWith(".ts")),
      parts.filter((part) => !part.endsWith(".ts")),
    ];
    assert.deepEqual(placed.toSorted(), subFolders.sort(), folder);
    assert.deepEqual(
      named.filter((name) => !files.includes(name)),
      [],
      folder,
    );
  }
});

async function plant(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "torikomi-lint-"));
  for (const name of ["oxlint.config.ts", "tsconfig.json"]) await cp(join(ROOT, name), join(folder, name));
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const [place, line] of PLANTED) {
    await mkdir(dirname(join(folder, place)), { recursive: true });
    await writeFile(join(folder, place), `${line}\n`);
  }
  return folder;
}

/** Returns oxlint's output, with or without findings. */
function runLinter(folder: string, args: readonly string[]): Promise<string> {
  const program = join(ROOT, "node_modules", "oxlint", "bin", "oxlint");
  return new Promise((fulfil, reject) => {
    execFile(process.execPath, [program, ...args], { cwd: folder }, (fault, stdout) => {
      if (stdout === "") reject(fault ?? new Error("oxlint said nothing"));
      else fulfil(stdout);
    });
  });
}
