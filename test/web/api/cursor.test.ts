import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeCursor, encodeCursor } from "../../../src/web/api/cursor.ts";

test("a cursor decodes to the parts that it was made of", () => {
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
  "an empty string": "",
  "not base64url": "a+b/c=",
  "not JSON": Buffer.from("hello").toString("base64url"),
  "not an array": Buffer.from('{"a":"b"}').toString("base64url"),
  "an empty array": Buffer.from("[]").toString("base64url"),
  "a list with a part that is not a string": Buffer.from('["a",1]').toString("base64url"),
  "a list of too many parts": encodeCursor(Array.from({ length: 9 }, () => "a")),
  "too long": encodeCursor(["a".repeat(250), "b".repeat(250), "c".repeat(250), "d".repeat(250)]),
};

for (const [name, text] of Object.entries(NO_CURSORS)) {
  test(`a string that is ${name} is not a cursor`, () => {
    assert.equal(decodeCursor(text), null);
  });
}

test("any string decodes to a cursor or null, never to an error", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parts = decodeCursor(text);

      assert.ok(parts === null || parts.every((part) => typeof part === "string"));
    }),
  );
});
