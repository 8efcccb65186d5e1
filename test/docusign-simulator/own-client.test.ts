import assert from "node:assert/strict";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { type DocuSignAccount, openDocuSignAccount } from "../../src/docusign/api/account.ts";
import { createDocuSignOAuth } from "../../src/docusign/oauth.ts";
import { type AccountId, type EnvelopeId, parseUuid, type UserId } from "../../src/domain/identifiers.ts";
import { challengeOf } from "../support/docusign/oauth.ts";
import type { DocuSignSimulator } from "../support/docusign/simulator.ts";
import type { User } from "../support/docusign/state.ts";
import { RETURN_ADDRESS, startSimulator } from "./client.ts";

async function openAccount(simulator: DocuSignSimulator, user: User): Promise<DocuSignAccount> {
  const oauth = createDocuSignOAuth({
    oauthUrl: simulator.url,
    clientId: "key",
    clientSecret: "secret",
    redirectUri: RETURN_ADDRESS,
  });
  const codeVerifier = "a verifier of forty-three characters at the least";
  const address = oauth.authorizationUrl({ state: "s", codeChallenge: challengeOf(codeVerifier) });
  const returned = new URL(await simulator.authorize(address, user));
  const tokens = await oauth.exchangeCode({ code: returned.searchParams.get("code") ?? "", codeVerifier });
  const { accessToken } = await oauth.refresh(tokens.refreshToken);
  const { accounts } = await oauth.getUserInfo(accessToken);
  const { baseUri, accountId } = accounts.find(({ isDefault }) => isDefault) ?? assert.fail();
  return openDocuSignAccount({ baseUri, accountId, accessToken: async () => accessToken });
}

function id<Id extends AccountId | EnvelopeId | UserId>(text: string): Id {
  return parseUuid<Id>(text) ?? assert.fail();
}

test("the service's own client reads everything, and asks for nothing that DocuSign does not know", async () => {
  await using simulator = await startSimulator();
  const account = simulator.addAccount();
  const admin = simulator.addUser(account, { name: "山田", role: "DS Admin" });
  const documents = [{ name: "覚書.docx" }];
  const concluded = await simulator.concludeEnvelope({
    from: admin,
    to: [admin],
    documents,
    subject: "覚書の件",
  });
  const docusign = await openAccount(simulator, admin);
  const envelopeId = id<EnvelopeId>(concluded.envelopeId);

  const envelope = await docusign.getEnvelope(envelopeId);
  const query = { from: new Date(0), to: new Date("2026-04-01"), startPosition: 0, count: 1000 };
  const sent = await docusign.listCompleted({ ...query, receivedOnly: false });
  const received = await docusign.listCompleted({ ...query, receivedOnly: true });
  const user = await docusign.getUser(id<UserId>(admin.userId));
  const bytes = await buffer(await docusign.downloadDocument(envelopeId, "1"));

  assert.deepEqual([envelope.status, envelope.subject], ["completed", "覚書の件"]);
  assert.deepEqual(
    envelope.documents?.map(({ name, type }) => [name, type]),
    [
      ["覚書.docx", "content"],
      ["Summary", "summary"],
    ],
  );
  assert.deepEqual([sent.envelopes, received.envelopes], [[envelope], [envelope]]);
  assert.deepEqual([user.isAdmin, user.accountWideAccess, user.profileName], [true, true, "DS Admin"]);
  assert.match(bytes.toString("latin1"), /^%PDF-/);
  simulator.assertNoProblems();
});

test("the service's own client makes, finds, restores and removes Connect configurations", async () => {
  await using simulator = await startSimulator();
  const account = simulator.addAccount();
  const admin = simulator.addUser(account, { name: "山田", role: "DS Admin" });
  const docusign = await openAccount(simulator, admin);
  const url = "https://torikomi.example/connect/1";
  const userIds = [id<UserId>(admin.userId)];

  const made = await docusign.createConnectConfiguration({
    id: null,
    type: "customrecipient",
    name: "torikomi",
    url,
    enabled: true,
    userIds,
  });
  simulator.changeConfiguration(account, made.id ?? "", { allowEnvelopePublish: "false" });
  const [changed] = await docusign.listConnectConfigurations();
  await docusign.updateConnectConfiguration(made);
  const [restored] = await docusign.listConnectConfigurations();
  await docusign.deleteConnectConfiguration(made.id ?? "");

  assert.equal(changed?.intact, false);
  assert.deepEqual(restored, { ...made, isPaused: false, disabledBy: null, intact: true });
  assert.deepEqual(simulator.configurations(account), []);
  simulator.assertNoProblems();
});
