import assert from "node:assert/strict";
import { test } from "node:test";
import { createTokenMemory } from "../../../src/web/auth/token-memory.ts";

const EXPIRES_AT = 1_800_000_000;
const CALLER = { tenant: "acme", subject: null, scopes: new Set<string>() };
const VERIFIED = { caller: CALLER, expiresAt: EXPIRES_AT };

test("a token that was verified a moment ago is known until it expires, and no other token is", () => {
  let now = new Date((EXPIRES_AT - 1) * 1_000 + 999);
  const memory = createTokenMemory<typeof CALLER>(() => now);

  memory.keep("a.b.c", VERIFIED);

  assert.equal(memory.find("a.b.c"), CALLER);
  assert.equal(memory.find("a.b.d"), null);
  now = new Date(EXPIRES_AT * 1_000);
  assert.equal(memory.find("a.b.c"), null);
});

test("a token is verified again after ten seconds", () => {
  let elapsed = 0;
  const memory = createTokenMemory<typeof CALLER>(
    () => new Date(0),
    () => elapsed,
  );
  memory.keep("a.b.c", VERIFIED);

  elapsed = 10_000;
  assert.equal(memory.find("a.b.c"), CALLER);
  elapsed = 10_001;
  assert.equal(memory.find("a.b.c"), null);
});

test("the number of known tokens is bounded: the oldest is forgotten first", () => {
  const memory = createTokenMemory<typeof CALLER>(() => new Date(0));
  for (let count = 0; count < 10_001; count += 1) memory.keep(`token ${count}`, VERIFIED);

  assert.equal(memory.find("token 0"), null);
  assert.equal(memory.find("token 1"), CALLER);
  assert.equal(memory.find("token 10000"), CALLER);
});
