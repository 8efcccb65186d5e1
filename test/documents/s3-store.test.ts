import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { DocumentStore } from "../../src/documents/documents.ts";
import { openS3Store } from "../../src/documents/s3-store.ts";
import { type S3Server, startS3Server } from "../support/s3-server.ts";
import { type TestedStore, testDocumentStore } from "./document-store-suite.ts";

testDocumentStore("an S3 store", createTestedStore);

test("an upload that is rejected half-way is aborted", async () => {
  await using server = await startS3Server();
  const store = await openStore(server);
  server.refusePartsFrom(2);

  await assert.rejects(store.put("a", mebibytes(12)));

  assert.deepEqual(await server.unfinishedUploads(), []);
  assert.equal(await store.open("a"), null);
  await store.close();
});

test("foreign objects in the bucket are neither listed nor accessible", async () => {
  await using server = await startS3Server();
  const client = clientOf(server);
  for (const key of ["elsewhere/a", "contracts/of/some", "contracts/of/someone/Not Ours"]) {
    await client.send(new PutObjectCommand({ Bucket: server.bucket, Key: key, Body: "x" }));
  }
  const store = await openStore(server, "contracts/of/someone");
  await store.put("a", mebibytes(1));

  const keys = (await Array.fromAsync(store.list())).map(({ key }) => key);

  assert.deepEqual(keys, ["a"]);
  const head = await client.send(
    new HeadObjectCommand({ Bucket: server.bucket, Key: "contracts/of/someone/a" }),
  );
  assert.equal(head.ContentLength, 1024 * 1024);
  await store.close();
});

test("without a prefix the documents are stored at the top of the bucket", async () => {
  await using server = await startS3Server();
  const store = await openStore(server, "");

  await store.put("a/b", mebibytes(1));

  await clientOf(server).send(new HeadObjectCommand({ Bucket: server.bucket, Key: "a/b" }));
  assert.equal((await Array.fromAsync(store.list())).length, 1);
  await store.close();
});

async function createTestedStore(): Promise<TestedStore> {
  const server = await startS3Server();
  const store = await openStore(server);
  return {
    store,
    leftovers: server.unfinishedUploads,
    breakDown: async () => server.refuseEverything(),
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

function openStore(server: S3Server, prefix = "documents/of"): Promise<DocumentStore> {
  return openS3Store({ bucket: server.bucket, prefix, client: clientOf(server) });
}

function clientOf(server: S3Server): S3Client {
  const credentials = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
  return new S3Client({
    endpoint: server.endpoint,
    region: "ap-northeast-1",
    credentials,
    forcePathStyle: true,
  });
}

async function* mebibytes(count: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index += 1) yield Buffer.alloc(1024 * 1024, index);
}
