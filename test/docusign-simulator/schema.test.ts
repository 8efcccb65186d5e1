import assert from "node:assert/strict";
import { test } from "node:test";
import { docusignSchema } from "../support/docusign/schema.ts";
import { addressOf, openApi, startSimulator } from "./client.ts";

const ENVELOPES = "/v2.1/accounts/{accountId}/envelopes";

test("answers that DocuSign would not send are detected", () => {
  const schema = docusignSchema();
  const problems = (body: unknown): string => schema.answerProblems(ENVELOPES, "GET", 200, body).join("\n");

  assert.equal(problems({ totalSetSize: "3", envelopes: [{ status: "completed", anySigner: null }] }), "");
  assert.match(problems({ totalSetSize: 3 }), /\/totalSetSize must be string/);
  assert.match(problems({ envelopes: [{ satus: "completed" }] }), /\/envelopes\/0 .*satus/);
  assert.match(
    problems({ envelopes: [{ recipients: { signers: [{ routingOrder: 1 }] } }] }),
    /routingOrder must be string/,
  );
  assert.match(problems({ envelopes: [{ recipients: { soothsayers: [{ mail: "x" }] } }] }), /mail/);
  assert.match(schema.answerProblems(ENVELOPES, "GET", 401, { error: "x" }).join(), /error/);
});

test("a wrong answer of the simulator itself fails the test", async () => {
  await using simulator = await startSimulator();
  const account = simulator.addAccount();
  const from = simulator.addUser(account, { name: "山田", role: "DS Admin" });
  const api = await openApi(simulator, account, from);
  const envelope = await simulator.sendEnvelope({ from });
  Object.assign(envelope, { subject: 12 });

  await api(`/envelopes/${envelope.envelopeId}`);

  assert.throws(
    () => simulator.assertNoProblems(),
    /answer to GET \/envelopes\/\{envelopeId\}: \/emailSubject must be string/,
  );
});

test("nothing is held against the description where validation is switched off", async () => {
  await using simulator = await startSimulator({ validate: false });
  const account = simulator.addAccount();
  const from = simulator.addUser(account, { name: "山田", role: "DS Admin" });
  const api = await openApi(simulator, account, from);
  const envelope = await simulator.sendEnvelope({ from });
  Object.assign(envelope, { subject: 12 });

  const { status } = await api(`/envelopes/${envelope.envelopeId}`);

  assert.equal(status, 200);
  simulator.assertNoProblems();
});

test("requests that the simulator does not know fail the test", async () => {
  await using simulator = await startSimulator();
  const account = simulator.addAccount();
  const api = await openApi(
    simulator,
    account,
    simulator.addUser(account, { name: "山田", role: "DS Admin" }),
  );

  const statuses = [
    (await api("/templates")).status,
    (await api("/envelopes", { method: "POST", body: {} })).status,
    (await api("/connect?verbose=true")).status,
    (await fetch(`${simulator.url}/somewhere`)).status,
    (await fetch(addressOf(simulator, account, "/connect"), { headers: { authorization: "Bearer forged" } }))
      .status,
    (await fetch(addressOf(simulator, account, "/connect"))).status,
  ];

  assert.deepEqual(statuses, [501, 501, 501, 501, 401, 401]);
  assert.throws(() => simulator.assertNoProblems(), /DocuSign was misused/);
  const problems = simulator.takeProblems();
  assert.equal(problems.length, 6);
  assert.match(problems.join("\n"), /unknown request: GET \/somewhere/);
  assert.match(problems.join("\n"), /unknown query parameter verbose/);
  assert.match(problems.join("\n"), /an access token that was never issued/);
  simulator.assertNoProblems();
});

test("calls are recorded with template, account, moment and status", async () => {
  await using simulator = await startSimulator();
  const account = simulator.addAccount();
  const api = await openApi(
    simulator,
    account,
    simulator.addUser(account, { name: "山田", role: "DS Admin" }),
  );

  await api("/connect/1");
  await api("/connect/2");

  const calls = simulator.callsTo("/connect/{connectId}");
  assert.deepEqual(
    calls.map(({ method, status, accountId }) => [method, status, accountId]),
    [
      ["GET", 404, account.accountId],
      ["GET", 404, account.accountId],
    ],
  );
  assert.ok(calls[0]?.path.endsWith("/connect/1"));
  assert.equal(simulator.callsTo("/oauth/token").length, 1);
});
