import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

export type EncryptionKey = { readonly id: string; readonly key: Buffer };

/** No key opens the sealed secret: its key is missing or another one, or the text was tampered with. Holds no secret. */
export class UnopenedSecret extends Error {
  override readonly name = "UnopenedSecret";
}

/** Seals secrets for the database with the first key; opens what any of the keys sealed. */
export type Vault = {
  seal(secret: string): string;
  /** Throws `UnopenedSecret` where the key is unknown or another one, or the text was tampered with. */
  open(sealed: string): string;
  /** Whether the text was sealed with the key that seals today. */
  isCurrent(sealed: string): boolean;
};

const ALGORITHM = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM with the id of the key in front, bound into the tag: `v1.<key id>.<base64url>`. */
export function createVault(keys: readonly EncryptionKey[]): Vault {
  const [current] = keys;
  if (current === undefined) throw new Error("a vault needs at least one encryption key");
  return {
    seal: (secret) => seal(current, secret),
    open: (sealed) => open(keys, sealed),
    isCurrent: (sealed) => sealed.startsWith(`v1.${current.id}.`),
  };
}

function seal(key: EncryptionKey, secret: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key.key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(key.id));
  const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
  return `v1.${key.id}.${Buffer.concat([iv, cipher.getAuthTag(), text]).toString("base64url")}`;
}

function open(keys: readonly EncryptionKey[], sealed: string): string {
  const [version, id, body] = sealed.split(".");
  const key = keys.find((candidate) => candidate.id === id);
  if (version !== "v1" || key === undefined || body === undefined) {
    throw new UnopenedSecret(
      `no encryption key "${id ?? ""}" for a sealed secret: is it missing in ENCRYPTION_KEYS?`,
    );
  }
  try {
    return unseal(key, Buffer.from(body, "base64url"));
  } catch (cause) {
    const text = `encryption key "${key.id}" does not open a secret sealed under that name: is it another one in ENCRYPTION_KEYS?`;
    throw new UnopenedSecret(text, { cause });
  }
}

function unseal({ id, key }: EncryptionKey, bytes: Buffer): string {
  const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(id));
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const text = [decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()];
  return Buffer.concat(text).toString("utf8");
}
