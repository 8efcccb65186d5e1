import { parseConnectMessage } from "../../docusign/connect/connect-message.ts";
import type { ConnectMessage } from "../../docusign/connect/message-identity.ts";
import type { SignatureCheck } from "../../docusign/connect/signature.ts";
import { withoutDocuments } from "../../docusign/connect/stored-body.ts";
import type { LinkId } from "../../domain/identifiers.ts";
import { Refusal } from "../../domain/refusal.ts";
import { nextFullHour } from "../../domain/schedule.ts";
import { RecorderFull } from "../../store/events/event-recorder.ts";
import type { ConnectEvent, Recorded } from "../../store/events/record-events.ts";
import type { Uses } from "../capabilities.ts";

export type Delivery = {
  readonly linkId: LinkId;
  /** Taken out while the event is read, so that the memory of a large body is free during the commit. */
  readonly parts: Uint8Array[];
  /** Has seen all parts. */
  readonly signature: SignatureCheck;
};

/**
 * Verifies the signature over the raw body, parses the message, then records it and queues its import in one commit.
 * Resolves only after that commit. Refuses as the receiver's table in service.md states. Database errors pass through.
 */
export async function receiveEvent(
  deps: Uses<"importTiming" | "now" | "recorder">,
  delivery: Delivery,
): Promise<"recorded" | "foreign" | "repeat"> {
  const recorded = await record(deps, readEvent(deps, delivery));
  if (recorded === "no-link") throw new Refusal("gone", "The link does not exist or has ended.");
  return recorded;
}

function readEvent(
  { importTiming, now }: Uses<"importTiming" | "now">,
  { linkId, parts, signature }: Delivery,
): ConnectEvent {
  if (!signature.holds()) throw unsigned();
  const body = joinParts(parts.splice(0));
  const message = parseConnectMessage(body);
  if (message === null) throw new Refusal("malformed", "The body is neither Connect JSON nor Connect XML.");
  const receivedAt = now();
  return {
    ...message,
    linkId,
    receivedAt,
    body: withoutDocuments(body, message),
    import: asksForImport(message)
      ? { at: importTiming === "hourly" ? nextFullHour(receivedAt) : null }
      : null,
  };
}

/** The refusal of a body without a valid signature. */
export function unsigned(): Refusal {
  return new Refusal("unauthorized", "No X-DocuSign-Signature header matches the body under a current key.");
}

function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}

async function record({ recorder }: Uses<"recorder">, event: ConnectEvent): Promise<Recorded> {
  try {
    return await recorder.record(event);
  } catch (error) {
    if (error instanceof RecorderFull)
      throw new Refusal("unavailable", "Too many events are waiting for the database.");
    throw error;
  }
}

function asksForImport(message: ConnectMessage): boolean {
  return message.event === "envelope-completed" && message.envelopeId !== null;
}
