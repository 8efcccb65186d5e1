import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { accountA, accountB, COMPLETED_AT, decide, link, recipient, sentFrom, u, x } from "./envelopes.ts";

const sent = sentFrom(accountA, { recipients: [recipient(x)] });
const received = sentFrom(accountB, { recipients: [recipient(u)] });
const both = sentFrom(accountA, { recipients: [recipient(u)] });
const neither = sentFrom(accountB, { recipients: [recipient(x)] });

const at = COMPLETED_AT;
const after = new Date(COMPLETED_AT.getTime() + 1);
const before = new Date(COMPLETED_AT.getTime() - 1);

test("the moment at which a window opens counts, the millisecond before it does not", () => {
  for (const open of [null, before, at]) {
    assert.equal(decide(sent, link({ sentFrom: open })), "import: sent");
    assert.equal(decide(received, link({ receivedFrom: open })), "import: received");
  }
  assert.equal(decide(sent, link({ sentFrom: after })), "exclude: before-window");
  assert.equal(decide(received, link({ receivedFrom: after })), "exclude: before-window");
});

test("what was sent does not depend on the window of what was received, nor the other way", () => {
  assert.equal(decide(sent, link({ receivedFrom: after })), "import: sent");
  assert.equal(decide(received, link({ sentFrom: after })), "import: received");
});

test("what was both sent and received needs to qualify by one window only", () => {
  assert.equal(decide(both, link({ sentFrom: after })), "import: received");
  assert.equal(decide(both, link({ receivedFrom: after })), "import: sent");
  assert.equal(decide(both, link({ sentFrom: after, receivedFrom: after })), "exclude: before-window");
});

test("what is not ours is told apart from what came too early", () => {
  assert.equal(decide(neither, link({ sentFrom: after, receivedFrom: after })), "exclude: not-ours");
});

test("no moment matters but whether it lies before the start", () => {
  const moments = fc.date({ noInvalidDate: true });
  fc.assert(
    fc.property(moments, moments, (completedAt, start) => {
      const decision = decide({ ...sent, completedAt }, link({ sentFrom: start }));

      assert.equal(decision, completedAt < start ? "exclude: before-window" : "import: sent");
    }),
  );
});
