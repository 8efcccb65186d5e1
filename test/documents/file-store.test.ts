import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { openFileStore } from "../../src/documents/file-store.ts";
import { type TestedStore, testDocumentStore } from "./document-store-suite.ts";

testDocumentStore("a file store", createFileStore);

async function createFileStore(): Promise<TestedStore> {
  const folder = await mkdtemp(join(tmpdir(), "torikomi-files-"));
  return {
    store: await openFileStore(folder),
    leftovers: () => draftsIn(folder),
    breakDown: () => rm(folder, { recursive: true }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

test("different contents stored at once under one key leave one complete document", async () => {
  await using place = await createFileStore();
  const letters = ["a", "b", "c", "d"];

  await Promise.all(letters.map((letter) => place.store.put("key", repeated(letter))));

  const stream = await place.store.open("key");
  assert.ok(stream !== null);
  const bytes = await buffer(stream);
  assert.equal(bytes.length, 100_000);
  assert.equal(new Set(bytes).size, 1);
});

test("opening the store removes drafts older than a day and keeps newer ones", async () => {
  const folder = await mkdtemp(join(tmpdir(), "torikomi-files-"));
  const now = new Date("2026-04-02T12:00:00Z");
  // Version 0.1 wrote all drafts to one folder.
  await mkdir(join(folder, "drafts", "5e"), { recursive: true });
  for (const drafts of [".", "5e"]) {
    await writeDraft(folder, join(drafts, "old"), new Date("2026-04-01T11:59:59Z"));
    await writeDraft(folder, join(drafts, "young"), new Date("2026-04-01T12:00:01Z"));
  }

  await openFileStore(folder, now);

  assert.deepEqual(await draftsIn(folder), ["5e/young", "young"]);
  await rm(folder, { recursive: true });
});

test("a range of the first byte returns that byte", async () => {
  await using place = await createFileStore();
  await place.store.put("key", repeated("x"));

  // Not part of the common suite: s3rver treats 0-0 as no range.
  const stream = await place.store.open("key", { first: 0, last: 0 });

  assert.ok(stream !== null);
  assert.equal(String(await buffer(stream)), "x");
});

test("a reopened store has its documents", async () => {
  const folder = await mkdtemp(join(tmpdir(), "torikomi-files-"));
  const first = await openFileStore(join(folder, "made", "on", "the", "way"));
  await first.put("a/b", repeated("x"));
  await first.close();

  const second = await openFileStore(join(folder, "made", "on", "the", "way"));

  const keys = (await Array.fromAsync(second.list())).map(({ key }) => key);
  assert.deepEqual(keys, ["a/b"]);
  await rm(folder, { recursive: true });
});

async function draftsIn(folder: string): Promise<string[]> {
  const drafts = join(folder, "drafts");
  const entries = await readdir(drafts, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => relative(drafts, join(parentPath, name))).sort();
}

async function* repeated(letter: string): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < 100; index += 1) yield Buffer.alloc(1000, letter);
}

async function writeDraft(folder: string, name: string, modifiedAt: Date): Promise<void> {
  const path = join(folder, "drafts", name);
  await writeFile(path, "half a docu");
  await utimes(path, modifiedAt, modifiedAt);
}
