import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { openDocuSignAccount } from "../../../src/docusign/api/account.ts";
import type { DocuSignAccountOptions } from "../../../src/docusign/api/calls.ts";
import { DocuSignFault } from "../../../src/docusign/faults/faults.ts";
import { type AccountId, type EnvelopeId, parseUuid } from "../../../src/domain/identifiers.ts";
import { type Reply, startServer, type TestServer } from "../http-server.ts";

const ACCOUNT = parseUuid<AccountId>("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa");
const ENVELOPE = parseUuid<EnvelopeId>("3f2504e0-4f89-41d3-9a0c-0305e82c3301");
assert.ok(ACCOUNT !== null && ENVELOPE !== null);

const PDF = Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(300_000, "あ"), Buffer.from("\n%%EOF\n")]);

function download(
  server: TestServer,
  options: Partial<DocuSignAccountOptions> = {},
  { signal, documentId = "1/あ" }: { signal?: AbortSignal; documentId?: string } = {},
): Promise<AsyncIterable<Uint8Array>> {
  assert.ok(ACCOUNT !== null && ENVELOPE !== null);
  const accessToken = async (stale?: string): Promise<string> =>
    stale === undefined ? "token-1" : "token-2";
  const account = openDocuSignAccount({ baseUri: server.url, accountId: ACCOUNT, accessToken, ...options });
  return account.downloadDocument(ENVELOPE, documentId, signal === undefined ? {} : { signal });
}

async function read(server: TestServer, options: Partial<DocuSignAccountOptions> = {}): Promise<Buffer> {
  return buffer(await download(server, options));
}

function isFault(kind: string, code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof DocuSignFault, String(error));
    assert.deepEqual([error.kind, error.code], [kind, code]);
    return true;
  };
}

/** Begins a response and leaves the rest to the test. */
function begin(response: ServerResponse, start: Uint8Array | string = PDF.subarray(0, 2_000)): void {
  response.writeHead(200, { "content-type": "application/pdf", "content-length": String(PDF.length) });
  response.write(start);
}

test("a document is streamed byte for byte", async () => {
  await using server = await startServer(() => ({
    headers: { "content-type": "application/pdf" },
    body: PDF,
  }));

  assert.deepEqual(await read(server), PDF);

  const [request] = server.received;
  assert.equal(
    request?.path,
    `/restapi/v2.1/accounts/${ACCOUNT}/envelopes/${ENVELOPE}/documents/1%2F%E3%81%82`,
  );
  assert.deepEqual(
    [request?.headers.accept, request?.headers["accept-encoding"], request?.headers.authorization],
    ["application/pdf", "identity", "Bearer token-1"],
  );
});

for (const documentId of ["..", ".", "", "../users", "1/../../x", "1\\..", "1//2", "/1"]) {
  test(`the document id ${JSON.stringify(documentId)} is refused before any call`, async () => {
    await using server = await startServer(() => ({ body: PDF }));

    await assert.rejects(download(server, {}, { documentId }), isFault("never", "id-not-a-path-segment"));

    assert.equal(server.received.length, 0);
  });
}

/** Redirects `times` times, then sends the document. */
async function startRedirecting(times: number, to: (step: number) => string): Promise<TestServer> {
  return await startServer((_, count) =>
    count <= times
      ? { status: count % 2 === 0 ? 302 : 307, headers: { location: to(count) } }
      : { headers: { "content-type": "application/pdf" }, body: PDF },
  );
}

test("a download follows three redirects within its origin, with the token", async () => {
  await using server = await startRedirecting(3, (step) => `/step/${step}`);

  assert.deepEqual(await read(server), PDF);

  assert.deepEqual(
    server.received.slice(1).map(({ path, headers }) => [path, headers.authorization]),
    [1, 2, 3].map((step) => [`/step/${step}`, "Bearer token-1"]),
  );
});

test("a download follows no fourth redirect", async () => {
  await using server = await startRedirecting(4, (step) => `/step/${step}`);

  await assert.rejects(download(server), isFault("later", "http-302"));

  assert.equal(server.received.length, 4);
});

test("a download follows no redirect to a different host, port or protocol", async () => {
  await using other = await startServer(() => ({ body: PDF }));
  const port = new URL(other.url).port;
  for (const target of [
    other.url,
    `http://localhost:${port}`,
    "https://127.0.0.1:1/x",
    "file:///etc/passwd",
    "//[",
  ]) {
    await using server = await startRedirecting(1, () => target);

    await assert.rejects(download(server), isFault("later", "http-307"), target);
  }
  assert.equal(other.received.length, 0);
});

test("a document is complete with or without a Content-Length", async () => {
  await using server = await startServer((_, count) => (response) => {
    if (count === 1) response.setHeader("content-length", PDF.length);
    response.end(PDF);
  });

  assert.deepEqual([(await read(server)).length, (await read(server)).length], [PDF.length, PDF.length]);
});

test("a document shorter than its Content-Length is truncated", async () => {
  await using server = await startServer(() => (response) => {
    begin(response);
    response.write(PDF.subarray(2_000, 5_000), () => response.destroy());
  });

  await assert.rejects(read(server), isFault("later", "truncated"));
});

test("a document without a Content-Length is truncated if its connection breaks", async () => {
  await using server = await startServer(() => (response) => {
    response.write(PDF.subarray(0, 2_000), () => response.destroy());
  });

  await assert.rejects(read(server), isFault("later", "truncated"));
});

/** A response without length or chunks, which ends when the connection closes normally. */
function untilClose(body: Uint8Array | string): Reply {
  return (response) => {
    response.removeHeader("transfer-encoding");
    response.writeHead(200, { "content-type": "application/pdf", connection: "close" });
    response.end(body);
  };
}

const AFTER_THE_END = 2_000;
const CUT_SHORT = {
  "in the middle": PDF.subarray(0, 200_000),
  "at the start": PDF.subarray(0, 3),
  "before its first byte": "",
  "within its end marker": PDF.subarray(0, -2),
  "with an end marker only far before its end": Buffer.concat([PDF, Buffer.alloc(2_048, " ")]),
};

for (const [where, body] of Object.entries(CUT_SHORT)) {
  test(`a document that ends with its connection, ${where}, is truncated`, async () => {
    await using server = await startServer(() => untilClose(body));

    await assert.rejects(read(server), isFault("later", "truncated"));
  });
}

test("a document that ends with its connection is complete if a PDF ends there, even with trailing bytes", async () => {
  const longer = Buffer.concat([PDF, Buffer.alloc(AFTER_THE_END, " ")]);
  await using server = await startServer((_, count) => untilClose(count === 1 ? PDF : longer));

  assert.deepEqual(await read(server), PDF);
  assert.deepEqual(await read(server), longer);
});

test("a download from a silent server times out", async () => {
  await using server = await startServer(() => () => {});

  await assert.rejects(download(server, { timeoutMs: 50 }), isFault("later", "timeout"));
});

test("a stalled download times out, and its connection is closed", async () => {
  const closed = Promise.withResolvers<void>();
  await using server = await startServer(() => (response) => {
    response.on("close", closed.resolve);
    begin(response);
  });

  await assert.rejects(read(server, { timeoutMs: 50 }), isFault("later", "timeout"));

  await closed.promise;
});

test("a download that trickles forever times out", async () => {
  await using server = await startServer(() => (response) => {
    begin(response);
    const trickle = setInterval(() => response.write("x"), 10);
    response.on("close", () => clearInterval(trickle));
  });

  await assert.rejects(read(server, { timeoutMs: 100, downloadTimeoutMs: 200 }), isFault("later", "timeout"));
});

test("a reader who stops early leaves no connection open", async () => {
  const closed = Promise.withResolvers<void>();
  await using server = await startServer(() => (response) => {
    response.on("close", closed.resolve);
    begin(response);
  });

  for await (const piece of await download(server)) {
    assert.ok(piece.byteLength > 0);
    break;
  }

  await closed.promise;
});

test("a download that its caller aborts ends with the caller's reason", async () => {
  await using server = await startServer(() => (response) => begin(response));
  const stop = new AbortController();
  const pieces = await download(server, {}, { signal: stop.signal });
  const reason = new Error("shutting down");

  const reading = assert.rejects(buffer(pieces), reason);
  stop.abort(reason);

  await reading;
  await assert.rejects(download(server, {}, { signal: stop.signal }), reason);
});

const CONTENTS: Readonly<Record<string, readonly [body: string | Buffer, kind: string, code: string]>> = {
  nothing: ["", "never", "empty-document"],
  "plain text": ["Dear customer", "never", "not-a-pdf"],
  "an archive": [Buffer.concat([Buffer.from("PK\x03\x04"), Buffer.alloc(50_000)]), "never", "not-a-pdf"],
  "a header that comes too late": [Buffer.concat([Buffer.alloc(1_020, " "), PDF]), "never", "not-a-pdf"],
  "half a header": ["%PD", "never", "not-a-pdf"],
};

for (const [what, [body, kind, code]] of Object.entries(CONTENTS)) {
  test(`${what} is not accepted as a document`, async () => {
    await using server = await startServer(() => ({ headers: { "content-type": "application/pdf" }, body }));

    await assert.rejects(read(server), isFault(kind, code));
  });
}

test("a PDF header may come in pieces or after other bytes", async () => {
  const late = Buffer.concat([Buffer.alloc(1_019, " "), PDF]);
  await using server = await startServer((_, count) => (response) => {
    if (count === 1) response.end(late);
    else response.write("%P", () => response.write("DF", () => response.end("-1.4")));
  });

  assert.deepEqual(await read(server), late);
  assert.equal(String(await read(server)), "%PDF-1.4");
});

const FAILURES: readonly (readonly [what: string, reply: Reply, kind: string, code: string])[] = [
  [
    "an HTML page with status 200",
    { headers: { "content-type": "text/html; charset=utf-8" }, body: "<html>" },
    "later",
    "html",
  ],
  ["a 503", { status: 503, body: "<html>" }, "later", "html"],
  ["a 500", { status: 500 }, "later", "http-500"],
  ["a partial document", { status: 206, body: PDF }, "later", "http-206"],
  [
    "a blocked download",
    { status: 400, body: { errorCode: "API_REQUEST_IS_THROTTLED" } },
    "throttled",
    "API_REQUEST_IS_THROTTLED",
  ],
  [
    "an unknown envelope",
    { status: 404, body: { errorCode: "ENVELOPE_DOES_NOT_EXIST" } },
    "not-found",
    "ENVELOPE_DOES_NOT_EXIST",
  ],
  ["a purged document", { status: 400, body: { errorCode: "DOCUMENT_PURGED" } }, "never", "DOCUMENT_PURGED"],
];

for (const [what, reply, kind, code] of FAILURES) {
  test(`${what} is ${kind}`, async () => {
    await using server = await startServer(() => reply);

    await assert.rejects(download(server), isFault(kind, code));
  });
}

test("an error response that never ends times out", async () => {
  await using server = await startServer(() => (response) => {
    response.writeHead(400, { "content-type": "application/json", "content-length": "1000" });
    response.write("{");
  });

  await assert.rejects(download(server, { timeoutMs: 50 }), isFault("later", "timeout"));
});

test("a rejected token is refreshed once, and every call is reported", async () => {
  let reports = 0;
  await using server = await startServer(({ headers }) =>
    headers.authorization === "Bearer token-2"
      ? { headers: { "content-type": "application/pdf" }, body: PDF }
      : { status: 401, body: { errorCode: "AUTHORIZATION_INVALID_TOKEN" } },
  );

  assert.deepEqual(await read(server, { onAnswer: () => reports++ }), PDF);

  assert.equal(reports, 2);
});

test("a token that is rejected again means that the authorization is revoked", async () => {
  await using server = await startServer(() => ({ status: 401 }));

  await assert.rejects(download(server), isFault("authorization-gone", "http-401"));

  assert.equal(server.received.length, 2);
});
