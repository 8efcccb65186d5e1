import { randomUUID } from "node:crypto";
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK } from "jose";

export type KeyAlgorithm = "ES256" | "RS256" | "EdDSA";

/** A key of the cabinet, in the forms that its provider and its tokens need. */
export type SigningKey = {
  readonly kid: string;
  readonly algorithm: KeyAlgorithm;
  readonly privateKey: CryptoKey;
  readonly privateJwk: JWK;
  /** The public half as PEM: what a token confusion attack uses as a shared secret. */
  readonly publicPem: string;
};

/** A fresh key; RS256 takes about a hundred times longer to make than the others. */
export async function createSigningKey(algorithm: KeyAlgorithm): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const kid = randomUUID();
  const privateJwk = { ...(await exportJWK(privateKey)), kid, alg: algorithm, use: "sig" };
  return { kid, algorithm, privateKey, privateJwk, publicPem: await exportSPKI(publicKey) };
}
