import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectConfiguration } from "../../../src/docusign/api/connect-configuration.ts";
import { isSameAddress } from "../../../src/docusign/wire/addresses.ts";
import { startServer } from "../http-server.ts";
import { isFault, open, ROOT, USER } from "./recorded-account.ts";

const SENT: ConnectConfiguration = {
  id: null,
  type: "custom",
  name: "取り込み",
  url: "https://torikomi.example/connect/1",
  enabled: true,
  userIds: [],
};

const RECEIVED: ConnectConfiguration = { ...SENT, type: "customrecipient", userIds: [USER] };

const BODY = {
  name: "取り込み",
  urlToPublishTo: "https://torikomi.example/connect/1",
  integratorManaged: "true",
  includeHMAC: "true",
  requiresAcknowledgement: "true",
  allowEnvelopePublish: "true",
  enableLog: "true",
  deliveryMode: "SIM",
  eventData: { version: "restv2.1", format: "json", includeData: ["recipients"] },
  events: ["envelope-completed", "recipient-reassign", "recipient-delegate"],
};

const SENT_BODY = { ...BODY, configurationType: "custom", allUsers: "true" };

const RECEIVED_BODY = { ...BODY, configurationType: "customrecipient", allUsers: "false", userIds: [USER] };

test("a configuration for sent envelopes covers all users, one for received envelopes the linked user", async () => {
  await using server = await startServer((_, count) => ({ status: 201, body: { connectId: String(count) } }));
  const account = open(server.url);

  const sent = await account.createConnectConfiguration(SENT);
  const received = await account.createConnectConfiguration(RECEIVED);

  assert.deepEqual([sent.id, received.id], ["1", "2"]);
  assert.deepEqual(
    server.received.map(({ method, path }) => `${method} ${path}`),
    [`POST ${ROOT}/connect`, `POST ${ROOT}/connect`],
  );
  assert.deepEqual(
    server.received.map(({ body }) => JSON.parse(body)),
    [SENT_BODY, RECEIVED_BODY],
  );
});

test("a new configuration whose id is not returned is found in the list", async () => {
  const configurations = [
    { ...SENT_BODY, connectId: "7" },
    { ...RECEIVED_BODY, connectId: "8" },
  ];
  await using server = await startServer(({ method }) => ({
    body: method === "GET" ? { configurations } : {},
  }));

  assert.equal((await open(server.url).createConnectConfiguration(RECEIVED)).id, "8");
});

test("a configuration is updated by its id", async () => {
  await using server = await startServer(() => ({ body: {} }));

  await open(server.url).updateConnectConfiguration({ ...SENT, id: "7" });

  assert.equal(server.received[0]?.method, "PUT");
  assert.deepEqual(JSON.parse(server.received[0]?.body ?? ""), { ...SENT_BODY, connectId: "7" });
});

test("configurations are listed as they are, even if they were changed", async () => {
  const changes = [
    {},
    { deliveryMode: "sim", integratorManaged: undefined, events: undefined, eventData: undefined },
    { allowEnvelopePublish: "false" },
    { pausePublish: "true" },
    { includeHMAC: "false" },
    { events: ["envelope-completed"] },
    { eventData: { version: "restv2.1", includeData: [] } },
    { deliveryMode: "aggregate" },
    { allowEnvelopePublish: undefined },
  ];
  const ours = changes.map((change, index) => ({ ...SENT_BODY, connectId: index, ...change }));
  const configurations = [
    ...ours,
    { configurationType: "salesforce", connectId: "90" },
    { configurationType: "custom" },
  ];
  await using server = await startServer(() => ({ body: { configurations, totalRecords: "10" } }));

  const listed = await open(server.url).listConnectConfigurations();

  assert.deepEqual(listed[0], { ...SENT, id: "0", isPaused: false, disabledBy: null, intact: true });
  assert.deepEqual(
    listed.map(({ intact }) => intact),
    [true, true, false, false, false, false, false, false, true],
  );
  assert.deepEqual(
    listed.map(({ enabled }) => enabled),
    [true, true, false, false, true, true, true, true, null],
  );
});

test("two addresses are equal if they differ only in the case of scheme and host, the default port or a trailing slash", () => {
  const ours = "https://torikomi.example/connect/1";
  const alike = [ours, `${ours}/`, "HTTPS://Torikomi.Example:443/connect/1"];
  const others = [
    null,
    "",
    "torikomi.example/connect/1",
    `${ours}1`,
    `${ours}?a=b`,
    "https://other.example/connect/1",
  ];

  assert.deepEqual(
    alike.filter((shown) => !isSameAddress(shown, ours)),
    [],
  );
  assert.deepEqual(
    others.filter((shown) => isSameAddress(shown, ours)),
    [],
  );
});

test("an account without configurations returns an empty list", async () => {
  await using server = await startServer(() => ({ body: { totalRecords: "0" } }));

  assert.deepEqual(await open(server.url).listConnectConfigurations(), []);
});

test("deleting a configuration that no longer exists succeeds", async () => {
  await using server = await startServer(({ method, path }) => {
    if (method === "GET") return { body: { configurations: [{ ...SENT_BODY, connectId: "9" }] } };
    if (path.endsWith("/1")) return { body: "" };
    return path.endsWith("/2") ? { status: 404 } : { status: 400, body: { errorCode: "INVALID_CONNECT_ID" } };
  });
  const account = open(server.url);

  await account.deleteConnectConfiguration("1");
  await account.deleteConnectConfiguration("2");
  await account.deleteConnectConfiguration("3");

  assert.deepEqual(
    server.received.map(({ method }) => method),
    ["DELETE", "DELETE", "DELETE", "GET"],
  );
  assert.equal(server.received[0]?.path, `${ROOT}/connect/1`);
});

test("deleting a configuration fails if it still exists afterwards", async () => {
  await using server = await startServer(({ method }) =>
    method === "GET"
      ? { body: { configurations: [{ ...SENT_BODY, connectId: "9" }] } }
      : { status: 400, body: { errorCode: "INVALID_REQUEST_PARAMETER" } },
  );

  await assert.rejects(
    open(server.url).deleteConnectConfiguration("9"),
    isFault("never", "INVALID_REQUEST_PARAMETER"),
  );
});

test("a user who may not manage Connect gets a specific fault", async () => {
  await using server = await startServer(() => ({
    status: 400,
    body: { errorCode: "ACCOUNT_LACKS_PERMISSIONS" },
  }));

  await assert.rejects(
    open(server.url).createConnectConfiguration(SENT),
    isFault("not-permitted", "ACCOUNT_LACKS_PERMISSIONS"),
  );
  await assert.rejects(
    open(server.url).deleteConnectConfiguration("1"),
    isFault("not-permitted", "ACCOUNT_LACKS_PERMISSIONS"),
  );
});
