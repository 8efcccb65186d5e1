import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConnectMessage } from "../../../src/docusign/connect/connect-message.ts";
import { readEnvelope } from "../../../src/docusign/wire/answers.ts";
import { simMessage } from "../../support/docusign/connect-message.ts";
import { createEnvelopeVerbs } from "../../support/docusign/envelope-verbs.ts";
import { createPeople } from "../../support/docusign/people.ts";
import { createDocuSignState } from "../../support/docusign/state.ts";
import { fixture } from "../fixtures.ts";

const ENVELOPE = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
const ACCOUNT = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const X = "22222222-2222-4222-8222-222222222222";
const U = "33333333-3333-4333-8333-333333333333";

/** DocuSign's own example, which contains every possible field. */
function example(): any {
  return JSON.parse(fixture("connect-sim-example.json").toString());
}

test("the envelope of the official example is read, with every recipient group in it", () => {
  const { envelopeSummary } = example().data;
  const { recipients } = envelopeSummary;
  Object.assign(envelopeSummary, {
    envelopeId: ENVELOPE,
    status: "Completed",
    completedDateTime: "2026-03-31T15:00:00.0177631Z",
    sender: { ...envelopeSummary.sender, accountId: ACCOUNT, userId: X, email: "x@example.jp" },
  });
  for (const [, rows] of groupsOf(recipients)) rows[0].userId = U.toUpperCase();

  const envelope = readEnvelope(envelopeSummary);

  assert.equal(envelope.id, ENVELOPE);
  assert.equal(envelope.status, "completed");
  assert.deepEqual(envelope.completedAt, new Date("2026-03-31T15:00:00.017Z"));
  assert.deepEqual(envelope.sender, { accountId: ACCOUNT, userId: X, email: "x@example.jp" });
  const shown = groupsOf(recipients).map(([group]) => group);
  const read = (envelope.recipients ?? []).filter(({ userId }) => userId === U).map(({ group }) => group);
  assert.deepEqual(read, shown);
  assert.equal(read.length, 9);
  const [document] = envelope.documents ?? [];
  assert.deepEqual([document?.documentId, document?.name, document?.type], ["1", "BlankDoc.txt", "content"]);
});

test("a reassignment in the official example is read", () => {
  const message = example();
  const { data } = message;
  const { signers, carbonCopies } = data.envelopeSummary.recipients;
  Object.assign(carbonCopies[0], { recipientId: "1", userId: X, email: "x@example.jp" });
  Object.assign(signers[0], { recipientId: "2", userId: U, email: "u@example.jp" });
  Object.assign(data, { envelopeId: ENVELOPE, recipientId: "1", reassignedRecipientId: "2" });
  message.event = "recipient-reassign";

  const read = parseConnectMessage(Buffer.from(JSON.stringify(message)));

  assert.deepEqual(read?.forwardings, [
    {
      from: { userId: X, email: "x@example.jp", recipientId: "1" },
      to: { userId: U, email: "u@example.jp", recipientId: "2" },
    },
  ]);
});

test("the simulator's messages contain only fields of the official example", async () => {
  const state = createDocuSignState(() => new Date("2026-03-31T15:20:00.540Z"));
  const people = createPeople(state);
  const from = people.addUser(people.addAccount(), { name: "山田", role: "DS Admin" });
  const verbs = createEnvelopeVerbs(state, async () => {});
  const groups = groupsOf(example().data.envelopeSummary.recipients);
  const to = groups.map(([group]) => ({ user: from, group }));
  const envelope = await verbs.concludeEnvelope({ from, to });

  const message = simMessage(state, envelope, {
    event: "recipient-reassign",
    includeData: ["recipients", "documents"],
    recipientId: "1",
    reassignedRecipientId: "2",
  });

  const unknown = unknownIn(JSON.parse(message.toString()), example(), "");
  assert.deepEqual(
    unknown.filter((path) => !SEEN.some((seen) => path.endsWith(seen))),
    [],
  );
});

/** Fields missing in the example that real messages or the API description have. */
const SEEN = [
  "/data/reassignedRecipientId",
  "/envelopeSummary/hasFormDataChanged",
  "/envelopeSummary/recipients/notaries",
  "/envelopeDocuments/uri",
  "/completedCount",
  "/recipientType",
];

function groupsOf(recipients: Record<string, any>): [group: string, rows: any[]][] {
  return Object.entries(recipients).filter(([, rows]) => Array.isArray(rows));
}

/** The paths of fields that the known value lacks; list entries are compared with the first known one. */
function unknownIn(value: unknown, known: any, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => unknownIn(one, known?.[0], path));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inside]) =>
    known !== undefined && name in known
      ? unknownIn(inside, known[name], `${path}/${name}`)
      : [`${path}/${name}`],
  );
}
