import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import type { EncryptionKey } from "../store/links/vault.ts";
import { hasCode, list } from "./fields.ts";

const KEY_LIST = "must be a comma-separated list of id:base64(32 bytes)";

/** `id:base64(32 bytes)`, comma-separated. */
export function encryptionKeys(): z.ZodType<readonly EncryptionKey[], string> {
  return list()
    .refine((entries) => entries.length > 0, { error: KEY_LIST, abort: true })
    .superRefine((entries, context) => {
      for (const [index, entry] of entries.entries()) {
        const problem = problemOfKey(entry);
        // The entry's number, not its id: in a malformed entry the id may be the key.
        if (problem !== null) context.addIssue(`${KEY_LIST}; entry ${index + 1} ${problem}`);
      }
    })
    .transform((entries) => entries.map(readEncryptionKey))
    .refine(
      (keys) => new Set(keys.map(({ id }) => id)).size === keys.length,
      "must not hold two keys with the same id",
    );
}

function problemOfKey(entry: string): string | null {
  const [id = "", encoded = "", ...more] = entry.split(":");
  if (encoded === "" || more.length > 0) return "is not an id and a key separated by one colon";
  if (!/^[A-Za-z0-9_-]{1,40}$/.test(id)) return "has an id that is not 1 to 40 letters, digits, - and _";
  const key = Buffer.from(encoded, "base64");
  // Buffer.from skips invalid characters, so a damaged key would silently become a different one.
  const exact = key.toString("base64");
  if (encoded !== exact && encoded !== exact.replace(/=+$/, "")) return "has a key that is not base64";
  return key.byteLength === 32 ? null : `has a key of ${key.byteLength} bytes`;
}

export function readEncryptionKey(entry: string): EncryptionKey {
  const [id = "", encoded = ""] = entry.split(":");
  return { id, key: Buffer.from(encoded, "base64") };
}

/** The key of a machine without `ENCRYPTION_KEYS`. The first process creates it under `DATA_DIR`; the others read it. */
export function localKey(dataDir: string): EncryptionKey {
  const path = join(dataDir, "encryption-key");
  mkdirSync(dataDir, { recursive: true });
  writeOnce(path, randomBytes(32).toString("base64"));
  return { id: "local", key: Buffer.from(readFileSync(path, "utf8"), "base64") };
}

function writeOnce(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
}
