import { hash } from "node:crypto";
import type { Forwarding } from "../../domain/envelope.ts";
import type { AccountId, EnvelopeId } from "../../domain/identifiers.ts";

/** What a message from DocuSign Connect tells, whatever its format. A hint: the API is the truth. */
export type ConnectMessage = {
  readonly format: "json-sim" | "json-aggregate" | "xml";
  /** DocuSign's newer names, for the older formats too: `envelope-completed`, `recipient-reassign`, … */
  readonly event: string;
  /** Null where the message is about something other than an envelope. */
  readonly envelopeId: EnvelopeId | null;
  /** The account whose configuration sent it; the older formats don't tell. */
  readonly accountId: AccountId | null;
  readonly configurationId: string | null;
  readonly generatedAt: Date | null;
  /** The same for a message and its retries, different for any other message of the same link. */
  readonly identity: string;
  readonly forwardings: readonly Forwarding[];
};

/** One short text for what identifies a message at DocuSign. Parts may hold anything and be of any length. */
export function messageIdentity(format: string, parts: readonly (string | null)[]): string {
  return `${format}:${hash("sha256", JSON.stringify(parts), "base64url")}`;
}
