import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopback } from "../../src/domain/loopback.ts";

const HOSTS = [
  { host: "localhost", loopback: true },
  { host: "[::1]", loopback: true },
  { host: "127.0.0.1", loopback: true },
  { host: "127.255.10.200", loopback: true },
  { host: "", loopback: false },
  { host: "localhost.example", loopback: false },
  { host: "[::2]", loopback: false },
  { host: "10.127.0.0.1", loopback: false },
  { host: "127.0.0.1.example", loopback: false },
  { host: "127.1", loopback: false },
];

for (const { host, loopback } of HOSTS) {
  test(`${JSON.stringify(host)} is ${loopback ? "this machine" : "another machine"}`, () => {
    assert.equal(isLoopback(host), loopback);
  });
}
