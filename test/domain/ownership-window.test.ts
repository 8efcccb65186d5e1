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

test("a completion at the start of a window counts, one a millisecond earlier does not", () => {
  for (const open of [null, before, at]) {
    assert.equal(decide(sent, link({ sentFrom: open })), "import: sent");
    assert.equal(decide(received, link({ receivedFrom: open })), "import: received");
  }
  assert.equal(decide(sent, link({ sentFrom: after })), "exclude: before-window");
  assert.equal(decide(received, link({ receivedFrom: after })), "exclude: before-window");
});

test("sent envelopes do not depend on the received window, nor received ones on the sent window", () => {
  assert.equal(decide(sent, link({ receivedFrom: after })), "import: sent");
  assert.equal(decide(received, link({ sentFrom: after })), "import: received");
});

test("an envelope both sent and received needs to lie in one of the windows only", () => {
  assert.equal(decide(both, link({ sentFrom: after })), "import: received");
  assert.equal(decide(both, link({ receivedFrom: after })), "import: sent");
  assert.equal(decide(both, link({ sentFrom: after, receivedFrom: after })), "exclude: before-window");
});

test("an envelope that is not ours is distinguished from one that is too early", () => {
  assert.equal(decide(neither, link({ sentFrom: after, receivedFrom: after })), "exclude: not-ours");
});

test("a completion time matters only in relation to the start", () => {
  const moments = fc.date({ noInvalidDate: true });
  fc.assert(
    fc.property(moments, moments, (completedAt, start) => {
      const decision = decide({ ...sent, completedAt }, link({ sentFrom: start }));

      assert.equal(decision, completedAt < start ? "exclude: before-window" : "import: sent");
    }),
  );
});
