import { parseConnectMessage } from "../../docusign/connect/connect-message.ts";
import type { ConnectMessage } from "../../docusign/connect/message-identity.ts";
import { isSignedByAny } from "../../docusign/connect/signature.ts";
import type { LinkId } from "../../domain/identifiers.ts";
import { Refusal } from "../../domain/refusal.ts";
import { nextFullHour } from "../../domain/schedule.ts";
import { RecorderFull } from "../../store/events/event-recorder.ts";
import type { Uses } from "../capabilities.ts";

export type Delivery = {
  readonly linkId: LinkId;
  readonly body: Uint8Array;
  readonly signatures: readonly string[];
};

/**
 * Verifies the signature over the raw body, parses the message, then records it and queues its import in one commit.
 * Resolves only after that commit. Refuses as the receiver's table in service.md states. Database errors pass through.
 */
export async function receiveEvent(
  deps: Uses<"hmacKeys" | "importTiming" | "now" | "recorder">,
  delivery: Delivery,
): Promise<"recorded" | "foreign" | "repeat"> {
  if (!isSignedByAny(deps.hmacKeys, delivery.body, delivery.signatures)) {
    throw new Refusal("unauthorized", "No X-DocuSign-Signature header matches the body under a current key.");
  }
  const message = parseConnectMessage(delivery.body);
  if (message === null) throw new Refusal("malformed", "The body is neither Connect JSON nor Connect XML.");
  const recorded = await record(deps, delivery, message);
  if (recorded === "no-link") throw new Refusal("gone", "The link does not exist or has ended.");
  return recorded;
}

async function record(
  deps: Uses<"importTiming" | "now" | "recorder">,
  delivery: Delivery,
  message: ConnectMessage,
) {
  const now = deps.now();
  try {
    return await deps.recorder.record({
      linkId: delivery.linkId,
      identity: message.identity,
      format: message.format,
      event: message.event,
      envelopeId: message.envelopeId,
      accountId: message.accountId,
      configurationId: message.configurationId,
      generatedAt: message.generatedAt,
      receivedAt: now,
      body: delivery.body,
      forwardings: message.forwardings,
      import: asksForImport(message)
        ? { at: deps.importTiming === "hourly" ? nextFullHour(now) : null }
        : null,
    });
  } catch (error) {
    if (error instanceof RecorderFull)
      throw new Refusal("unavailable", "Too many events are waiting for the database.");
    throw error;
  }
}

function asksForImport(message: ConnectMessage): boolean {
  return message.event === "envelope-completed" && message.envelopeId !== null;
}
