import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  accountA,
  accountB,
  COMPLETED_AT,
  carbonCopy,
  decide,
  envelope,
  forwarding,
  judge,
  link,
  recipient,
  sentFrom,
  u,
  user,
  x,
  z,
} from "./envelopes.ts";

const others = [x, z, user("4"), user("5")];

test("an envelope sent by any user of the linked account is imported for any recipient", () => {
  for (const sender of [u, ...others]) {
    const sent = envelope({
      sender: { ...sender, accountId: accountA },
      recipients: [recipient(user("7"))],
    });

    assert.equal(decide(sent), "import: sent");
  }
});

test("an envelope received by the linked user is imported from any sender and account", () => {
  for (const sender of others) {
    const received = envelope({ sender: { ...sender, accountId: accountB }, recipients: [recipient(u)] });

    assert.equal(decide(received), "import: received");
  }
});

test("an envelope that other users of the linked account received from outside is excluded", () => {
  for (const receiver of others) {
    assert.equal(decide(sentFrom(accountB, { recipients: [recipient(receiver)] })), "exclude: not-ours");
  }
});

test("an envelope that the linked user sent from another account is excluded", () => {
  const sent = envelope({ sender: { ...u, accountId: accountB }, recipients: [recipient(x)] });

  assert.equal(decide(sent), "exclude: not-ours");
});

test("an envelope from the account to the linked user is imported for both reasons", () => {
  assert.equal(decide(sentFrom(accountA, { recipients: [recipient(u)] })), "import: sent-and-received");
});

test("an envelope in any status other than completed is excluded", () => {
  for (const status of [
    "voided",
    "declined",
    "deleted",
    "created",
    "sent",
    "delivered",
    "signed",
    "timedout",
  ]) {
    const ours = sentFrom(accountA, { status, recipients: [recipient(u)] });

    assert.equal(decide(ours), "exclude: not-completed", status);
  }
});

test("an envelope that is not completed is excluded whatever else is unknown", () => {
  const nothing = sentFrom(null, { status: "sent", completedAt: null, recipients: null, documents: null });

  assert.equal(decide(nothing), "exclude: not-completed");
});

test("the facts show what the decision is based on", () => {
  const starts = { sentFrom: new Date("2026-02-01T00:00:00Z"), receivedFrom: null };
  const about = sentFrom(accountA, { recipients: [recipient(x), carbonCopy(u)] });

  const { facts } = judge(about, link(starts));

  assert.deepEqual(facts, {
    status: "completed",
    completedAt: COMPLETED_AT.toISOString(),
    sentFrom: "2026-02-01T00:00:00.000Z",
    receivedFrom: null,
    senderAccountId: accountA,
    sentByAccount: true,
    receivedByUser: true,
    matched: [{ group: "carbonCopies", by: "user-id", forwarded: false, forwardedFrom: null }],
    forwardedTo: [],
    contentDocuments: 1,
    purgeState: "unpurged",
    qualifies: { sent: true, received: true },
  });
});

test("the facts are plain JSON and contain no e-mail address", () => {
  const people = fc.constantFrom(u, x, z, { userId: null, email: u.email }, { userId: null, email: x.email });
  const entries = fc.array(
    fc.record({ person: people, delegatedBy: fc.option(people), delegatedTo: fc.array(people) }),
  );
  const events = fc.array(fc.tuple(people, people).map(([from, to]) => forwarding(from, to)));
  fc.assert(
    fc.property(entries, events, (places, forwardings) => {
      const recipients = places.map(({ person, ...delegation }) => recipient(person, delegation));

      const { facts } = judge(sentFrom(accountB, { recipients }), link(), forwardings);

      assert.deepEqual(JSON.parse(JSON.stringify(facts)), facts);
      assert.doesNotMatch(JSON.stringify(facts), /@/);
    }),
  );
});
