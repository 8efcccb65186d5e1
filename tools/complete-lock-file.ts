/** `node tools/complete-lock-file.ts`, after an installation: makes package-lock.json fit for `npm ci`. */
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { LockFile, missingEntries } from "../test/support/lock-file.ts";

const path = resolve(import.meta.dirname, "../package-lock.json");
// A record keeps the order of what it reads, so that the file changes by nothing but the entries.
const File = z.record(z.string(), z.unknown());
const lock = File.parse(JSON.parse(await readFile(path, "utf8")));
const missing = missingEntries(LockFile.parse(lock));
const entries = Object.entries({ ...File.parse(lock["packages"]), ...missing });
const packages = Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b, "en")));
await writeFile(path, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
console.log(`${Object.keys(missing).length} entries added`);
