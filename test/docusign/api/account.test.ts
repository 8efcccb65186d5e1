import assert from "node:assert/strict";
import { test } from "node:test";
import { DocuSignFault } from "../../../src/docusign/faults/faults.ts";
import type { CallLimits } from "../../../src/docusign/faults/limits.ts";
import type { EnvelopeId } from "../../../src/domain/identifiers.ts";
import { fixture } from "../fixtures.ts";
import { startServer } from "../http-server.ts";
import { isFault, NOW, open, ROOT, USER, uuid } from "./recorded-account.ts";

const ENVELOPE = uuid<EnvelopeId>("3f2504e0-4f89-41d3-9a0c-0305e82c3301");

const RECORDED = { headers: { "content-type": "application/json" }, body: fixture("envelope.json") };

test("an envelope is read in one call, with recipients and documents", async () => {
  await using server = await startServer(() => RECORDED);

  const envelope = await open(`${server.url}/`).getEnvelope(ENVELOPE);

  assert.deepEqual(
    [envelope.subject, envelope.recipients?.length, envelope.documents?.length],
    ["秘密保持契約 & 覚書", 4, 2],
  );
  assert.deepEqual(
    server.received.map(({ method, path, query, headers }) => [
      method,
      path,
      query.get("include"),
      headers.authorization,
    ]),
    [["GET", `${ROOT}/envelopes/${ENVELOPE}`, "recipients,documents", "Bearer token-1"]],
  );
});

test("missing recipients and documents are requested separately", async () => {
  await using server = await startServer(({ path }) => {
    if (path.endsWith("/recipients")) return { body: { carbonCopies: [{ recipientId: "1" }] } };
    if (path.endsWith("/documents")) return { body: { envelopeDocuments: [{ documentId: "1", name: "a" }] } };
    return { body: { envelopeId: ENVELOPE, status: "completed" } };
  });

  const envelope = await open(server.url).getEnvelope(ENVELOPE);

  assert.deepEqual([envelope.recipients?.[0]?.group, envelope.documents?.[0]?.name], ["carbonCopies", "a"]);
  assert.equal(server.received.length, 3);
});

test("an envelope is empty if neither its own response nor the separate lists contain anything", async () => {
  await using server = await startServer(({ path }) => {
    if (path.endsWith("/recipients")) return { body: { recipientCount: "0" } };
    if (path.endsWith("/documents")) return { body: { envelopeDocuments: [] } };
    return { body: { envelopeId: ENVELOPE, status: "completed", recipients: {}, envelopeDocuments: [] } };
  });

  const envelope = await open(server.url).getEnvelope(ENVELOPE);

  assert.deepEqual([envelope.recipients, envelope.documents, server.received.length], [[], [], 3]);
});

test("purged documents are not requested", async () => {
  const recipients = { signers: [{ recipientId: "1" }] };
  const body = { envelopeId: ENVELOPE, status: "completed", purgeState: "documents_purged", recipients };
  await using server = await startServer(() => ({ body }));

  const envelope = await open(server.url).getEnvelope(ENVELOPE);

  assert.deepEqual(
    [envelope.documents, envelope.purgeState, server.received.length],
    [null, "documents_purged", 1],
  );
});

test("a rejected token is refreshed once", async () => {
  const stale: (string | undefined)[] = [];
  await using server = await startServer(({ headers }) =>
    headers.authorization === "Bearer token-2"
      ? RECORDED
      : { status: 401, body: { errorCode: "AUTHORIZATION_INVALID_TOKEN", message: "expired" } },
  );
  const accessToken = async (refused?: string): Promise<string> => {
    stale.push(refused);
    return refused === undefined ? "token-1" : "token-2";
  };

  await open(server.url, { accessToken }).getEnvelope(ENVELOPE);

  assert.deepEqual(stale, [undefined, "token-1"]);
  assert.equal(server.received.length, 2);
});

test("a token that is rejected again means that the authorization is revoked", async () => {
  await using server = await startServer(() => ({
    status: 401,
    body: { errorCode: "USER_AUTHENTICATION_FAILED" },
  }));

  await assert.rejects(
    open(server.url).getEnvelope(ENVELOPE),
    isFault("authorization-gone", "USER_AUTHENTICATION_FAILED"),
  );

  assert.equal(server.received.length, 2);
});

test("other rejections cause no refresh", async () => {
  const body = { errorCode: "ENVELOPE_DOES_NOT_EXIST", message: "of taro@example.jp" };
  await using server = await startServer(() => ({ status: 400, body }));

  await assert.rejects(
    open(server.url).getEnvelope(ENVELOPE),
    isFault("not-found", "ENVELOPE_DOES_NOT_EXIST"),
  );

  assert.equal(server.received.length, 1);
});

const LIMIT_HEADERS = {
  "x-ratelimit-limit": "3000",
  "x-ratelimit-remaining": "2990",
  "x-ratelimit-reset": "1775005200",
  "x-burstlimit-limit": "500",
  "x-burstlimit-remaining": "499",
};

const NO_LIMITS: CallLimits = {
  limit: null,
  remaining: null,
  resetsAt: null,
  burstLimit: null,
  burstRemaining: null,
};

test("the limits in every response are reported, also for failures and unanswered calls", async () => {
  const limits: CallLimits[] = [];
  await using server = await startServer((_, count) => {
    if (count === 1) return { ...RECORDED, headers: { ...RECORDED.headers, ...LIMIT_HEADERS } };
    if (count === 2) return { status: 500, headers: { "x-ratelimit-remaining": "2989" } };
    return (response) => response.destroy();
  });
  const account = open(server.url, { onAnswer: (told) => limits.push(told) });

  await account.getEnvelope(ENVELOPE);
  await assert.rejects(account.getEnvelope(ENVELOPE), isFault("later", "http-500"));
  await assert.rejects(account.getEnvelope(ENVELOPE), isFault("later", "network"));

  const resetsAt = new Date("2026-04-01T01:00:00Z");
  assert.deepEqual(limits, [
    { limit: 3000, remaining: 2990, resetsAt, burstLimit: 500, burstRemaining: 499 },
    { ...NO_LIMITS, remaining: 2989 },
    NO_LIMITS,
  ]);
});

test("an exhausted hourly limit is reported with its end", async () => {
  const body = { errorCode: "HOURLY_APIINVOCATION_LIMIT_EXCEEDED" };
  await using server = await startServer(() => ({ status: 429, headers: LIMIT_HEADERS, body }));

  await assert.rejects(open(server.url).getUser(USER), (error) => {
    assert.ok(error instanceof DocuSignFault);
    assert.deepEqual([error.kind, error.retryAt], ["throttled", new Date("2026-04-01T01:00:00Z")]);
    return true;
  });
});

test("an HTML page instead of a response is a transient fault, whatever its status", async () => {
  const page = { headers: { "content-type": "text/html" }, body: "<html>Maintenance</html>" };
  await using server = await startServer((_, count) => ({ ...page, status: count === 1 ? 200 : 403 }));

  await assert.rejects(open(server.url).getEnvelope(ENVELOPE), isFault("later", "html"));
  await assert.rejects(open(server.url).getEnvelope(ENVELOPE), isFault("later", "html"));
});

test("a redirect is a transient fault and is never followed, because it could send the token elsewhere", async () => {
  await using server = await startServer(() => ({ status: 307, headers: { location: "/elsewhere" } }));

  await assert.rejects(open(server.url).getUser(USER), isFault("later", "http-307"));

  assert.deepEqual(
    server.received.map(({ path }) => path),
    [`${ROOT}/users/${USER}`],
  );
});

test("a response without usable data is a transient fault", async () => {
  await using server = await startServer(() => ({ body: "OK" }));

  await assert.rejects(open(server.url).getEnvelope(ENVELOPE), isFault("later", "unreadable-answer"));
});

test("a call to a silent server times out", async () => {
  await using server = await startServer(() => () => {});

  await assert.rejects(
    open(server.url, { timeoutMs: 50 }).getEnvelope(ENVELOPE),
    isFault("later", "timeout"),
  );
});

test("a response that stalls half-way times out", async () => {
  await using server = await startServer(() => (response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
    response.write('{"envelopeId":');
  });

  await assert.rejects(open(server.url, { timeoutMs: 50 }).getEnvelope(ENVELOPE), { kind: "later" });
});

test("a response that trickles forever times out", async () => {
  await using server = await startServer(() => (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const trickle = setInterval(() => response.write(" "), 10);
    response.on("close", () => clearInterval(trickle));
  });

  await assert.rejects(open(server.url, { timeoutMs: 50 }).getEnvelope(ENVELOPE), { kind: "later" });
});

test("a truncated response is a transient fault, whatever its status", async () => {
  await using server = await startServer((_, count) => (response) => {
    response.writeHead(count === 1 ? 200 : 400, {
      "content-type": "application/json",
      "content-length": "1000",
    });
    response.write('{"envelopeId":', () => response.destroy());
  });

  await assert.rejects(open(server.url).getEnvelope(ENVELOPE), isFault("later", "network"));
  await assert.rejects(open(server.url).getEnvelope(ENVELOPE), isFault("later", "network"));
});

test("completed envelopes are listed page by page", async () => {
  const envelopes = [JSON.parse(RECORDED.body.toString()), { envelopeId: "?" }];
  await using server = await startServer(() => ({
    body: { envelopes, totalSetSize: "5", endPosition: "1", nextUri: "/envelopes?start_position=2" },
  }));
  const query = {
    from: new Date("2026-03-31T14:00:00Z"),
    to: NOW,
    startPosition: 0,
    count: 2,
    receivedOnly: true,
  };

  const page = await open(server.url).listCompleted(query);

  assert.deepEqual(
    [page.envelopes[0]?.id, page.unreadable, page.totalSetSize, page.endPosition, page.next],
    [ENVELOPE, 1, 5, 1, 2],
  );
  assert.equal(server.received[0]?.path, `${ROOT}/envelopes`);
  assert.deepEqual(Object.fromEntries(server.received[0]?.query ?? []), {
    from_date: "2026-03-31T14:00:00.000Z",
    to_date: "2026-04-01T00:10:00.000Z",
    from_to_status: "completed",
    status: "completed",
    order_by: "completed",
    order: "asc",
    count: "2",
    start_position: "0",
    include: "recipients,documents",
    user_filter: "recipient",
  });
});

test("a listing without envelopes is empty", async () => {
  await using server = await startServer(() => ({ body: { resultSetSize: "0", envelopes: null } }));
  const query = { from: NOW, to: NOW, startPosition: 0, count: 1000, receivedOnly: false };

  const page = await open(server.url).listCompleted(query);

  assert.deepEqual([page.envelopes, page.next], [[], null]);
});

const ADMIN = {
  isAdmin: "True",
  permissionProfileName: "DS Admin",
  userStatus: "Active",
  userName: "佐藤 太郎",
  email: "taro@example.jp",
};

test("a user is read with rights and permission profile", async () => {
  await using server = await startServer(() => ({
    body: { ...ADMIN, userSettings: { apiAccountWideAccess: "true" } },
  }));

  const user = await open(server.url).getUser(USER);

  assert.deepEqual(user, {
    isAdmin: true,
    accountWideAccess: true,
    profileName: "DS Admin",
    status: "Active",
    name: "佐藤 太郎",
    email: "taro@example.jp",
  });
  assert.deepEqual(
    [server.received[0]?.path, server.received[0]?.query.get("additional_info")],
    [`${ROOT}/users/${USER}`, "true"],
  );
});

const RIGHTS: readonly (readonly [answer: object, isAdmin: boolean, accountWideAccess: boolean])[] = [
  [{ isAdmin: "true", userSettings: [{ name: "apiAccountWideAccess", value: "True" }] }, true, true],
  [
    { isAdmin: "False", userSettings: { canManageAccount: "true", apiAccountWideAccess: "false" } },
    false,
    false,
  ],
  [{ userSettings: { canManageAccount: "true" } }, true, false],
  [{ isAdmin: true, userSettings: { apiAccountWideAccess: true } }, true, true],
  [{ isAdmin: "True" }, true, false],
  [{ permissionProfileName: "DocuSign Viewer" }, false, false],
  // A closed user's response may omit the rights and still be a clear no.
  [{ userStatus: "Closed" }, false, false],
];

for (const [body, isAdmin, accountWideAccess] of RIGHTS) {
  test(`${JSON.stringify(body)} is ${isAdmin ? "an" : "no"} admin, ${accountWideAccess ? "with" : "without"} account-wide access`, async () => {
    await using server = await startServer(() => ({ body }));

    const user = await open(server.url).getUser(USER);

    assert.deepEqual([user.isAdmin, user.accountWideAccess], [isAdmin, accountWideAccess]);
  });
}

for (const body of [
  {},
  { userStatus: "Active", userName: "佐藤 太郎" },
  { isAdmin: null, userSettings: [] },
]) {
  test(`${JSON.stringify(body)} without the user's rights is an unreadable response`, async () => {
    await using server = await startServer(() => ({ body }));

    await assert.rejects(open(server.url).getUser(USER), isFault("later", "unreadable-answer"));
  });
}

test("a Connect configuration whose id would climb the path is not deleted", async () => {
  await using server = await startServer(() => ({}));

  await assert.rejects(
    open(server.url).deleteConnectConfiguration(".."),
    isFault("never", "id-not-a-path-segment"),
  );

  assert.equal(server.received.length, 0);
});
