import assert from "node:assert/strict";
import { test } from "node:test";
import { openApi, rowsOf, startSimulator } from "./client.ts";

const CONFIGURATION = {
  configurationType: "custom",
  urlToPublishTo: "https://torikomi.example/connect/1",
  name: "torikomi",
  allUsers: "true",
  allowEnvelopePublish: "true",
  deliveryMode: "SIM",
  requiresAcknowledgement: "true",
  includeHMAC: "true",
  integratorManaged: "true",
  eventData: { version: "restv2.1", includeData: ["recipients"] },
  events: ["envelope-completed", "recipient-reassign", "recipient-delegate"],
};

test("a configuration is made, listed, read, changed and deleted", async () => {
  await using simulator = await startSimulator();
  const account = simulator.addAccount();
  const api = await openApi(
    simulator,
    account,
    simulator.addUser(account, { name: "山田", role: "DS Admin" }),
  );

  const made = await api("/connect", { method: "POST", body: CONFIGURATION });
  const connectId = String(made.json["connectId"]);
  const changed = await api("/connect", {
    method: "PUT",
    body: { connectId, allowEnvelopePublish: "false" },
  });
  const read = await api(`/connect/${connectId}`);
  const listed = await api("/connect");
  const deleted = await api(`/connect/${connectId}`, { method: "DELETE" });
  const gone = await api(`/connect/${connectId}`);

  assert.equal(made.status, 201);
  assert.deepEqual(changed.json, { ...made.json, allowEnvelopePublish: "false" });
  assert.deepEqual(rowsOf(read.json["configurations"]), [changed.json]);
  assert.deepEqual(listed.json, { configurations: [changed.json], totalRecords: "1" });
  assert.deepEqual([deleted.status, gone.status], [200, 404]);
  assert.deepEqual(simulator.configurations(account), []);
  simulator.assertNoProblems();
});

test("Connect is refused to users without admin rights, to accounts without Connect, and on request of a test", async () => {
  await using simulator = await startSimulator();
  const account = simulator.addAccount({ recipientConnect: false });
  const poor = simulator.addAccount({ connect: false });
  const asAdmin = await openApi(
    simulator,
    account,
    simulator.addUser(account, { name: "山田", role: "DS Admin" }),
  );
  const asSender = await openApi(
    simulator,
    account,
    simulator.addUser(account, { name: "佐藤", role: "DS Sender" }),
  );
  const asPoor = await openApi(simulator, poor, simulator.addUser(poor, { name: "乙", role: "DS Admin" }));
  const received = { ...CONFIGURATION, configurationType: "customrecipient" };

  const answers = [await asSender("/connect"), await asPoor("/connect")];
  answers.push(await asAdmin("/connect", { method: "POST", body: received }));
  simulator.refuseConnect(account, "PLAN_ITEM_NOT_ENABLED");
  answers.push(await asAdmin("/connect"));

  assert.deepEqual(
    answers.map(({ status, json }) => [status, json["errorCode"]]),
    [
      [401, "USER_NOT_ACCOUNT_ADMIN"],
      [401, "ACCOUNT_LACKS_PERMISSIONS"],
      [401, "ACCOUNT_LACKS_PERMISSIONS"],
      [401, "PLAN_ITEM_NOT_ENABLED"],
    ],
  );
  simulator.assertNoProblems();
});

const MISTAKES: [name: string, changes: Record<string, unknown>, problem: RegExp][] = [
  ["includeData outside eventData", { includeData: ["recipients"] }, /additionalProperty.*includeData/],
  ["an event in the older spelling", { events: ["Completed"] }, /event Completed/],
  ["an older event in lower case", { envelopeEvents: ["completed"] }, /event completed/],
  ["a boolean that is not a string", { allUsers: true }, /allUsers must be string/],
  ["nobody to listen for", { allUsers: "false" }, /neither allUsers/],
  [
    "an unknown kind of data",
    { eventData: { version: "restv2.1", includeData: ["all"] } },
    /includeData all/,
  ],
  ["another type", { configurationType: "salesforce" }, /configurationType salesforce/],
];

for (const [name, changes, problem] of MISTAKES) {
  test(`a configuration with ${name} is a problem`, async () => {
    await using simulator = await startSimulator();
    const account = simulator.addAccount();
    const api = await openApi(
      simulator,
      account,
      simulator.addUser(account, { name: "山田", role: "DS Admin" }),
    );

    const answer = await api("/connect", { method: "POST", body: { ...CONFIGURATION, ...changes } });

    assert.equal(answer.status, 501);
    assert.match(simulator.takeProblems().join("\n"), problem);
    assert.deepEqual(simulator.configurations(account), []);
  });
}
