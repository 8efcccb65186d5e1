import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeReceipt } from "../../src/domain/receipt.ts";
import { carbonCopy, forwarding, recipient, u, x, z } from "./envelopes.ts";

const nobody = { userId: null, email: null };

test("an envelope to others did not reach the user", () => {
  assert.deepEqual(judgeReceipt(u, [recipient(x)], []), { kind: "none", matches: [], givenTo: [] });
});

test("the user's places are returned with how the user was recognized", () => {
  const { kind, matches } = judgeReceipt(u, [recipient(u), carbonCopy({ ...u, userId: null })], []);

  assert.equal(kind, "own");
  assert.deepEqual(matches, [
    { group: "signers", by: "user-id", forwarded: false, forwardedFrom: null },
    { group: "carbonCopies", by: "email", forwarded: false, forwardedFrom: null },
  ]);
});

test("the previous holder of a place is found even if the event contains only that place's id", () => {
  const listed = [carbonCopy(x, { recipientId: "1" }), recipient(u, { recipientId: "2" })];

  const { kind, matches } = judgeReceipt(u, listed, [forwarding(nobody, u, "1")]);

  assert.equal(kind, "forwarded");
  assert.deepEqual(matches, [{ group: "signers", by: "user-id", forwarded: true, forwardedFrom: x.userId }]);
});

test("within a group, the first reported taker's place came from the first reported giver", () => {
  const listed = [
    carbonCopy(x),
    carbonCopy(z),
    recipient(u, { recipientId: "3" }),
    recipient(u, { recipientId: "4" }),
  ];
  const signers = [recipient(x, { recipientId: "1" }), recipient(z, { recipientId: "2" })];

  const among = judgeReceipt(
    u,
    [...signers, ...listed.slice(2)],
    [forwarding(x, u, "1"), forwarding(z, u, "2")],
  );
  const after = judgeReceipt(u, listed, [forwarding(x, u), forwarding(z, u)]);

  for (const { matches } of [among, after]) {
    assert.deepEqual(
      matches.map((match) => match.forwardedFrom),
      [x.userId, z.userId],
    );
  }
});
