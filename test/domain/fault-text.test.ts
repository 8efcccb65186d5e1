import assert from "node:assert/strict";
import { test } from "node:test";
import { describeFault } from "../../src/domain/fault-text.ts";

test("a fault is told in one line, with its cause where that says more", () => {
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

test("several faults at once are told by their own words where there are any", () => {
  const both = new AggregateError([new Error("first"), new Error("second")], "no document was stored");

  assert.equal(describeFault(both), "no document was stored");
});

test("blanks around a fault's words and causes that say nothing are left out", () => {
  assert.equal(describeFault(new Error(" \n full\t")), "full");
  assert.equal(describeFault("  text\n"), "text");
  assert.equal(describeFault(new Error("full", { cause: "disk" })), "full");
});
