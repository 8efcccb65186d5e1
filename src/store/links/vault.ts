import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from "node:crypto";

export type EncryptionKey = { readonly id: string; readonly key: Buffer };

/** Prepared once, which takes four times as long as decrypting a token. */
type PreparedKey = { readonly id: string; readonly key: KeyObject };

/** No key decrypts the secret: its key is missing or different, or the text was changed or moved. Holds no secret. */
export class UnopenedSecret extends Error {
  override readonly name = "UnopenedSecret";
}

/**
 * The place of a secret: its purpose first, then what identifies its row and owner. The encryption authenticates it, so
 * that a value copied to another place cannot be decrypted there.
 */
export type Binding = readonly [purpose: string, ...owner: string[]];

/**
 * Encrypts secrets for the database with the first key. Decrypts what any of the keys encrypted, and throws
 * `UnopenedSecret` if the key is unknown or different, or the text or its place was changed.
 */
export type Vault = {
  seal(secret: string, binding: Binding): string;
  open(sealed: string, binding: Binding): string;
  /** Without a binding, for columns that version 0.1 reads. */
  sealUnbound(secret: string): string;
  openUnbound(sealed: string): string;
  /** Returns true if the current key encrypted the text. */
  isCurrent(sealed: string): boolean;
  /** Returns true if the key that encrypted the text is known by its id. */
  knowsKeyOf(sealed: string): boolean;
};

const ALGORITHM = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** The version of a text says what it is bound to: `v1` to the id of its key, `v2` also to its place. */
type Version = "v1" | "v2";

/** AES-256-GCM. Version and id of the key come first and are authenticated: `v2.<key id>.<base64url>`. */
export function createVault(encryptionKeys: readonly EncryptionKey[]): Vault {
  const keys = encryptionKeys.map(({ id, key }) => ({ id, key: createSecretKey(key) }));
  const [current] = keys;
  if (current === undefined) throw new Error("a vault needs at least one encryption key");
  const isBy = ({ id }: PreparedKey, sealed: string): boolean => sealed.split(".")[1] === id;
  return {
    seal: (secret, binding) => seal(current, "v2", secret, binding),
    open: (sealed, binding) => open(keys, "v2", sealed, binding),
    sealUnbound: (secret) => seal(current, "v1", secret),
    openUnbound: (sealed) => open(keys, "v1", sealed),
    isCurrent: (sealed) => isBy(current, sealed),
    knowsKeyOf: (sealed) => keys.some((key) => isBy(key, sealed)),
  };
}

function seal({ id, key }: PreparedKey, version: Version, secret: string, binding?: Binding): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(authenticated(id, binding));
  const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
  return `${version}.${id}.${Buffer.concat([iv, cipher.getAuthTag(), text]).toString("base64url")}`;
}

function open(keys: readonly PreparedKey[], expected: Version, sealed: string, binding?: Binding): string {
  const [version, id, body] = sealed.split(".");
  const key = keys.find((candidate) => candidate.id === id);
  if (version !== expected || key === undefined || body === undefined) {
    throw new UnopenedSecret(
      `no encryption key "${id ?? ""}" for a sealed secret: is it missing in ENCRYPTION_KEYS?`,
    );
  }
  try {
    return unseal(key, Buffer.from(body, "base64url"), binding);
  } catch (cause) {
    const text = `encryption key "${key.id}" does not open a secret sealed under that name: is it another one in ENCRYPTION_KEYS, or was the secret moved to another row?`;
    throw new UnopenedSecret(text, { cause });
  }
}

function unseal({ id, key }: PreparedKey, bytes: Buffer, binding?: Binding): string {
  const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(authenticated(id, binding));
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const text = [decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()];
  return Buffer.concat(text).toString("utf8");
}

/** As JSON, the parts of a place cannot run into each other. The id of a key contains no brackets. */
function authenticated(keyId: string, binding?: Binding): Buffer {
  return Buffer.from(binding === undefined ? keyId : JSON.stringify([keyId, ...binding]));
}
