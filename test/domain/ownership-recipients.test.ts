import assert from "node:assert/strict";
import { test } from "node:test";
import { accountB, decide, link, recipient, sentFrom, u, x } from "./envelopes.ts";

const groups = [
  "signers",
  "inPersonSigners",
  "agents",
  "editors",
  "intermediaries",
  "certifiedDeliveries",
  "carbonCopies",
  "witnesses",
  "notaries",
  "notaryWitnesses",
  "participants",
  "aGroupOfTheFuture",
];

const nobody = { userId: null, email: null };

test("a recipient in any group has received the envelope", () => {
  for (const group of groups) {
    const received = sentFrom(accountB, { recipients: [recipient(x), recipient(u, { group })] });

    assert.equal(decide(received), "import: received", group);
  }
});

test("electronic seals do not count as people", () => {
  const sealed = sentFrom(accountB, { recipients: [recipient(nobody, { group: "seals" })] });

  assert.equal(decide(sealed), "exclude: not-ours");
});

const persons = [
  { says: "the user's id", person: u, matches: true },
  { says: "the user's id with another address", person: { ...u, email: x.email }, matches: true },
  { says: "the user's id without an address", person: { ...u, email: null }, matches: true },
  { says: "another id with the user's address", person: { ...x, email: u.email }, matches: false },
  { says: "no id and the user's address", person: { userId: null, email: u.email }, matches: true },
  {
    says: "no id and the user's address in capitals",
    person: { userId: null, email: u.email.toUpperCase() },
    matches: true,
  },
  {
    says: "no id and the user's address with surrounding whitespace",
    person: { userId: null, email: ` ${u.email}\t` },
    matches: true,
  },
  { says: "no id and another address", person: { userId: null, email: x.email }, matches: false },
  { says: "no id and an empty address", person: { userId: null, email: " " }, matches: false },
  { says: "neither id nor address", person: nobody, matches: false },
];

for (const { says, person, matches } of persons) {
  test(`a recipient with ${says} is ${matches ? "" : "not "}the linked user`, () => {
    const about = sentFrom(accountB, { recipients: [recipient(person)] });

    assert.equal(decide(about), matches ? "import: received" : "exclude: not-ours");
  });
}

test("if the linked user's address is unknown, only ids match", () => {
  for (const userEmail of [null, "", " "]) {
    const byId = sentFrom(accountB, { recipients: [recipient(u)] });
    const byAddress = sentFrom(accountB, { recipients: [recipient({ userId: null, email: u.email })] });
    const byNothing = sentFrom(accountB, { recipients: [recipient({ userId: null, email: "" })] });

    assert.equal(decide(byId, link({ userEmail })), "import: received");
    assert.equal(decide(byAddress, link({ userEmail })), "exclude: not-ours");
    assert.equal(decide(byNothing, link({ userEmail })), "exclude: not-ours");
  }
});

test("the link's address is compared ignoring case", () => {
  const about = sentFrom(accountB, { recipients: [recipient({ userId: null, email: u.email })] });

  assert.equal(decide(about, link({ userEmail: u.email.toUpperCase() })), "import: received");
});
