import assert from "node:assert/strict";
import { test } from "node:test";
import { describeError, describeFault } from "../../src/domain/fault-text.ts";

test("a fault is described in one line, with its cause if that adds information", () => {
  const refused = new Error("connect ECONNREFUSED 127.0.0.1:1");

  assert.equal(describeFault(new Error("one\n  two")), "one two");
  assert.equal(
    describeFault(new TypeError("fetch failed", { cause: refused })),
    `fetch failed (${refused.message})`,
  );
  assert.equal(
    describeFault(new Error(`no: ${refused.message}`, { cause: refused })),
    `no: ${refused.message}`,
  );
  assert.equal(describeFault(new AggregateError([refused, new Error("other")])), refused.message);
  assert.equal(describeFault(new RangeError("")), "RangeError");
  assert.equal(describeFault("text"), "text");
});

test("an aggregate fault is described by its own message if it has one", () => {
  const both = new AggregateError([new Error("first"), new Error("second")], "no document was stored");

  assert.equal(describeFault(both), "no document was stored");
});

test("whitespace around messages and uninformative causes are omitted", () => {
  assert.equal(describeFault(new Error(" \n full\t")), "full");
  assert.equal(describeFault("  text\n"), "text");
  assert.equal(describeFault(new Error("full", { cause: "disk" })), "full");
});

test("a log gets an error's name, message, code and stack, and those of its causes, but nothing else", () => {
  const refused = Object.assign(new Error("refused"), { code: "ECONNREFUSED", address: "10.0.0.1" });
  const error = Object.assign(new TypeError("fetch failed", { cause: refused }), { code: 7, body: "secret" });

  assert.deepEqual(describeError(error), {
    type: "TypeError",
    message: "fetch failed",
    stack: error.stack,
    cause: { type: "Error", message: "refused", code: "ECONNREFUSED", stack: refused.stack },
  });
  assert.deepEqual(describeError("secret"), { type: "string" });
  assert.deepEqual(Object.keys(describeError(new Error("full", { cause: "secret" }))), [
    "type",
    "message",
    "stack",
  ]);
});

test("an error that is its own cause is described with five causes", () => {
  const error = new Error("again");
  error.cause = error;
  const one = { type: "Error", message: "again", stack: error.stack };

  const chain = Array.from({ length: 5 }).reduce<object>((cause) => ({ ...one, cause }), one);

  assert.deepEqual(describeError(error), chain);
});
