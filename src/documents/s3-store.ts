import { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type PutObjectCommandInput,
  paginateListObjectsV2,
  S3Client,
  type ServerSideEncryption,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import {
  type ByteRange,
  type DocumentStore,
  isDocumentKey,
  type ListedDocument,
  requireKey,
  requireRange,
  type StoredDocument,
} from "./documents.ts";
import { measure } from "./measure.ts";
import { probe } from "./probe.ts";
import { storing } from "./store-fault.ts";

export type S3Options = {
  /** For servers that address buckets by path only, as most servers other than AWS do. */
  readonly forcePathStyle?: boolean;
  /** Server-side encryption of each object; the bucket's own setting if absent. */
  readonly serverSideEncryption?: ServerSideEncryption;
  readonly kmsKeyId?: string;
};

type S3Place = { readonly bucket: string; readonly prefix: string; readonly client?: S3Client };

type Opened = { readonly client: S3Client; readonly bucket: string; readonly prefix: string };

type Encryption = Pick<PutObjectCommandInput, "ServerSideEncryption" | "SSEKMSKeyId">;

/** S3's smallest part size. An upload buffers one or two parts in memory. */
const PART_BYTES = 5 * 1024 * 1024;
const CONNECTION_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 60_000;

/**
 * Stores documents as objects of a bucket, below a prefix unless it is empty. Endpoint, region and credentials come from
 * the AWS SDK's own variables unless a client is given. A process that is killed during a large upload leaves unreadable
 * parts behind: the bucket's lifecycle should abort incomplete multipart uploads.
 */
export async function openS3Store(options: S3Place & S3Options): Promise<DocumentStore> {
  const { bucket, prefix, client = newClient(options.forcePathStyle ?? false) } = options;
  const opened = { client, bucket, prefix: prefix === "" ? "" : `${prefix}/` };
  const encryption = encryptionOf(options);
  const store = {
    put: (key: string, source: AsyncIterable<Uint8Array>) => put(opened, encryption, key, source),
    open: (key: string, range?: ByteRange) => openObject(opened, key, range),
    size: (key: string) => sizeOf(opened, key),
    erase: (key: string) => erase(opened, key),
    list: (under?: string) => list(opened, under),
    close: () => client.destroy(),
  };
  return { ...store, check: () => probe(store, `s3://${bucket}/${prefix}`) };
}

function newClient(forcePathStyle: boolean): S3Client {
  const requestHandler = { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: IDLE_TIMEOUT_MS };
  return new S3Client({ forcePathStyle, requestHandler });
}

function encryptionOf({ serverSideEncryption, kmsKeyId }: S3Options): Encryption {
  return { ServerSideEncryption: serverSideEncryption, SSEKMSKeyId: kmsKeyId };
}

async function put(
  opened: Opened,
  encryption: Encryption,
  key: string,
  source: AsyncIterable<Uint8Array>,
): Promise<StoredDocument> {
  const place = placeOf(opened, key);
  const measured = measure(source);
  const body = Readable.from(measured.chunks);
  const params = { ...place, ...encryption, Body: body, ContentType: "application/pdf" };
  // With two uploaders, one could go on reading and sending after the other had failed.
  const upload = new Upload({ client: opened.client, params, partSize: PART_BYTES, queueSize: 1 });
  await storing(measured, async () => void (await upload.done()));
  return measured.measured();
}

function placeOf(opened: Opened, key: string): { Bucket: string; Key: string } {
  return { Bucket: opened.bucket, Key: opened.prefix + requireKey(key) };
}

async function openObject(opened: Opened, key: string, range?: ByteRange): Promise<Readable | null> {
  const place = placeOf(opened, key);
  const wanted = range === undefined ? place : { ...place, Range: rangeHeader(requireRange(range)) };
  try {
    const { Body: body } = await opened.client.send(new GetObjectCommand(wanted));
    if (body instanceof Readable) return body;
  } catch (fault) {
    if (isNamed(fault, "NoSuchKey")) return null;
    if (isNamed(fault, "InvalidRange")) return Readable.from([]);
    throw fault;
  }
  throw new Error(`S3 answered without a stream for ${place.Key}`);
}

function rangeHeader({ first, last }: ByteRange): string {
  return `bytes=${first}-${last}`;
}

function isNamed(fault: unknown, name: string): boolean {
  return fault instanceof Error && fault.name === name;
}

async function sizeOf(opened: Opened, key: string): Promise<number | null> {
  try {
    const { ContentLength: bytes } = await opened.client.send(new HeadObjectCommand(placeOf(opened, key)));
    if (bytes !== undefined) return bytes;
  } catch (fault) {
    // Unlike GET, HEAD has no body that could name the error.
    if (isNamed(fault, "NotFound")) return null;
    throw fault;
  }
  throw new Error(`S3 answered without a length for ${key}`);
}

async function erase(opened: Opened, key: string): Promise<void> {
  await opened.client.send(new DeleteObjectCommand(placeOf(opened, key)));
}

async function* list(
  { client, bucket, prefix }: Opened,
  under?: string,
): AsyncGenerator<ListedDocument, void, undefined> {
  const place = { Bucket: bucket, Prefix: under === undefined ? prefix : `${prefix}${requireKey(under)}/` };
  for await (const page of paginateListObjectsV2({ client }, place)) {
    for (const { Key: path = "", LastModified: modifiedAt } of page.Contents ?? []) {
      const key = path.slice(prefix.length);
      // Other programs may store objects under the same prefix.
      if (modifiedAt !== undefined && isDocumentKey(key)) yield { key, modifiedAt };
    }
  }
}
