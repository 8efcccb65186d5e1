import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { DocumentStore } from "../../src/documents/documents.ts";
import { DocumentStoreFault } from "../../src/documents/store-fault.ts";

const MEBIBYTE = 1024 * 1024;

export type TestedStore = AsyncDisposable & {
  readonly store: DocumentStore;
  /** Leftovers beside the readable documents; empty if there are none. */
  readonly leftovers: () => Promise<string[]>;
  /** Makes every later write fail. */
  readonly breakDown: () => Promise<void>;
};

/** The contract of every document store; `create` returns an empty one. */
export function testDocumentStore(name: string, create: () => Promise<TestedStore>): void {
  describe(name, () => {
    testReading(create);
    testWriting(create);
    testFailing(create);
    testHousekeeping(create);
  });
}

function testReading(create: () => Promise<TestedStore>): void {
  test("a stored document is read back, and storing returns its size and hash", async () => {
    await using place = await create();
    const bytes = randomBytes(100_000);

    const stored = await place.store.put("a1/b-2", chunksOf(bytes, 777));

    assert.deepEqual(stored, { bytes: 100_000, sha256: sha256(bytes) });
    assert.deepEqual(await read(place.store, "a1/b-2"), bytes);
  });

  test("an empty document can be stored", async () => {
    await using place = await create();

    const stored = await place.store.put("empty", chunksOf(Buffer.alloc(0), 1));

    assert.deepEqual(stored, { bytes: 0, sha256: sha256(Buffer.alloc(0)) });
    assert.deepEqual(await read(place.store, "empty"), Buffer.alloc(0));
  });

  test("opening an unknown key returns null", async () => {
    await using place = await create();

    assert.equal(await place.store.open("a"), null);
    assert.equal(await place.store.open("a", { first: 0, last: 1 }), null);
  });

  test("a range returns its bytes, both ends inclusive, up to the end of the document", async () => {
    await using place = await create();
    await place.store.put("a", chunksOf(Buffer.from("0123456789"), 3));

    const inside = await read(place.store, "a", { first: 2, last: 4 });
    const oneByte = await read(place.store, "a", { first: 1, last: 1 });
    const overTheEnd = await read(place.store, "a", { first: 8, last: 100 });
    const beyondTheEnd = await read(place.store, "a", { first: 10, last: 100 });

    assert.deepEqual([inside, oneByte, overTheEnd, beyondTheEnd].map(String), ["234", "1", "89", ""]);
  });

  for (const range of [
    { first: 4, last: 2 },
    { first: -1, last: 2 },
    { first: 0.5, last: 2 },
    { first: 0, last: Number.POSITIVE_INFINITY },
  ]) {
    test(`${range.first} to ${range.last} is not a valid range`, async () => {
      await using place = await create();
      await place.store.put("a", chunksOf(Buffer.from("0123456789"), 3));

      await assert.rejects(place.store.open("a", range), RangeError);
    });
  }
}

function testWriting(create: () => Promise<TestedStore>): void {
  test("48 MiB are stored without being held in memory", async () => {
    await using place = await create();
    const size = 48 * MEBIBYTE;
    const memory = { peak: 0 };
    const before = heldBytes();

    const stored = await place.store.put("large", watched(size, memory));

    assert.equal(stored.bytes, size);
    // An S3 server in the same process needs part of this as well.
    assert.ok(memory.peak - before < 24 * MEBIBYTE, `held ${memory.peak - before} bytes`);
    assert.equal((await read(place.store, "large")).length, size);
    assert.deepEqual(await place.leftovers(), []);
  });

  test("a document is not readable before it is complete", async () => {
    await using place = await create();
    const seen: unknown[] = [];
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(6 * MEBIBYTE);
      yield Buffer.alloc(6 * MEBIBYTE);
      seen.push(await place.store.open("slow"), await keysOf(place.store));
      yield Buffer.alloc(1);
    }

    await place.store.put("slow", slow());

    assert.deepEqual(seen, [null, []]);
    assert.deepEqual(await keysOf(place.store), ["slow"]);
  });

  test("storing the same document several times at once leaves one complete document", async () => {
    await using place = await create();
    const bytes = randomBytes(200_000);

    const stored = await Promise.all(
      [1000, 999, 50_000, 7].map((size) => place.store.put("a/b", chunksOf(bytes, size))),
    );

    assert.deepEqual(stored, Array(4).fill({ bytes: 200_000, sha256: sha256(bytes) }));
    assert.deepEqual(await read(place.store, "a/b"), bytes);
    assert.deepEqual(await keysOf(place.store), ["a/b"]);
    assert.deepEqual(await place.leftovers(), []);
  });

  test("storing under a key replaces the previous document", async () => {
    await using place = await create();
    await place.store.put("a", chunksOf(Buffer.from("longer than the next"), 5));

    await place.store.put("a", chunksOf(Buffer.from("next"), 5));

    assert.equal(String(await read(place.store, "a")), "next");
  });

  for (const key of [
    "",
    "/a",
    "a/",
    "a//b",
    "../a",
    "a/../b",
    "./a",
    "A",
    "a_b",
    "a b",
    "契約書",
    "a\0",
    "a\\b",
    "%2e",
    "a".repeat(201),
  ]) {
    test(`${JSON.stringify(key.slice(0, 20))} is rejected as a key`, async () => {
      await using place = await create();

      await assert.rejects(place.store.put(key, chunksOf(Buffer.from("x"), 1)), RangeError);
      await assert.rejects(place.store.open(key), RangeError);
      await assert.rejects(place.store.erase(key), RangeError);
      assert.deepEqual(await keysOf(place.store), []);
    });
  }
}

function testFailing(create: () => Promise<TestedStore>): void {
  for (const failsAfter of [0, 1000, 12 * MEBIBYTE]) {
    test(`a source that fails after ${failsAfter} bytes leaves the previous document unchanged`, async () => {
      await using place = await create();
      const fault = new Error("connection reset");
      await place.store.put("old", chunksOf(Buffer.from("old"), 3));

      await assert.rejects(place.store.put("new", failingAfter(failsAfter, fault)), fault);
      await assert.rejects(place.store.put("old", failingAfter(failsAfter, fault)), fault);

      assert.equal(await place.store.open("new"), null);
      assert.equal(String(await read(place.store, "old")), "old");
      assert.deepEqual(await keysOf(place.store), ["old"]);
      assert.deepEqual(await place.leftovers(), []);
    });
  }

  test("a source is closed when the store fails", async () => {
    await using place = await create();
    await place.breakDown();
    const source = { closed: false };

    await assert.rejects(place.store.put("a", closable(source)));

    assert.equal(source.closed, true);
  });

  test("a refused document is reported with the store's own error code", async () => {
    await using place = await create();
    await place.breakDown();

    const refusal = await place.store
      .put("a", chunksOf(Buffer.from("x"), 1))
      .catch((error: unknown) => error);

    assert.ok(refusal instanceof DocumentStoreFault);
    assert.match(refusal.code, /^(ENOTDIR|ENOENT|http-403)$/);
  });
}

function testHousekeeping(create: () => Promise<TestedStore>): void {
  test("erasing a document is idempotent", async () => {
    await using place = await create();
    await place.store.put("a/b", chunksOf(Buffer.from("x"), 1));
    await place.store.put("a", chunksOf(Buffer.from("y"), 1));

    await place.store.erase("a/b");
    await place.store.erase("a/b");

    assert.equal(await place.store.open("a/b"), null);
    assert.deepEqual(await keysOf(place.store), ["a"]);
  });

  test("the list returns every key with its last modification time", async () => {
    await using place = await create();
    const keys = Array.from({ length: 30 }, (_, index) => `tenant/${index}/document`).sort();
    // File systems and S3 round times.
    const started = Date.now() - 2000;
    for (const key of keys) await place.store.put(key, chunksOf(Buffer.from(key), 100));

    const listed = await Array.fromAsync(place.store.list());

    assert.deepEqual(listed.map(({ key }) => key).sort(), keys);
    for (const { modifiedAt } of listed) {
      assert.ok(
        modifiedAt.getTime() >= started && modifiedAt.getTime() <= Date.now() + 2000,
        String(modifiedAt),
      );
    }
  });

  test("a list under some words returns the keys that begin with them, and no others", async () => {
    await using place = await create();
    const days = ["deleted/2026-11-29/t/a", "deleted/2026-11-30/t/a", "deleted/2026-11-30/t/b"];
    for (const key of [...days, "deleted/2026-11-300/t", "contracts/a", "contracts-too/a"])
      await place.store.put(key, chunksOf(Buffer.from(key), 100));

    const listed = async (under: string): Promise<string[]> =>
      (await Array.fromAsync(place.store.list(under))).map(({ key }) => key).sort();

    assert.deepEqual(await listed("deleted/2026-11-30"), days.slice(1));
    assert.deepEqual(await listed("deleted/2026-11-28"), []);
    assert.deepEqual(await listed("contracts"), ["contracts/a"]);
    assert.deepEqual(await listed("deleted"), [
      "deleted/2026-11-29/t/a",
      "deleted/2026-11-30/t/a",
      "deleted/2026-11-30/t/b",
      "deleted/2026-11-300/t",
    ]);
    assert.equal((await keysOf(place.store)).length, 6);
  });

  test("the size of a document is its length, and null if there is no document", async () => {
    await using place = await create();
    await place.store.put("a/b", chunksOf(Buffer.alloc(1234), 100));
    await place.store.put("empty", chunksOf(Buffer.alloc(0), 1));

    const sizes = await Promise.all(["a/b", "empty", "a"].map((key) => place.store.size(key)));

    assert.deepEqual(sizes, [1234, 0, null]);
  });

  test("a successful check leaves nothing behind", async () => {
    await using place = await create();

    await place.store.check();

    assert.deepEqual(await keysOf(place.store), []);
    assert.deepEqual(await place.leftovers(), []);
  });

  test("a check of a store that cannot write reports it", async () => {
    await using place = await create();
    await place.breakDown();

    await assert.rejects(place.store.check(), /^Error: documents can't be stored in .+: /);
  });
}

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function* failingAfter(size: number, fault: Error): AsyncGenerator<Uint8Array> {
  const chunk = 100_000;
  for (let sent = 0; sent < size; sent += chunk) yield Buffer.alloc(Math.min(chunk, size - sent));
  throw fault;
}

async function* closable(source: { closed: boolean }): AsyncGenerator<Uint8Array> {
  try {
    for (let sent = 0; sent < 20 * MEBIBYTE; sent += MEBIBYTE) yield Buffer.alloc(MEBIBYTE);
  } finally {
    source.closed = true;
  }
}

async function* watched(size: number, memory: { peak: number }): AsyncGenerator<Uint8Array> {
  const chunk = 64 * 1024;
  for (let sent = 0; sent < size; sent += chunk) {
    if (sent % MEBIBYTE === 0) memory.peak = Math.max(memory.peak, heldBytes());
    yield Buffer.alloc(chunk, sent / chunk);
  }
}

/** Bytes in buffers that are still referenced. */
function heldBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().arrayBuffers;
}

async function read(
  store: DocumentStore,
  key: string,
  range?: { first: number; last: number },
): Promise<Buffer> {
  const stream = await store.open(key, range);
  assert.ok(stream !== null, `nothing is stored under ${key}`);
  return buffer(stream);
}

async function keysOf(store: DocumentStore): Promise<string[]> {
  const listed = await Array.fromAsync(store.list());
  return listed.map(({ key }) => key).sort();
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
