import assert from "node:assert/strict";
import { test } from "node:test";
import { isGroupId, parseUuid } from "../../src/domain/identifiers.ts";

const ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";

test("a UUID has the same value in any case", () => {
  assert.equal(parseUuid(ID), ID);
  assert.equal(parseUuid(ID.toUpperCase()), ID);
});

const none: unknown[] = [
  "",
  "1",
  `${ID}0`,
  `0${ID}`,
  `${ID}\n`,
  `{${ID}}`,
  ID.replaceAll("-", ""),
  ID.replace("3f", "3g"),
  ID.slice(1),
  ID.slice(0, -1),
  null,
  undefined,
  42,
  [ID],
];

for (const text of none) {
  test(`${JSON.stringify(text)} is not a UUID`, () => {
    assert.equal(parseUuid(text), null);
  });
}

test("a UUID has 8, 4, 4, 4 and 12 digits", () => {
  const parts = ID.split("-");
  for (const [index, part] of parts.entries()) {
    assert.equal(parseUuid(parts.with(index, `${part}0`).join("-")), null);
    assert.equal(parseUuid(parts.with(index, part.slice(1)).join("-")), null);
  }
});

const groups = [
  { text: "a", names: true },
  { text: "Group-1_x.9", names: true },
  { text: "a".repeat(64), names: true },
  { text: "a".repeat(65), names: false },
  { text: "", names: false },
  { text: "契約書", names: false },
  { text: "a b", names: false },
  { text: " a", names: false },
  { text: "a\n", names: false },
  { text: "a/b", names: false },
];

for (const { text, names } of groups) {
  test(`“${text}” can${names ? "" : "not"} name a contract group`, () => {
    assert.equal(isGroupId(text), names);
  });
}
