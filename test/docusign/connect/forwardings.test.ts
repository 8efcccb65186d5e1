import assert from "node:assert/strict";
import { test } from "node:test";
import { readForwardings } from "../../../src/docusign/connect/forwardings.ts";

const X = "22222222-2222-4222-8222-222222222222";
const U = "33333333-3333-4333-8333-333333333333";
const GUID_X = "0a1b2c3d-1111-4222-8333-444455556666";

const x = { recipientId: "1", recipientIdGuid: GUID_X, userId: X, email: "x@example.jp" };
const u = {
  recipientId: "2",
  recipientIdGuid: "0a1b2c3d-2222-4222-8333-444455556666",
  userId: U,
  email: "u@example.jp",
};
const PLACE_X = { userId: X, email: "x@example.jp", recipientId: "1" };
const PLACE_U = { userId: U, email: "u@example.jp", recipientId: "2" };

function reassign(
  recipientId: string | null,
  reassignedRecipientId: string | null,
  recipients?: object,
): unknown {
  const envelopeSummary = recipients === undefined ? undefined : { recipients };
  return readForwardings("recipient-reassign", { recipientId, reassignedRecipientId, envelopeSummary });
}

function delegate(recipients: object): unknown {
  const data = { recipientId: "1", reassignedRecipientId: null, envelopeSummary: { recipients } };
  return readForwardings("recipient-delegate", data);
}

test("a reassignment goes from the recipient to the reassigned recipient", () => {
  assert.deepEqual(reassign("1", "2", { signers: [x, u] }), [{ from: PLACE_X, to: PLACE_U }]);
});

test("recipients are found by their GUID too", () => {
  assert.deepEqual(reassign(GUID_X.toUpperCase(), "2", { signers: [x, u] }), [
    { from: PLACE_X, to: PLACE_U },
  ]);
});

test("the carbon copy is the giver, whichever field names it", () => {
  const recipients = { carbonCopies: [x], signers: [u] };

  assert.deepEqual(reassign("1", "2", recipients), [{ from: PLACE_X, to: PLACE_U }]);
  assert.deepEqual(reassign("2", "1", recipients), [{ from: PLACE_X, to: PLACE_U }]);
});

test("if both are carbon copies, the fields decide", () => {
  assert.deepEqual(reassign("2", "1", { carbonCopies: [x, u] }), [{ from: PLACE_U, to: PLACE_X }]);
});

test("a single listed recipient is the giver if it is a carbon copy", () => {
  const nobody = { userId: null, email: null, recipientId: "7" };

  assert.deepEqual(reassign("7", "1", { carbonCopies: [x] }), [{ from: PLACE_X, to: nobody }]);
  assert.deepEqual(reassign("7", "1", { signers: [x] }), [{ from: nobody, to: PLACE_X }]);
});

test("places of unknown people keep their ids", () => {
  const from = { userId: null, email: null, recipientId: "1" };
  const to = { userId: null, email: null, recipientId: "2" };

  assert.deepEqual(reassign("1", "2"), [{ from, to }]);
  assert.deepEqual(reassign("1", "2", {}), [{ from, to }]);
});

test("if both have one id, the carbon copy is the giver, and without one nobody is named", () => {
  const place = { userId: null, email: null, recipientId: "1" };
  const taker = { ...u, recipientId: "1" };

  assert.deepEqual(reassign("1", "1", { carbonCopies: [x], signers: [taker] }), [
    { from: PLACE_X, to: { ...PLACE_U, recipientId: "1" } },
  ]);
  assert.deepEqual(reassign("1", "1", { signers: [x] }), [{ from: place, to: place }]);
  assert.deepEqual(reassign(GUID_X, "1", { signers: [x] }), [{ from: place, to: place }]);
  assert.deepEqual(reassign("1", "1"), [{ from: place, to: place }]);
});

test("a reassignment to oneself or without a target is ignored", () => {
  const again = { ...x, recipientId: "2", recipientIdGuid: "" };
  const sameAddress = { recipientId: "2", email: "X@example.jp" };

  assert.deepEqual(reassign("1", "2", { signers: [x, again] }), []);
  assert.deepEqual(reassign("1", "2", { signers: [x, sameAddress] }), []);
  assert.deepEqual(reassign("1", null, { signers: [x] }), []);
  assert.deepEqual(reassign(null, "2", { signers: [x] }), []);
});

test("two people who share an address are different people", () => {
  const other = { ...u, email: "x@example.jp" };

  assert.deepEqual(reassign("1", "2", { signers: [x, other] }), [
    { from: PLACE_X, to: { ...PLACE_U, email: "x@example.jp" } },
  ]);
});

const GIVER = { userId: X, email: "x@example.jp", recipientId: null };

test("a delegation is read from the delegate's entry, in either spelling", () => {
  const wanted = [{ from: GIVER, to: PLACE_U }];

  assert.deepEqual(
    delegate({ signers: [{ ...u, delegatedBy: { email: "x@example.jp", userId: X } }] }),
    wanted,
  );
  assert.deepEqual(
    delegate({ signers: [{ ...u, delegatedBy: { Email: "x@example.jp", UserId: X, Name: "X" } }] }),
    wanted,
  );
  assert.deepEqual(
    delegate({ signers: [{ ...u, DelegatedBy: { Email: "x@example.jp", UserId: X, Name: "X" } }] }),
    wanted,
  );
});

test("a delegation is read from the delegator's entry, as an object or a list", () => {
  const to = { userId: U, email: null, recipientId: null };

  assert.deepEqual(delegate({ signers: [{ ...x, delegatedTo: [{ UserId: U }] }] }), [{ from: PLACE_X, to }]);
  assert.deepEqual(delegate({ signers: [{ ...x, delegatedTo: { userId: U, email: "" } }] }), [
    { from: PLACE_X, to },
  ]);
  assert.deepEqual(delegate({ signers: [{ ...x, DelegatedTo: [{ UserId: U }] }] }), [{ from: PLACE_X, to }]);
});

test("a delegation in both entries counts once, and empty ones are ignored", () => {
  const both = [
    { ...x, delegatedTo: [{ userId: U }] },
    { ...u, delegatedBy: { userId: X } },
  ];

  assert.deepEqual(delegate({ signers: both }), [
    { from: PLACE_X, to: { userId: U, email: null, recipientId: null } },
  ]);
  assert.deepEqual(
    delegate({ signers: [{ ...x, delegatedBy: {}, delegatedTo: [{ email: "" }, null] }] }),
    [],
  );
  assert.deepEqual(delegate({}), []);
});

test("a delegation without entries goes from the recipient to the reassigned recipient", () => {
  const data = {
    recipientId: "1",
    reassignedRecipientId: "2",
    envelopeSummary: { recipients: { signers: [x, u] } },
  };

  assert.deepEqual(readForwardings("recipient-delegate", data), [{ from: PLACE_X, to: PLACE_U }]);
});

test("other events contain no forwardings", () => {
  const envelopeSummary = { recipients: { signers: [{ ...u, delegatedBy: { userId: X } }] } };
  const data = { recipientId: "1", reassignedRecipientId: "2", envelopeSummary };

  assert.deepEqual(readForwardings("envelope-completed", data), []);
});
