import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { Readable } from "node:stream";
import { test } from "node:test";
import type { NewContract } from "../../src/store/contracts/contracts.ts";
import { createWorld, type World } from "../support/world.ts";
import { assertDescribed } from "./described.ts";
import { storeTestContract, storeTestLink } from "./stored.ts";

const BYTES = Buffer.from("%PDF-1.7 0123456789 the end");

type Ask = (headers?: Record<string, string>, method?: string) => Promise<Response>;

async function openDocument(
  world: World,
  wish: { fileName?: string; bytesOf?: Buffer } = {},
): Promise<{ contract: NewContract; ask: Ask; token: string }> {
  const linkId = await storeTestLink(world);
  const contract = await storeTestContract(world, { linkId, bytesOf: BYTES, ...wish });
  const token = await world.cabinet.token({ tenant: "tenant-1", scope: "contracts:read" });
  const ask: Ask = async (headers = {}, method = "GET") => {
    const response = await fetch(`${world.url}/v1/contracts/${contract.id}/document`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
    assertDescribed("getContractDocument", response);
    return response;
  };
  return { contract, ask, token };
}

test("the document is the PDF under its own name, with all headers that a reader needs", async () => {
  await using world = await createWorld();
  const { contract, ask } = await openDocument(world, { fileName: "業務 契約書.docx" });

  const response = await ask();

  assert.equal(response.status, 200);
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), BYTES);
  assert.equal(response.headers.get("content-type"), "application/pdf");
  assert.equal(response.headers.get("content-length"), String(BYTES.length));
  assert.equal(response.headers.get("etag"), `"${contract.sha256}"`);
  assert.equal(response.headers.get("accept-ranges"), "bytes");
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  assert.match(response.headers.get("cache-control") ?? "", /private/);
  assert.equal(
    response.headers.get("content-disposition"),
    `attachment; filename="__ ___.docx.pdf"; filename*=UTF-8''${encodeURIComponent("業務 契約書.docx.pdf")}`,
  );
});

test("HEAD returns the same headers without the bytes", async () => {
  await using world = await createWorld();
  const { ask } = await openDocument(world);
  const whole = await ask();
  await whole.arrayBuffer();

  const head = await ask({ range: "bytes=0-3" }, "HEAD");

  assert.equal(head.status, 200);
  assert.equal((await head.arrayBuffer()).byteLength, 0);
  for (const name of ["content-length", "content-type", "etag", "content-disposition", "accept-ranges"]) {
    assert.equal(head.headers.get(name), whole.headers.get(name), name);
  }
});

const last = BYTES.length - 1;
const RANGES: readonly (readonly [range: string, first: number, last: number])[] = [
  ["bytes=0-0", 0, 0],
  ["bytes=2-5", 2, 5],
  ["bytes=5-", 5, last],
  ["bytes=-4", last - 3, last],
  ["bytes=0-99999", 0, last],
  ["bytes=-99999", 0, last],
  [`bytes=${last}-`, last, last],
];

test("a range request returns that part of the bytes", async () => {
  await using world = await createWorld();
  const { ask, contract } = await openDocument(world);

  for (const [range, first, end] of RANGES) {
    const response = await ask({ range });

    assert.equal(response.status, 206, range);
    assert.equal(response.headers.get("content-range"), `bytes ${first}-${end}/${BYTES.length}`);
    assert.equal(response.headers.get("content-length"), String(end - first + 1));
    assert.equal(response.headers.get("etag"), `"${contract.sha256}"`);
    assert.equal(await response.text(), BYTES.subarray(first, end + 1).toString());
  }
});

test("a request for anything but a single byte range returns the whole document", async () => {
  await using world = await createWorld();
  const { ask } = await openDocument(world);

  for (const range of ["bytes=0-1,4-5", "bytes=0-1,x-y", "bytes=x-y", "bytes", "lines=1-2", "bytes=5-2"]) {
    const response = await ask({ range });

    assert.equal(await response.text(), BYTES.toString(), range);
    assert.equal(response.status, 200, range);
  }
});

test("a range beyond the end is rejected with the actual length", async () => {
  await using world = await createWorld();
  const { ask } = await openDocument(world);

  const response = await ask({ range: `bytes=${BYTES.length}-` });

  assert.equal(response.status, 416);
  assert.equal(response.headers.get("content-range"), `bytes */${BYTES.length}`);
  assert.equal(JSON.parse(await response.text()).type, "urn:torikomi:problem:range-not-satisfiable");
});

test("a range applies only if If-Range matches the document", async () => {
  await using world = await createWorld();
  const { ask, contract } = await openDocument(world);

  const same = await ask({ range: "bytes=0-3", "if-range": `"${contract.sha256}"` });
  const other = await ask({ range: "bytes=0-3", "if-range": '"another"' });
  const dated = await ask({ range: "bytes=0-3", "if-range": "Wed, 15 Jan 2031 03:10:00 GMT" });
  const weak = await ask({ range: "bytes=0-3", "if-range": `W/"${contract.sha256}"` });

  assert.equal(await same.text(), "%PDF");
  assert.deepEqual([same.status, other.status, dated.status, weak.status], [206, 200, 200, 200]);
});

test("a reader with a current ETag gets 304", async () => {
  await using world = await createWorld();
  const { ask, contract } = await openDocument(world);

  const known = await ask({ "if-none-match": `"older", "${contract.sha256}"` });
  const any = await ask({ "if-none-match": "*", range: "bytes=0-3" });
  const unknown = await ask({ "if-none-match": '"older"' });

  assert.deepEqual([known.status, any.status, unknown.status], [304, 304, 200]);
  assert.equal(known.headers.get("etag"), `"${contract.sha256}"`);
  assert.equal(await known.text(), "");
});

test("bytes that the store has lost cause a 500 that reveals nothing internal", async () => {
  await using world = await createWorld({ expectErrors: true });
  const { ask, contract } = await openDocument(world);
  await world.service.foundation.tasks.documents.erase(contract.documentKey);

  const response = await ask();

  assert.equal(response.status, 500);
  const text = await response.text();
  assert.equal(JSON.parse(text).type, "urn:torikomi:problem:internal");
  assert.doesNotMatch(text, new RegExp(contract.documentKey));
  assert.equal(world.logged.length, 1);
});

test("a document shorter than recorded breaks the connection instead of looking complete", async () => {
  await using world = await createWorld({ expectErrors: true });
  const { ask, contract } = await openDocument(world);
  const { documents } = world.service.foundation.tasks;
  await documents.erase(contract.documentKey);
  await documents.put(contract.documentKey, Readable.from([BYTES.subarray(0, 10)]));

  await assert.rejects(async () => await (await ask()).text());
  assert.equal(world.logged.length, 1);
});

test("a reader who disconnects ends the read of the document, which is not an error", async () => {
  await using world = await createWorld();
  const { contract, token } = await openDocument(world, { bytesOf: Buffer.alloc(32 * 1024 * 1024, "x") });
  const { tasks } = world.service.foundation;
  const { open } = tasks.documents;
  const closed = Promise.withResolvers<void>();
  // The store itself is watched, not replaced: only it can show that its file is closed.
  tasks.documents.open = async (key, range) => {
    const stream = await open(key, range);
    stream?.once("close", () => closed.resolve());
    return stream;
  };

  const asked = request(`${world.url}/v1/contracts/${contract.id}/document`, {
    headers: { authorization: `Bearer ${token}` },
  });
  asked.end();
  const [response] = await once(asked, "response");
  await once(response, "data");
  asked.destroy();
  await closed.promise;

  assert.deepEqual(world.logged, []);
});

test("a document deleted during a download is read to its end and not found afterwards", async () => {
  await using world = await createWorld();
  const bytesOf = Buffer.alloc(8 * 1024 * 1024, "x");
  const { contract, ask } = await openDocument(world, { bytesOf });
  const api = await world.api();

  const response = await ask();
  assert.equal((await api.send("DELETE", `/v1/contracts/${contract.id}`)).status, 204);
  await world.runJobs();

  assert.equal((await response.arrayBuffer()).byteLength, bytesOf.length);
  assert.equal((await ask()).status, 404);
});

test("a document deleted after its contract was looked up is reported as not found, not as lost", async () => {
  await using world = await createWorld();
  const { contract, ask } = await openDocument(world);
  const api = await world.api();
  const { tasks } = world.service.foundation;
  const { open } = tasks.documents;
  tasks.documents.open = async (key, range) => {
    await api.send("DELETE", `/v1/contracts/${contract.id}`);
    await tasks.documents.erase(key);
    return await open(key, range);
  };

  assert.equal((await ask()).status, 404);
});
