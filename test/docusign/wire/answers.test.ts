import assert from "node:assert/strict";
import { test } from "node:test";
import { DocuSignFault } from "../../../src/docusign/faults/faults.ts";
import { readDocuments, readEnvelope } from "../../../src/docusign/wire/answers.ts";
import { readParties } from "../../../src/docusign/wire/parties.ts";
import { readRecipients } from "../../../src/docusign/wire/recipients.ts";
import { fixture } from "../fixtures.ts";

const ENVELOPE = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";

function recorded(): object {
  const raw: unknown = JSON.parse(fixture("envelope.json").toString());
  assert.ok(typeof raw === "object" && raw !== null);
  return raw;
}

test("an envelope is read with all data that the rules need", () => {
  const envelope = readEnvelope(recorded());

  const { recipients, parties: _parties, documents, ...rest } = envelope;
  assert.deepEqual(rest, {
    id: ENVELOPE,
    status: "completed",
    completedAt: new Date("2026-03-31T15:00:00.017Z"),
    subject: "秘密保持契約 & 覚書",
    sender: {
      userId: "11111111-1111-4111-8111-111111111111",
      email: "taro@example.jp",
      accountId: "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
    },
    purgeState: "unpurged",
    isOnAnotherSite: false,
    groupMembers: [{ userId: null, email: "ko@example.jp" }],
  });
  assert.deepEqual(documents, [
    {
      documentId: "1",
      documentGuid: "7a1b2c3d-1111-4222-8333-444455556666",
      name: "契約書.docx",
      type: "content",
      pages: 2,
    },
    { documentId: "certificate", documentGuid: null, name: "Summary", type: "summary", pages: null },
  ]);
  assert.deepEqual(
    recipients?.map(({ group, recipientId }) => `${group} ${recipientId}`),
    ["signers 1", "signers 2", "inPersonSigners 3", "somethingNew 9"],
  );
});

test("delegations are read in either spelling", () => {
  const [hanako, legal] = readEnvelope(recorded()).recipients ?? [];

  assert.deepEqual(hanako?.delegatedBy, {
    userId: "55555555-5555-4555-8555-555555555555",
    email: "kacho@example.jp",
  });
  assert.deepEqual(legal?.delegatedTo, [{ userId: null, email: "dairi@example.jp" }]);
});

test("members of a signing group are not recipients, and the zero user id counts as none", () => {
  const legal = readEnvelope(recorded()).recipients?.[1];

  assert.deepEqual([legal?.userId, legal?.email], [null, null]);
});

test("the recipient of an in-person signing is the host", () => {
  const host = readEnvelope(recorded()).recipients?.[2];

  assert.deepEqual([host?.userId, host?.email], ["33333333-3333-4333-8333-333333333333", "host@example.jp"]);
});

test("the parties are shown with their names, and a signing in person with its signer", () => {
  const parties = readParties({
    sender: { userName: "佐藤 太郎", email: "taro@example.jp", userId: "x" },
    recipients: {
      signers: [
        {
          name: "山田 花子",
          email: "hanako@example.jp",
          signedDateTime: "2026-03-31T15:00:00.0170000Z",
          deliveredDateTime: "2026-03-31T14:00:00Z",
        },
        { signingGroupId: "7", signingGroupName: "法務部" },
      ],
      carbonCopies: [{ name: "写し", email: "cc@example.jp", deliveredDateTime: "2026-03-31T16:00:00Z" }],
      inPersonSigners: [
        {
          hostName: "案内役",
          hostEmail: "host@example.jp",
          signerName: "来客",
          name: "案内役の客",
          notaryHost: { name: "公証人", email: "notary@example.jp" },
        },
      ],
      witnesses: [{ name: "証人", signerEmail: "witness@example.jp", email: "other@example.jp" }],
      recipientCount: "5",
    },
  });

  const [first, group, copy, guest, notary, witness] = parties.recipients ?? [];
  assert.deepEqual(parties.sender, { name: "佐藤 太郎", email: "taro@example.jp" });
  assert.deepEqual(first, {
    name: "山田 花子",
    email: "hanako@example.jp",
    role: "signer",
    completedAt: new Date("2026-03-31T15:00:00.017Z"),
  });
  assert.deepEqual(group, { name: "法務部", email: null, role: "signer", completedAt: null });
  assert.deepEqual([copy?.role, copy?.completedAt], ["carbonCopy", new Date("2026-03-31T16:00:00Z")]);
  assert.deepEqual([guest?.name, guest?.email, guest?.role], ["来客", null, "inPersonSigner"]);
  assert.deepEqual([notary?.name, notary?.role], ["公証人", "notaryHost"]);
  assert.deepEqual([witness?.role, witness?.email], ["witness", "witness@example.jp"]);
});

test("unknown parties are null", () => {
  const unknown = { sender: null, recipients: null };

  assert.deepEqual(readParties({}), unknown);
  assert.deepEqual(readParties({ sender: { userName: "" }, recipients: { signers: [] } }), unknown);
  assert.deepEqual(readParties({ sender: "x", recipients: "y" }), unknown);
});

test("a notary who hosts a signing is a recipient in addition to the signer", () => {
  const raw = {
    inPersonSigners: [
      {
        recipientId: "1",
        email: "guest@example.jp",
        notaryHost: { recipientId: "2", email: "notary@example.jp" },
      },
    ],
  };

  const recipients = readRecipients(raw);

  assert.deepEqual(
    recipients?.map(({ group, email }) => `${group} ${email}`),
    ["inPersonSigners guest@example.jp", "notaryHosts notary@example.jp"],
  );
});

test("missing or empty lists are null, and so are documents if one of them has no id", () => {
  const bare = readEnvelope({ envelopeId: ENVELOPE, status: "sent" });
  const empty = readEnvelope({ envelopeId: ENVELOPE, status: "sent", recipients: {}, envelopeDocuments: [] });

  const nameless = readEnvelope({ envelopeId: ENVELOPE, status: "sent", envelopeDocuments: [{ name: "x" }] });

  assert.deepEqual([bare.recipients, bare.documents], [null, null]);
  assert.deepEqual([empty.recipients, empty.documents, nameless.documents], [null, null, null]);
  assert.deepEqual([bare.completedAt, bare.subject, bare.purgeState], [null, null, null]);
  assert.deepEqual(bare.sender, { userId: null, email: null, accountId: null });
});

test("optional fields of an undocumented type are ignored", () => {
  const envelope = readEnvelope({
    envelopeId: ENVELOPE,
    status: "completed",
    completedDateTime: 5,
    emailSubject: { text: "x" },
    sender: "me",
    recipients: { signers: [null, "x", { userId: 7, email: ["a"], delegatedTo: "x" }] },
    envelopeDocuments: [{ documentId: 3, name: null, pages: "12" }],
  });

  assert.deepEqual([envelope.completedAt, envelope.subject, envelope.recipients?.length], [null, null, 1]);
  assert.deepEqual(envelope.documents, [
    { documentId: "3", documentGuid: null, name: "3", type: "content", pages: 12 },
  ]);
});

for (const [what, pages, told] of [
  ["a number", "12", 12],
  ["a list of them", [{ pageId: "1" }, { pageId: "2" }], 2],
  ["an empty list", [], null],
  ["0", "0", null],
  ["not a number", "many", null],
] as const) {
  test(`a document whose pages are ${what} has ${told ?? "an unknown number of pages"}`, () => {
    const documents = readDocuments({ envelopeDocuments: [{ documentId: "1", pages }] });

    assert.equal(documents?.[0]?.pages, told);
  });
}

test("a certificate without a type is recognized by its id", () => {
  assert.equal(readDocuments({ envelopeDocuments: [{ documentId: "certificate" }] })?.[0]?.type, "summary");
});

test("names keep slashes, control characters and length, and only what PostgreSQL cannot store is replaced", () => {
  const name = `../契約\u202E書/${"あ".repeat(300)}`;
  const documents = readDocuments({
    envelopeDocuments: [
      { documentId: "1", name },
      { documentId: "2", name: "a\0b\uD800c" },
    ],
  });

  assert.deepEqual(
    documents?.map((document) => document.name),
    [name, "a\uFFFDb\uFFFDc"],
  );
});

test("purge states are kept", () => {
  const raw = { envelopeId: ENVELOPE, status: "completed", purgeState: "documents_and_metadata_purged" };

  assert.equal(readEnvelope(raw).purgeState, "documents_and_metadata_purged");
});

const UNREADABLE: Readonly<Record<string, unknown>> = {
  "that is not an object": "ok",
  null: null,
  "without an id": { status: "completed" },
  "with an id that is not a UUID": { envelopeId: "12", status: "completed" },
  "without a status": { envelopeId: ENVELOPE },
};

for (const [what, raw] of Object.entries(UNREADABLE)) {
  test(`an envelope ${what} is a fault`, () => {
    assert.throws(
      () => readEnvelope(raw),
      (error) =>
        error instanceof DocuSignFault && error.code === "unreadable-answer" && error.kind === "later",
    );
  });
}

test("the members of signing groups are read from every group of recipients", () => {
  const raw = (recipients: object) => readEnvelope({ envelopeId: ENVELOPE, status: "completed", recipients });
  const users = [
    { userName: "法務 花子", userId: "9c2a6e0a-7f5b-4b53-8f6e-6b1f0d1c2a3b", email: "hanako@example.com" },
    { userName: "nobody" },
    { email: "legal@example.com" },
  ];

  const { groupMembers } = raw({
    signers: [{ recipientId: "1", signingGroupId: "7", signingGroupUsers: users.slice(0, 2) }],
    carbonCopies: [{ recipientId: "2", signingGroupId: "8", signingGroupUsers: users.slice(2) }],
  });

  assert.deepEqual(groupMembers, [
    { userId: users[0]?.userId, email: "hanako@example.com" },
    { userId: null, email: "legal@example.com" },
  ]);
  assert.deepEqual(raw({ signers: [{ recipientId: "1", signingGroupId: "7" }] }).groupMembers, []);
  assert.equal(raw({ signers: [{ recipientId: "1", email: "a@example.com" }] }).groupMembers, null);
});

for (const [envelopeLocation, expected] of [
  ["current_site", false],
  ["not_specified", false],
  [undefined, false],
  ["NA3", true],
] as const) {
  test(`an envelope whose location is ${envelopeLocation} is ${expected ? "" : "not "}on another site`, () => {
    const raw = { envelopeId: ENVELOPE, status: "completed", envelopeLocation };

    assert.equal(readEnvelope(raw).isOnAnotherSite, expected);
  });
}
