import assert from "node:assert/strict";
import { test } from "node:test";
import { listTransfers } from "../../src/domain/forwarding.ts";
import { assertLinear } from "../support/cpu-time.ts";
import {
  accountB,
  carbonCopy,
  decide,
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
import { nobody, type Story } from "./forwarding-story.ts";

const GUID_2 = "ABCDEF00-0000-4000-9000-000000000002";

const excluded: Story[] = [
  {
    tells: "Z's place went to U, on to X and back to U, under one id",
    listed: [
      carbonCopy(z, { recipientId: "1" }),
      carbonCopy(u, { recipientId: "3" }),
      carbonCopy(x, { recipientId: "4" }),
      recipient(u, { recipientId: "2" }),
    ],
    events: [forwarding(z, u, "1", "2"), forwarding(u, x, "2", "2"), forwarding(x, u, "2", "2")],
  },
  {
    tells: "Z's place went to U, on to X and back to U, under one id with spaces around it",
    listed: [
      carbonCopy(z, { recipientId: "1" }),
      carbonCopy(u, { recipientId: "3" }),
      carbonCopy(x, { recipientId: "4" }),
      recipient(u, { recipientId: "2" }),
    ],
    events: [forwarding(z, u, "1 ", " 2"), forwarding(u, x, " 2 ", " 2"), forwarding(x, u, " 2 ", " 2")],
  },
  {
    tells: "X delegated a signer's place to U and reassigned an agent's",
    listed: [
      recipient(x, { recipientId: "1" }),
      recipient(x, { recipientId: "4", group: "agents" }),
      recipient(u, { recipientId: "2", delegatedBy: x }),
      recipient(u, { recipientId: "3", group: "agents" }),
    ],
    events: [forwarding(x, u, "4")],
  },
  {
    tells: "X forwarded two places to U, one of which both its entry and an event report",
    listed: [
      recipient(x, { recipientId: "1" }),
      recipient(x, { recipientId: "4" }),
      recipient(u, { recipientId: "2" }),
      recipient(u, { recipientId: "3", delegatedBy: x }),
    ],
    events: [forwarding(x, u, "1"), forwarding(x, u, "4", "3")],
  },
  {
    tells: "Z forwarded to U, who forwarded to X, in two events, one of which does not name X",
    listed: [carbonCopy(u), recipient(x)],
    events: [forwarding(z, u), forwarding(u, x), forwarding(u, nobody)],
  },
  {
    tells: "Z forwarded to U by address, in two events, one of which does not name U",
    listed: [carbonCopy(z), recipient(u)],
    events: [forwarding(z, { userId: null, email: u.email }), forwarding(z, nobody)],
  },
  {
    tells: "an address that U and X share delegated to U, in U's entry",
    listed: [
      recipient({ ...x, email: u.email }),
      recipient(u, { delegatedBy: { userId: null, email: u.email } }),
    ],
  },
  { tells: "X delegated to U, in U's entry", listed: [recipient(x), recipient(u, { delegatedBy: x })] },
  {
    tells: "X delegated to U, in X's entry",
    listed: [recipient(x, { delegatedTo: [u] }), recipient(u)],
  },
  {
    tells: "X delegated to U, in both entries and an event",
    listed: [recipient(x, { delegatedTo: [u] }), recipient(u, { delegatedBy: x })],
    events: [forwarding(x, u)],
  },
  {
    tells: "X delegated to U, in an event",
    listed: [recipient(x), recipient(u)],
    events: [forwarding(x, u)],
  },
  {
    tells: "X reassigned to U and is listed as a carbon copy",
    listed: [carbonCopy(x), recipient(u)],
    events: [forwarding(x, u)],
  },
  {
    tells: "X reassigned to U and is no longer listed",
    listed: [recipient(u, { group: "agents" })],
    events: [forwarding(x, u)],
  },
  {
    tells: "X reassigned to U, whose place is identified by its recipient id",
    listed: [carbonCopy(x), carbonCopy(u, { recipientId: "2" })],
    events: [forwarding(x, u, "1", "2")],
  },
  {
    tells: "X reassigned to U, whose place is identified by its GUID in different case",
    listed: [carbonCopy(x), carbonCopy(u, { recipientId: "2", recipientGuid: GUID_2 })],
    events: [forwarding(x, u, undefined, GUID_2.toLowerCase())],
  },
  {
    tells: "X reassigned to U, in an event with recipient ids only",
    listed: [carbonCopy(x, { recipientId: "1" }), recipient(u, { recipientId: "2" })],
    events: [forwarding(nobody, nobody, "1", "2")],
  },
  {
    tells: "X reassigned to U, who received X's id, in an event with recipient ids only",
    listed: [carbonCopy(x, { recipientId: "2" }), recipient(u, { recipientId: "1" })],
    events: [forwarding(nobody, nobody, "1", "2")],
  },
  {
    tells: "X, a carbon copy, reassigned to U, in an event with recipient ids only",
    listed: [carbonCopy(x, { recipientId: "1" }), carbonCopy(u, { recipientId: "2" })],
    events: [forwarding(nobody, nobody, "1", "2")],
  },
  {
    tells:
      "a person who is no longer listed reassigned a carbon copy's place to U, in an event with ids only",
    listed: [carbonCopy(u, { recipientId: "2" })],
    events: [forwarding(nobody, nobody, "1", "2")],
  },
  {
    tells: "X reassigned to U, in an event that names both, whatever happened to X and U since",
    listed: [recipient(x, { recipientId: "1" }), carbonCopy(u, { recipientId: "2" })],
    events: [forwarding(x, u, "1", "2")],
  },
  {
    tells: "X reassigned to U, in an event that names X only, whatever happened to X and U since",
    listed: [recipient(x, { recipientId: "1" }), carbonCopy(u, { recipientId: "2" })],
    events: [forwarding(x, nobody, "1", "2")],
  },
  {
    tells: "an unknown person reassigned to U, who received the same recipient id",
    listed: [recipient(u, { recipientId: "1" })],
    events: [forwarding(nobody, u, "1", "1")],
  },
  {
    tells:
      "an unknown person reassigned to U, who received the recipient id that the event gives as the giver's",
    listed: [recipient(u, { recipientId: "1" })],
    events: [forwarding(nobody, u, "1")],
  },
  {
    tells: "X, known by address only, delegated to U, known by address only",
    listed: [
      recipient({ userId: null, email: x.email }),
      recipient(u, { delegatedBy: { userId: null, email: x.email.toUpperCase() } }),
    ],
  },
  {
    tells: "X and Z both delegated to U",
    listed: [recipient(x), recipient(z), recipient(u, { delegatedBy: x }), recipient(u, { delegatedBy: z })],
  },
  {
    tells: "X reassigned two places to U",
    listed: [carbonCopy(x), carbonCopy(x), recipient(u), recipient(u)],
    events: [forwarding(x, u, "1"), forwarding(x, u, "2")],
  },
  {
    tells: "X reassigned to U, and Z, an agent, delegated to U, in any order of the events",
    listed: [
      carbonCopy(x),
      recipient(z, { group: "agents" }),
      recipient(u, { group: "agents" }),
      recipient(u),
    ],
    events: [forwarding(x, u), forwarding(z, u)],
  },
  {
    tells: "X reassigned to U, who reassigned to Z and is a carbon copy for it",
    listed: [carbonCopy(x), carbonCopy(u), recipient(z)],
    events: [forwarding(u, z), forwarding(x, u)],
  },
  {
    tells: "X reassigned to U, who reassigned to Z and is no longer listed",
    listed: [recipient(z)],
    events: [forwarding(x, u, "1", "2"), forwarding(u, z, "2", "3")],
  },
  {
    tells:
      "X and U reassigned one place to each other, until U reassigned it to Z, all with one recipient id",
    listed: [carbonCopy(x), carbonCopy(u), carbonCopy(x), carbonCopy(u), recipient(z, { recipientId: "2" })],
    events: [
      forwarding(x, u, "1", "2"),
      forwarding(u, x, "2", "2"),
      forwarding(x, u, "2", "2"),
      forwarding(u, z, "2", "2"),
    ],
  },
  {
    tells: "X reassigned to U, who reassigned to Z, one event with a GUID and one with a number",
    listed: [carbonCopy(x), recipient(z)],
    events: [forwarding(x, u, undefined, GUID_2), forwarding(u, z, "2", "3")],
  },
  {
    tells:
      "an unknown person reassigned to U, and X, a signer, delegated to an unknown person, maybe in the same act",
    listed: [recipient(x), recipient(u, { group: "editors" })],
    events: [forwarding(nobody, u), forwarding(x, nobody)],
  },
  {
    tells: "X delegated to U, who delegated to Z",
    listed: [
      recipient(x, { delegatedTo: [u] }),
      recipient(u, { delegatedBy: x, delegatedTo: [z] }),
      recipient(z, { delegatedBy: u }),
    ],
  },
  {
    tells: "X delegated to U, who delegated to two others",
    listed: [
      recipient(u, { delegatedBy: x }),
      recipient(z, { delegatedBy: u }),
      recipient(user("4"), { delegatedBy: u }),
    ],
  },
  {
    tells: "X delegated to U, who delegated one place to two others, in U's entry",
    listed: [recipient(u, { delegatedBy: x, delegatedTo: [z, user("4")] })],
  },
  {
    tells: "X delegated to U, who reassigned to Z",
    listed: [recipient(x, { delegatedTo: [u] }), carbonCopy(u), recipient(z)],
    events: [forwarding(x, u, "1", "2"), forwarding(u, z, "2", "3")],
  },
  {
    tells: "U is not listed, but X forwarded to U",
    listed: [carbonCopy(x)],
    events: [forwarding(x, u)],
  },
];

for (const { tells, listed, events } of excluded) {
  test(`not received, only forwarded: ${tells}`, () => {
    const about = sentFrom(accountB, { recipients: listed });

    assert.equal(decide(about, link(), events), "exclude: forwarded-to-user");
  });
}

test("a forwarding reported both by U's id and by some address is recognized by the id", () => {
  const about = sentFrom(accountB, { recipients: [carbonCopy(z), recipient({ ...u, email: null })] });
  const events = [
    forwarding(z, { ...u, email: null }),
    forwarding(z, { userId: null, email: "shared@example.com" }),
  ];

  assert.equal(decide(about, link({ userEmail: null }), events), "exclude: forwarded-to-user");
});

test("the facts show who forwarded to the linked user, and to whom the linked user forwarded", () => {
  const about = sentFrom(accountB, {
    recipients: [recipient(u, { group: "agents", delegatedBy: x }), recipient(z, { delegatedBy: u })],
  });

  const { facts } = judge(about);

  assert.deepEqual(facts.matched, [
    { group: "agents", by: "user-id", forwarded: true, forwardedFrom: x.userId },
  ]);
  assert.deepEqual(facts.forwardedTo, [z.userId]);
});

test("the facts omit a delegation that names nobody", () => {
  const about = sentFrom(accountB, { recipients: [recipient(u, { delegatedTo: [nobody] })] });

  assert.deepEqual(judge(about).facts.forwardedTo, []);
});

test("6,000 delegations, listed by giver and taker, take linear time", () => {
  assertLinear(6_000, (size) => {
    const delegates = Array.from({ length: size / 2 }, (_, index) => user(String(index + 10)));
    const recipients = [
      recipient(x, { delegatedTo: delegates }),
      ...delegates.map((delegate) => recipient(delegate, { delegatedBy: x })),
    ];
    return () => assert.equal(listTransfers(recipients, []).length, delegates.length);
  });
});
