import assert from "node:assert/strict";
import { test } from "node:test";
import { pdf, pdfContent } from "../support/docusign/pdf.ts";

test("a PDF is the same for the same text and another for another", () => {
  assert.deepEqual(pdf("契約書"), pdf("契約書"));
  assert.notDeepEqual(pdf("契約書"), pdf("覚書"));
});

test("a PDF has exactly the size that is asked for, and says where its parts are", () => {
  const sizes = [undefined, 2_000, 65_536, 1_000_001];

  for (const size of sizes) {
    const bytes = pdf("契約書", size);
    const text = bytes.toString("latin1");

    assert.equal(bytes.length, size ?? bytes.length);
    const start = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(text)?.[1]);
    assert.equal(text.slice(start, start + 4), "xref");
    const offsets = [...text.slice(start).matchAll(/^(\d{10}) 00000 n /gm)].map(([, offset]) =>
      Number(offset),
    );
    assert.equal(offsets.length, 8);
    for (const [index, offset] of offsets.entries()) {
      assert.ok(text.startsWith(`${index + 1} 0 obj`, offset), `object ${index + 1}`);
    }
  }
});

test("a large PDF is made piece by piece", () => {
  const size = 25 * 1024 * 1024;
  let total = 0;

  for (const chunk of pdfContent("契約書", size).chunks()) {
    assert.ok(chunk.length <= 65_536);
    total += chunk.length;
  }

  assert.equal(total, size);
});

test("a size too small for a PDF is refused", () => {
  assert.throws(() => pdf("契約書", 100), /needs \d+ bytes, not 100/);
});
