import assert from "node:assert/strict";
import { test } from "node:test";
import { openDocuSignAccount } from "../../../src/docusign/api/account.ts";
import { type AccountId, type EnvelopeId, parseUuid, type UserId } from "../../../src/domain/identifiers.ts";
import { docusignSchema } from "../../support/docusign/schema.ts";
import { type Received, type Reply, startServer } from "../http-server.ts";

const ACCOUNT = uuid<AccountId>("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa");
const ENVELOPE = uuid<EnvelopeId>("3f2504e0-4f89-41d3-9a0c-0305e82c3301");
const USER = uuid<UserId>("11111111-1111-4111-8111-111111111111");
const NOW = new Date("2026-04-01T00:10:00Z");
const CONFIGURATION = {
  id: null,
  name: "torikomi",
  url: "https://torikomi.example/connect/1",
  enabled: true,
} as const;

/** Replaces ids in paths by the path parameters of DocuSign's description. */
const PLACES: readonly (readonly [part: RegExp, place: string])[] = [
  [/^\/restapi/, ""],
  [new RegExp(ACCOUNT), "{accountId}"],
  [/envelopes\/[0-9a-f-]{36}/, "envelopes/{envelopeId}"],
  [/documents\/\d+/, "documents/{documentId}"],
  [/connect\/\d+/, "connect/{connectId}"],
  [/users\/[0-9a-f-]{36}/, "users/{userId}"],
];

const ANSWERS: Readonly<Record<string, Reply>> = {
  "GET /v2.1/accounts/{accountId}/envelopes": {
    body: {
      envelopes: [{ envelopeId: ENVELOPE, status: "completed" }],
      totalSetSize: "1",
      resultSetSize: "1",
    },
  },
  "GET /v2.1/accounts/{accountId}/envelopes/{envelopeId}": {
    body: { envelopeId: ENVELOPE, status: "completed", completedDateTime: "2026-03-31T15:00:00.0170000Z" },
  },
  "GET /v2.1/accounts/{accountId}/envelopes/{envelopeId}/recipients": {
    body: { signers: [{ recipientId: "1", userId: USER, email: "x@example.jp", name: "x" }] },
  },
  "GET /v2.1/accounts/{accountId}/envelopes/{envelopeId}/documents": {
    body: {
      envelopeId: ENVELOPE,
      envelopeDocuments: [{ documentId: "1", name: "契約書.pdf", type: "content" }],
    },
  },
  "GET /v2.1/accounts/{accountId}/envelopes/{envelopeId}/documents/{documentId}": (response) => {
    response.writeHead(200, { "content-type": "application/pdf" });
    response.end("%PDF-1.7\n");
  },
  "GET /v2.1/accounts/{accountId}/users/{userId}": {
    body: { userId: USER, isAdmin: "True", userStatus: "Active", permissionProfileName: "DS Admin" },
  },
  "GET /v2.1/accounts/{accountId}/connect": { body: { configurations: [], totalRecords: "0" } },
  "POST /v2.1/accounts/{accountId}/connect": { status: 201, body: { connectId: "7", name: "torikomi" } },
  "PUT /v2.1/accounts/{accountId}/connect": { body: { connectId: "7", name: "torikomi" } },
  "DELETE /v2.1/accounts/{accountId}/connect/{connectId}": { status: 200 },
};

test("every call is part of DocuSign's API description, and its described responses are understood", async () => {
  const schema = docusignSchema();
  await using server = await startServer(
    (received) => ANSWERS[callOf(received)] ?? assert.fail(received.path),
  );
  const account = openDocuSignAccount({
    baseUri: server.url,
    accountId: ACCOUNT,
    accessToken: async () => "token",
    now: () => NOW,
  });

  await account.getEnvelope(ENVELOPE);
  const page = { from: new Date(0), to: NOW, startPosition: 0, count: 1_000, receivedOnly: false };
  await account.listCompleted(page);
  await account.listCompleted({ ...page, startPosition: 1_000, receivedOnly: true });
  await account.getUser(USER);
  await account.createConnectConfiguration({ ...CONFIGURATION, type: "custom", userIds: [] });
  await account.createConnectConfiguration({ ...CONFIGURATION, type: "customrecipient", userIds: [USER] });
  await account.updateConnectConfiguration({ ...CONFIGURATION, id: "7", type: "custom", userIds: [] });
  await account.listConnectConfigurations();
  await account.deleteConnectConfiguration("7");
  await Array.fromAsync(await account.downloadDocument(ENVELOPE, "1"));

  const problems = server.received.flatMap((received) => {
    const [method = "", path = ""] = callOf(received).split(" ");
    const body: unknown = received.body === "" ? undefined : JSON.parse(received.body);
    return schema
      .requestProblems(path, method, received.query, body)
      .map((one) => `${method} ${path}: ${one}`);
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(new Set(server.received.map(callOf)), new Set(Object.keys(ANSWERS)));
  for (const [call, reply] of Object.entries(ANSWERS)) {
    const [method = "", path = ""] = call.split(" ");
    if (typeof reply === "function") continue;
    assert.deepEqual(schema.answerProblems(path, method, reply.status ?? 200, reply.body), [], call);
  }
});

function callOf({ method, path }: Received): string {
  return `${method} ${PLACES.reduce((text, [part, place]) => text.replace(part, place), path)}`;
}

function uuid<Id extends AccountId | EnvelopeId | UserId>(text: string): Id {
  return parseUuid<Id>(text) ?? assert.fail(text);
}
