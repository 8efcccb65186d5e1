import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { test } from "node:test";
import { LockFile, missingEntries } from "./support/lock-file.ts";

const ROOT = resolve(import.meta.dirname, "..");

test("the lock file is complete, so that npm ci takes it (if not: node tools/complete-lock-file.ts)", async () => {
  const lock = LockFile.parse(JSON.parse(await readFile(resolve(ROOT, "package-lock.json"), "utf8")));

  const missing = Object.keys(missingEntries(lock));

  assert.deepEqual(missing, []);
});

test("what the lock file names comes from whatever registry the machine is set to", async () => {
  const lock = await readFile(resolve(ROOT, "package-lock.json"), "utf8");

  assert.doesNotMatch(lock, /"resolved"/);
});
