import { createHash } from "node:crypto";
import { type ContractId, type EnvelopeId, parseUuid } from "../../domain/identifiers.ts";

const NAMESPACE = Buffer.from("6f5d4a1e6f1c5c0e9a3b3d1f6a7b8c9d", "hex");

/**
 * Returns the id of the contract of one document: the version-5 UUID (RFC 9562) of `TENANT/ENVELOPE_ID/DOCUMENT_ID`.
 * Importing the document again, after the database was set back, yields the same id.
 */
export function contractId(tenant: string, envelopeId: EnvelopeId, documentId: string): ContractId {
  const bytes = createHash("sha1").update(NAMESPACE).update(`${tenant}/${envelopeId}/${documentId}`).digest();
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex", 0, 16);
  const id = parseUuid<ContractId>(hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"));
  if (id === null) throw new Error("the hash of a contract's name is not a UUID");
  return id;
}
