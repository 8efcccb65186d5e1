import assert from "node:assert/strict";
import { test } from "node:test";
import {
  accountA,
  accountB,
  carbonCopy,
  decide,
  forwarding,
  link,
  recipient,
  sentFrom,
  u,
  user,
  x,
  z,
} from "./envelopes.ts";
import { nobody, type Story } from "./forwarding-story.ts";

const imported: Story[] = [
  {
    tells: "U reassigned to X, who received U's id, in an event with recipient ids only",
    listed: [carbonCopy(u, { recipientId: "2" }), recipient(x, { recipientId: "1" })],
    events: [forwarding(nobody, nobody, "1", "2")],
  },
  {
    tells: "Z forwarded to U, who also signs, in two events, one of which does not name Z",
    listed: [recipient(u, { recipientId: "2" }), recipient(u, { recipientId: "3" })],
    events: [forwarding(z, u), forwarding(nobody, u)],
  },
  {
    tells: "U reassigned to X and is listed as a carbon copy",
    listed: [carbonCopy(u), recipient(x)],
    events: [forwarding(u, x)],
  },
  { tells: "U reassigned to X and is no longer listed", listed: [recipient(x)], events: [forwarding(u, x)] },
  {
    tells: "U reassigned to X, who reassigned to U, who delegated to X; nobody is a carbon copy",
    listed: [
      recipient(u, { recipientId: "3", delegatedTo: [x] }),
      recipient(x, { recipientId: "4", delegatedBy: u }),
    ],
    events: [forwarding(u, x, "1", "2"), forwarding(x, u, "2", "3"), forwarding(u, x, "3", "4")],
  },
  {
    tells: "U reassigned to an unknown person",
    listed: [],
    events: [forwarding(u, nobody)],
  },
  { tells: "U delegated to X, in X's entry", listed: [recipient(x, { delegatedBy: u })] },
  { tells: "U delegated to X, in U's entry", listed: [recipient(u, { delegatedTo: [x] })] },
  {
    tells: "X forwarded to U, who is also a carbon copy",
    listed: [carbonCopy(x), recipient(u), carbonCopy(u)],
    events: [forwarding(x, u)],
  },
  {
    tells: "X delegated to U, who also signs in a place of their own",
    listed: [recipient(x), recipient(u, { delegatedBy: x }), recipient(u)],
  },
  {
    tells: "X delegated a signature to U, who is also an editor",
    listed: [recipient(x), recipient(u, { group: "editors" })],
    events: [forwarding(x, u)],
  },
  {
    tells: "X, who signs and is an agent, delegated the signature to U, who is also an editor",
    listed: [
      recipient(x, { recipientId: "1" }),
      recipient(x, { group: "agents" }),
      recipient(u, { group: "editors" }),
    ],
    events: [forwarding(x, u, "1")],
  },
  {
    tells: "X reassigned to U once, in two events, and U also signs in a place of their own",
    listed: [carbonCopy(x), recipient(u, { recipientId: "2" }), recipient(u, { recipientId: "3" })],
    events: [forwarding(x, u, "1", "2"), forwarding(x, u, "1", "2"), forwarding(x, u)],
  },
  {
    tells: "X reassigned to U, who passed it on and also signs in a place of their own",
    listed: [
      carbonCopy(x),
      recipient(u, { recipientId: "5" }),
      carbonCopy(u),
      recipient(z, { recipientId: "3" }),
    ],
    events: [forwarding(x, u, "1", "2"), forwarding(u, z, "2", "3")],
  },
  {
    tells: "U passed a place of their own to Z and holds one that X reassigned",
    listed: [carbonCopy(x), recipient(u, { recipientId: "2" }), recipient(z, { recipientId: "9" })],
    events: [forwarding(x, u, "7", "2"), forwarding(u, z, "1", "9")],
  },
  {
    tells: "U passed on both the place that X reassigned and a place of their own",
    listed: [carbonCopy(x), recipient(z), recipient(user("4"))],
    events: [forwarding(x, u), forwarding(u, z), forwarding(u, user("4"))],
  },
  {
    tells:
      "U passed on both the place that X reassigned, in an event with ids, and a place of their own, in one without",
    listed: [carbonCopy(x), recipient(z), recipient(user("4"))],
    events: [forwarding(x, u, "1", "2"), forwarding(u, z, "2", "3"), forwarding(u, user("4"))],
  },
  {
    tells: "U reassigned to X, who reassigned back to U",
    listed: [carbonCopy(u), carbonCopy(x), recipient(u)],
    events: [forwarding(u, x, "1", "2"), forwarding(x, u, "2", "3")],
  },
  {
    tells: "X forwarded to another user who shares U's address",
    listed: [carbonCopy(x), recipient(u), recipient({ ...z, email: u.email })],
    events: [forwarding(x, { ...z, email: u.email })],
  },
  {
    tells: "X forwarded to U's address, to a place that another user holds",
    listed: [
      carbonCopy(x),
      recipient(u, { recipientId: "1" }),
      recipient({ ...z, email: u.email }, { recipientId: "2" }),
    ],
    events: [forwarding(x, { userId: null, email: u.email }, "3", "2")],
  },
  {
    tells: "X forwarded to Z, and U is also listed",
    listed: [carbonCopy(x), recipient(z), recipient(u)],
    events: [forwarding(x, z)],
  },
  {
    tells: "U took the place of U",
    listed: [recipient(u, { delegatedBy: u, delegatedTo: [u] })],
    events: [forwarding(u, u)],
  },
  {
    tells: "a delegation names nobody",
    listed: [
      recipient(u, {
        delegatedBy: { userId: null, email: "" },
        delegatedTo: [nobody],
      }),
    ],
  },
  {
    tells: "a forwarding names nobody who is listed",
    listed: [recipient(u, { recipientId: "1" })],
    events: [forwarding(nobody, nobody, "8", "9")],
  },
  {
    tells: "X forwarded to U in an event, but U is listed as a carbon copy only",
    listed: [carbonCopy(x), carbonCopy(u)],
    events: [forwarding(x, u)],
  },
];

for (const { tells, listed, events } of imported) {
  test(`received: ${tells}`, () => {
    assert.equal(decide(sentFrom(accountB, { recipients: listed }), link(), events), "import: received");
  });
}

test("an envelope that the account sent is imported even if the linked user got it only by forwarding", () => {
  const about = sentFrom(accountA, { recipients: [recipient(u, { delegatedBy: x })] });

  assert.equal(decide(about), "import: sent");
});

test("a forwarding between other people says nothing about the linked user", () => {
  const about = sentFrom(accountB, { recipients: [carbonCopy(x), recipient(z)] });

  assert.equal(decide(about, link(), [forwarding(x, z)]), "exclude: not-ours");
});

test("while the recipients are unknown, forwardings alone decide nothing", () => {
  const about = sentFrom(accountB, { recipients: null });

  assert.equal(decide(about, link(), [forwarding(u, x)]), "undecided: recipients-unknown");
});
