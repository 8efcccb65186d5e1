import assert from "node:assert/strict";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { asPdf, untilEndMark } from "../../../src/docusign/api/pdf.ts";

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

for (const size of [1, 3, 1_024, 100_000]) {
  test(`a PDF in pieces of ${size} bytes passes unchanged`, async () => {
    const pdf = Buffer.concat([Buffer.from("\uFEFF\n%PDF-1.7\n"), Buffer.alloc(3_000, 7)]);

    assert.deepEqual(await buffer(asPdf(inPieces(pdf, size))), pdf);
  });
}

for (const size of [1, 3, 1_024, 100_000]) {
  test(`the end marker is found in pieces of ${size} bytes`, async () => {
    const pdf = Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(3_000, 7), Buffer.from("%%EOF\n")]);

    assert.deepEqual(await buffer(untilEndMark(inPieces(pdf, size))), pdf);
    await assert.rejects(buffer(untilEndMark(inPieces(pdf.subarray(0, -2), size))), { code: "truncated" });
  });
}

test("no byte of a file that is not a PDF is passed on", async () => {
  const passed: Uint8Array[] = [];
  const reading = async (): Promise<void> => {
    for await (const piece of asPdf(inPieces(Buffer.alloc(5_000, "x"), 10))) passed.push(piece);
  };

  await assert.rejects(reading, { code: "not-a-pdf" });

  assert.deepEqual(passed, []);
});

test("a stream without data is an empty document", async () => {
  await assert.rejects(buffer(asPdf(inPieces(new Uint8Array(), 1))), { code: "empty-document" });
});
