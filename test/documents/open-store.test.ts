import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { openDocumentStore, parseDocumentPlace } from "../../src/documents/open-store.ts";
import { startS3Server } from "../support/s3-server.ts";

test("the setting names files, or a bucket with or without a prefix", () => {
  assert.deepEqual(parseDocumentPlace("file"), { kind: "file" });
  assert.deepEqual(parseDocumentPlace("s3://my-bucket"), { kind: "s3", bucket: "my-bucket", prefix: "" });
  assert.deepEqual(parseDocumentPlace("s3://my-bucket/"), { kind: "s3", bucket: "my-bucket", prefix: "" });
  assert.deepEqual(parseDocumentPlace("s3://b.1/x/Y_2//z/"), {
    kind: "s3",
    bucket: "b.1",
    prefix: "x/Y_2/z",
  });
});

for (const setting of [
  "",
  "File",
  "s3",
  "s3://",
  "s3:///x",
  "s3://B",
  "s3://b_1",
  "s3://bucket/../x",
  "gs://bucket",
]) {
  test(`${JSON.stringify(setting)} is not a valid document store`, async () => {
    assert.equal(parseDocumentPlace(setting), null);
    await assert.rejects(openDocumentStore(setting, tmpdir()), /no document store/);
  });
}

test("documents as files are stored in their own folder under the data folder", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "torikomi-data-"));

  const store = await openDocumentStore("file", dataDir);
  await store.put("a", bytes("content"));

  assert.deepEqual(await readdir(dataDir), ["documents"]);
  await rm(dataDir, { recursive: true });
});

test("an S3 store is configured by the SDK's own variables", async () => {
  await using server = await startS3Server();
  process.env["AWS_ENDPOINT_URL_S3"] = server.endpoint;
  process.env["AWS_REGION"] = "ap-northeast-1";
  process.env["AWS_ACCESS_KEY_ID"] = "S3RVER";
  process.env["AWS_SECRET_ACCESS_KEY"] = "S3RVER";

  const store = await openDocumentStore(`s3://${server.bucket}/x`, "", { forcePathStyle: true });
  await store.put("a", bytes("content"));

  const stream = await store.open("a");
  assert.ok(stream !== null);
  assert.equal(await text(stream), "content");
  await store.close();
});

async function* bytes(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content);
}
