import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Envelope } from "../../src/domain/envelope.ts";
import {
  accountA,
  accountB,
  COMPLETED_AT,
  contentDocument,
  decide,
  judge,
  link,
  recipient,
  sentFrom,
  u,
  x,
} from "./envelopes.ts";

const late = new Date(COMPLETED_AT.getTime() + 1);
const toUser = { recipients: [recipient(u)] };
const toOthers = { recipients: [recipient(x)] };
const toUnknown = { recipients: null };

const cases: { about: Envelope; starts?: Parameters<typeof link>[0]; is: string; when: string }[] = [
  { when: "sender unknown, received", about: sentFrom(null, toUser), is: "import: received" },
  {
    when: "sender unknown, received by others",
    about: sentFrom(null, toOthers),
    is: "undecided: sender-unknown",
  },
  {
    when: "sender unknown, received too early",
    about: sentFrom(null, toUser),
    starts: { receivedFrom: late },
    is: "undecided: sender-unknown",
  },
  {
    when: "sender unknown but too early to be imported as sent, received by others",
    about: sentFrom(null, toOthers),
    starts: { sentFrom: late },
    is: "exclude: before-window",
  },
  { when: "recipients unknown, sent", about: sentFrom(accountA, toUnknown), is: "import: sent" },
  {
    when: "recipients unknown, sent by others",
    about: sentFrom(accountB, toUnknown),
    is: "undecided: recipients-unknown",
  },
  {
    when: "recipients unknown, sent too early",
    about: sentFrom(accountA, toUnknown),
    starts: { sentFrom: late },
    is: "undecided: recipients-unknown",
  },
  {
    when: "recipients unknown but too early for either",
    about: sentFrom(accountA, toUnknown),
    starts: { sentFrom: late, receivedFrom: late },
    is: "exclude: before-window",
  },
  {
    when: "sender and recipients unknown",
    about: sentFrom(null, toUnknown),
    is: "undecided: sender-unknown",
  },
  {
    when: "completion unknown, ours without windows",
    about: sentFrom(accountA, { ...toUser, completedAt: null }),
    is: "undecided: completion-unknown",
  },
  {
    when: "completion unknown, ours with windows",
    about: sentFrom(accountA, { ...toUser, completedAt: null }),
    starts: { sentFrom: late, receivedFrom: late },
    is: "undecided: completion-unknown",
  },
  {
    when: "completion unknown, not ours",
    about: sentFrom(accountB, { ...toOthers, completedAt: null }),
    is: "exclude: not-ours",
  },
  {
    when: "documents unknown, ours",
    about: sentFrom(accountA, { documents: null }),
    is: "undecided: documents-unknown",
  },
  {
    when: "documents unknown, not ours",
    about: sentFrom(accountB, { ...toOthers, documents: null }),
    is: "exclude: not-ours",
  },
  {
    when: "documents unknown, too early",
    about: sentFrom(accountA, { documents: null }),
    starts: { sentFrom: late },
    is: "exclude: before-window",
  },
];

for (const { when, about, starts, is } of cases) {
  test(`${when}: ${is}`, () => {
    assert.equal(decide(about, link(starts)), is);
  });
}

const moments = fc.constantFrom(COMPLETED_AT, late);
const senders = fc.constantFrom(accountA, accountB);
const receivers = fc.constantFrom([recipient(u)], [recipient(x)], []);
const documentLists = fc.constantFrom([contentDocument("1")], []);
const purgeStates = fc.constantFrom("unpurged", "documents_purged");
const starts = fc.option(moments, { nil: null });

test("a decision made with unknown facts stays the same when all facts are known", () => {
  const hidden = fc.record({
    sender: fc.boolean(),
    recipients: fc.boolean(),
    completedAt: fc.boolean(),
    documents: fc.boolean(),
  });
  const whole = fc.record({
    sender: senders,
    recipients: receivers,
    completedAt: moments,
    documents: documentLists,
    purgeState: purgeStates,
  });
  fc.assert(
    fc.property(whole, hidden, starts, starts, ({ sender, ...all }, hide, sentStart, receivedStart) => {
      const by = link({ sentFrom: sentStart, receivedFrom: receivedStart });
      const known = sentFrom(hide.sender ? null : sender, {
        ...all,
        ...(hide.recipients && { recipients: null }),
        ...(hide.completedAt && { completedAt: null }),
        ...(hide.documents && { documents: null }),
      });

      const [kind] = decide(known, by).split(":");

      if (kind === "undecided") return;
      assert.equal(decide(sentFrom(sender, all), by).split(":")[0], kind);
    }),
    { numRuns: 1000 },
  );
});

test("an undecided envelope could be decided either way", () => {
  const gaps = [
    { gap: sentFrom(null, toOthers), fills: [sentFrom(accountA, toOthers), sentFrom(accountB, toOthers)] },
    { gap: sentFrom(accountB, toUnknown), fills: [sentFrom(accountB, toUser), sentFrom(accountB, toOthers)] },
    {
      gap: sentFrom(accountA, { documents: null }),
      fills: [sentFrom(accountA), sentFrom(accountA, { documents: [] })],
    },
  ];
  for (const { gap, fills } of gaps) {
    const kinds = [gap, ...fills].map((about) => decide(about).split(":")[0]);

    assert.deepEqual(kinds, ["undecided", "import", "exclude"]);
  }
});

test("without a completion time it is unknown on which side of a start an envelope lies", () => {
  const about = sentFrom(accountA, { ...toUser, completedAt: null });

  const { facts } = judge(about, link({ sentFrom: late }));

  assert.deepEqual(facts.qualifies, { sent: null, received: true });
});
