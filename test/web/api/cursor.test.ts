import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeCursor, encodeCursor } from "../../../src/web/api/cursor.ts";

test("a cursor gives back the parts that it was made of", () => {
  const part = fc.string({ unit: "grapheme", maxLength: 20 });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      const cursor = encodeCursor(parts);

      assert.match(cursor, /^[A-Za-z0-9_-]+$/);
      assert.deepEqual(decodeCursor(cursor), parts);
    }),
  );
});

const NO_CURSORS: Readonly<Record<string, string>> = {
  "an empty text": "",
  "no base64url": "a+b/c=",
  "no JSON": Buffer.from("hello").toString("base64url"),
  "no array": Buffer.from('{"a":"b"}').toString("base64url"),
  "an empty array": Buffer.from("[]").toString("base64url"),
  "parts that are no strings": Buffer.from('["a",1]').toString("base64url"),
  "too many parts": encodeCursor(Array.from({ length: 9 }, () => "a")),
  "too long a text": encodeCursor(["a".repeat(250), "b".repeat(250), "c".repeat(250), "d".repeat(250)]),
};

for (const [name, text] of Object.entries(NO_CURSORS)) {
  test(`a text that is ${name} is no cursor`, () => {
    assert.equal(decodeCursor(text), null);
  });
}

test("any text is a cursor or null, never an error", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parts = decodeCursor(text);

      assert.ok(parts === null || parts.every((part) => typeof part === "string"));
    }),
  );
});
