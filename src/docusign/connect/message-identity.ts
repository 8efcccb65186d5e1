import { hash } from "node:crypto";
import type { Forwarding } from "../../domain/envelope.ts";
import type { AccountId, EnvelopeId } from "../../domain/identifiers.ts";

/** A message from DocuSign Connect, independent of its format. It is a hint; the API decides. */
export type ConnectMessage = {
  readonly format: "json-sim" | "json-aggregate" | "xml";
  /** DocuSign's newer names, also for the older formats: `envelope-completed`, `recipient-reassign`, … */
  readonly event: string;
  /** Null if the message is not about an envelope. */
  readonly envelopeId: EnvelopeId | null;
  /** The account whose configuration sent the message; null for the older formats. */
  readonly accountId: AccountId | null;
  readonly configurationId: string | null;
  readonly generatedAt: Date | null;
  /** Equal for a message and its retries, different for all other messages of the link. */
  readonly identity: string;
  readonly forwardings: readonly Forwarding[];
};

/** Joins the parts that identify a message at DocuSign into one short text. Parts may have any content and length. */
export function messageIdentity(format: string, parts: readonly (string | null)[]): string {
  return `${format}:${hash("sha256", JSON.stringify(parts), "base64url")}`;
}
