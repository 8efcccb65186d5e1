import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

export type EncryptionKey = { readonly id: string; readonly key: Buffer };

/** No key decrypts the secret: its key is missing or different, or the text was changed. Holds no secret. */
export class UnopenedSecret extends Error {
  override readonly name = "UnopenedSecret";
}

/** Encrypts secrets for the database with the first key. Decrypts what any of the keys encrypted. */
export type Vault = {
  seal(secret: string): string;
  /** Throws `UnopenedSecret` if the key is unknown or different, or the text was changed. */
  open(sealed: string): string;
  /** Returns true if the current key encrypted the text. */
  isCurrent(sealed: string): boolean;
};

const ALGORITHM = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM. The id of the key comes first and is authenticated: `v1.<key id>.<base64url>`. */
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
