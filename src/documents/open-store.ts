import { join } from "node:path";
import type { DocumentStore } from "./documents.ts";
import { openFileStore } from "./file-store.ts";
import type { S3Options } from "./s3-store.ts";

export type DocumentPlace =
  | { readonly kind: "file" }
  | { readonly kind: "s3"; readonly bucket: string; readonly prefix: string };

const S3_ADDRESS = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9._/-]*))?$/;

/** Parses `DOCUMENT_STORE`: `file` or `s3://bucket/prefix`. Returns null for anything else. */
export function parseDocumentPlace(setting: string): DocumentPlace | null {
  if (setting === "file") return { kind: "file" };
  const [, bucket, path = ""] = S3_ADDRESS.exec(setting) ?? [];
  if (bucket === undefined) return null;
  const words = path.split("/").filter((word) => word !== "");
  if (words.includes(".") || words.includes("..")) return null;
  return { kind: "s3", bucket, prefix: words.join("/") };
}

/**
 * Opens the store that the setting names. Files lie in `documents` under the data folder. Throws if the setting is not
 * valid.
 */
export async function openDocumentStore(
  setting: string,
  dataDir: string,
  options: S3Options = {},
): Promise<DocumentStore> {
  const place = parseDocumentPlace(setting);
  if (place === null) throw new Error(`no document store: ${setting} (file, or s3://bucket/prefix)`);
  if (place.kind === "file") return openFileStore(join(dataDir, "documents"));
  // The SDK is slow to load and needs much memory, so it is loaded only if it is used.
  const { openS3Store } = await import("./s3-store.ts");
  return openS3Store({ ...place, ...options });
}
