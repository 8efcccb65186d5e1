import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import S3rver from "s3rver";

const BUCKET = "contracts";

export type S3Server = AsyncDisposable & {
  readonly endpoint: string;
  readonly bucket: string;
  /** Ids of multipart uploads that are neither completed nor aborted. */
  readonly unfinishedUploads: () => Promise<string[]>;
  readonly refuseEverything: () => void;
  /** Refuses the parts of multipart uploads from the given number on. */
  readonly refusePartsFrom: (partNumber: number) => void;
  /** Rejects all writes until it is switched off. */
  readonly refuseWrites: (refuses: boolean) => void;
};

const WRITES = new Set(["PUT", "POST", "DELETE"]);

/** Starts s3rver, an S3-speaking server, on a free port with one empty bucket. */
export async function startS3Server(): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), "torikomi-s3-"));
  const uploads = join(directory, BUCKET, "._S3rver_uploads");
  let isRefused = (_partNumber: number): boolean => false;
  let refusesWrites = false;
  const options = { port: 0, address: "127.0.0.1", silent: true, directory };
  const server = new S3rver({ ...options, configureBuckets: [{ name: BUCKET }] });
  server.middleware.unshift(async (context, next) => {
    const { uploadId, partNumber } = context.query;
    const isWrite = WRITES.has(context.method);
    if (isRefused(Number(partNumber)) || (isWrite && refusesWrites)) context.status = 403;
    // S3rver itself knows no AbortMultipartUpload.
    else if (context.method === "DELETE" && uploadId !== undefined) {
      await rm(join(uploads, uploadId), { recursive: true });
      context.status = 204;
    } else await next();
  });
  const { port } = await server.run();

  return {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: BUCKET,
    unfinishedUploads: async () => readdir(uploads).catch(() => []),
    refuseEverything: () => {
      isRefused = () => true;
    },
    refusePartsFrom: (first) => {
      isRefused = (partNumber) => partNumber >= first;
    },
    refuseWrites: (refuses) => {
      refusesWrites = refuses;
    },
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await rm(directory, { recursive: true });
    },
  };
}
