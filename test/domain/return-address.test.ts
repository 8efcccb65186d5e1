import assert from "node:assert/strict";
import { test } from "node:test";
import { parseReturnAddress, withResult } from "../../src/domain/return-address.ts";

const ORIGINS = ["https://cabinet.example", "http://127.0.0.1:3000"];

const ALLOWED = ["https://cabinet.example/", "https://cabinet.example/a?b=c", "http://127.0.0.1:3000/done"];

const FORBIDDEN = [
  "/links",
  "cabinet.example/done",
  "//cabinet.example/done",
  "http://cabinet.example/",
  "https://cabinet.example:8443/",
  "https://cabinet.example.attacker.example/",
  "https://attacker.example/?https://cabinet.example/",
  "https://cabinet.example@attacker.example/",
  "https://user@cabinet.example/",
  "https://:password@cabinet.example/",
  "https://cabinet.example/#part",
  "https://cabinet.example/#",
  "javascript:alert(1)",
  "data:text/html,x",
  "",
];

for (const address of ALLOWED) {
  test(`a linking may return to ${address}`, () =>
    assert.equal(parseReturnAddress(address, ORIGINS), address));
}

for (const address of FORBIDDEN) {
  test(`a linking may not return to ${JSON.stringify(address)}`, () => {
    assert.equal(parseReturnAddress(address, ORIGINS), null);
  });
}

test("without origins a linking returns nowhere", () => {
  assert.equal(parseReturnAddress("https://cabinet.example/", []), null);
});

const RESULTS = [
  ["https://cabinet.example", "https://cabinet.example/?result=linked"],
  ["https://cabinet.example/a?b=c%20d+e&f", "https://cabinet.example/a?b=c%20d+e&f&result=linked"],
  ["https://cabinet.example/?result=old&a=1&result", "https://cabinet.example/?a=1&result=linked"],
  ["https://cabinet.example/?re%73ult=old", "https://cabinet.example/?result=linked"],
  ["https://cabinet.example/?a&&?result=1", "https://cabinet.example/?a&&?result=1&result=linked"],
] as const;

for (const [address, expected] of RESULTS) {
  test(`the result is the only one in the query of ${address}`, () => {
    assert.equal(withResult(address, "linked"), expected);
  });
}
