import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { generateApi } from "swagger-typescript-api";
import { GROUP } from "../../src/web/api/examples.ts";
import { description } from "./described.ts";

const DESCRIPTION: string = JSON.stringify(description);
const TSC = resolve(import.meta.dirname, "../../node_modules/.bin/tsc");

test("an OpenAPI linter finds no problems", async () => {
  const config = await createConfig({
    extends: ["recommended-strict"],
    rules: {
      "operation-description": "error",
      "operation-tag-defined": "error",
      "parameter-description": "error",
      "tag-description": "error",
      "no-invalid-schema-examples": "error",
      "no-invalid-parameter-examples": "error",
      "no-schema-type-mismatch": "error",
    },
  });

  const problems = await lintFromString({ source: DESCRIPTION, absoluteRef: "/openapi.json", config });

  assert.deepEqual(
    problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
    [],
  );
});

test("a client generated from the description compiles", async () => {
  await using folder = await makeFolder();
  const { files } = await generateApi({ spec: JSON.parse(DESCRIPTION), output: false, silent: true });
  const [client] = files;
  assert.ok(client !== undefined);
  const path = join(folder.path, "client.ts");
  await writeFile(path, client.fileContent);

  const options = ["--noEmit", "--strict", "--ignoreConfig", "--target", "esnext", "--lib", "esnext,dom"];
  const { stdout } = await promisify(execFile)(TSC, [...options, path]).catch((error: unknown) => ({
    stdout: String(Reflect.get(Object(error), "stdout") ?? error),
  }));

  assert.equal(stdout, "");
});

test("every pattern works in engines without Unicode classes and accepts Japanese names", () => {
  const patterns = [...DESCRIPTION.matchAll(/"pattern":("(?:[^"\\\\]|\\\\.)*")/g)].map(([, text]) =>
    String(JSON.parse(text ?? "")),
  );

  assert.ok(patterns.length > 2);
  for (const pattern of patterns) assert.doesNotMatch(pattern, /\\[pP]|\\u\{/);
  const { pattern } = description.components.schemas.GroupName.properties.name;
  assert.match(GROUP.name, new RegExp(pattern));
  assert.doesNotMatch("a\u0085", new RegExp(pattern));
});

async function makeFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "torikomi-client-"));
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true }) };
}
