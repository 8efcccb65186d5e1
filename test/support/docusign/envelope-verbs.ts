import type { Occurrence } from "./connect-events.ts";
import {
  delegateRecipient,
  markCompleted,
  markEnded,
  markPurged,
  reassignRecipient,
} from "./envelope-changes.ts";
import { createEnvelope, type EnvelopeWish } from "./envelopes.ts";
import type { DocuSignState, Envelope, User } from "./state.ts";

/** Actions of people on envelopes. Each resolves when Connect has posted its messages. */
export type EnvelopeVerbs = {
  sendEnvelope(wish: EnvelopeWish): Promise<Envelope>;
  /** Everybody has signed; at the clock's moment by default. */
  completeEnvelope(envelope: Envelope, options?: { at?: Date }): Promise<Envelope>;
  /** Sends and completes. */
  concludeEnvelope(wish: EnvelopeWish & { completedAt?: Date }): Promise<Envelope>;
  voidEnvelope(envelope: Envelope): Promise<Envelope>;
  declineEnvelope(envelope: Envelope): Promise<Envelope>;
  deleteEnvelope(envelope: Envelope): Promise<Envelope>;
  /** `documents_queued` changes the word only; `documents_purged` takes the documents away. */
  purgeDocuments(envelope: Envelope, purgeState: string): Promise<Envelope>;
  /** Another site holds the documents from now on, and downloads here are refused; null ends it. */
  holdDocumentsElsewhere(envelope: Envelope, refusal: Envelope["refusalOfDocuments"]): void;
  /** 転送: `to` takes the place of `from`, who becomes a carbon copy. */
  reassign(envelope: Envelope, from: User, to: User): Promise<Envelope>;
  /** 転送: `to` signs for `from`; both are listed and name each other. */
  delegate(envelope: Envelope, from: User, to: User, spelling?: "lower" | "capitalised"): Promise<Envelope>;
  /** Listings do not show it before this moment. */
  lateInListing(envelope: Envelope, until: Date): void;
  /** Listings show it to whom may see it, whatever they ask for. */
  extraneousInListing(envelope: Envelope): void;
  /** The same, at the end of every page that does not hold it anyway. */
  extraneousAtPageEnds(envelope: Envelope): void;
  /** Listings by completion show it among those that completed at this moment. */
  misplacedInListing(envelope: Envelope, as: Date): void;
  /** Listings leave its recipients out. */
  withoutRecipientsInListing(envelope: Envelope): void;
  /** Listings show it as these rows instead of its own; null ends it. */
  showInListing(envelope: Envelope, rows: Envelope["inListing"]["rowsInstead"]): void;
};

/** Changes the state, then tells; `tell` hands the occurrence to Connect. */
export function createEnvelopeVerbs(
  state: DocuSignState,
  tell: (occurrence: Occurrence) => Promise<void>,
): EnvelopeVerbs {
  const told = async (
    envelope: Envelope,
    event: string,
    more: Partial<Occurrence> = {},
  ): Promise<Envelope> => {
    await tell({ envelope, event, ...more });
    return envelope;
  };
  const end = (envelope: Envelope, status: "voided" | "declined" | "deleted"): Promise<Envelope> => {
    markEnded(envelope, status, state.now());
    return told(envelope, `envelope-${status}`);
  };
  const sendEnvelope = (wish: EnvelopeWish): Promise<Envelope> =>
    told(createEnvelope(state, wish), "envelope-sent");
  const completeEnvelope = async (envelope: Envelope, { at = state.now() } = {}): Promise<Envelope> => {
    markCompleted(envelope, at);
    const last = envelope.recipients.at(-1);
    if (last !== undefined) await told(envelope, "recipient-completed", { recipient: last });
    return await told(envelope, "envelope-completed");
  };
  return {
    sendEnvelope,
    completeEnvelope,
    concludeEnvelope: async ({ completedAt, ...wish }) =>
      await completeEnvelope(
        await sendEnvelope(completedAt === undefined ? wish : { sentAt: completedAt, ...wish }),
        completedAt === undefined ? {} : { at: completedAt },
      ),
    voidEnvelope: (envelope) => end(envelope, "voided"),
    declineEnvelope: (envelope) => end(envelope, "declined"),
    deleteEnvelope: (envelope) => end(envelope, "deleted"),
    purgeDocuments: (envelope, purgeState) => {
      markPurged(envelope, purgeState);
      return told(envelope, "envelope-purge");
    },
    holdDocumentsElsewhere: (envelope, refusal) => {
      envelope.refusalOfDocuments = refusal;
    },
    reassign: (envelope, from, to) => {
      const { original, successor } = reassignRecipient(state, envelope, from, to);
      return told(envelope, "recipient-reassign", { recipient: original, reassigned: successor });
    },
    delegate: (envelope, from, to, spelling = "lower") => {
      const recipient = delegateRecipient(state, envelope, { from, to, spelling });
      return told(envelope, "recipient-delegate", { recipient });
    },
    ...listingVerbs(),
  };
}

function listingVerbs(): Pick<
  EnvelopeVerbs,
  | "lateInListing"
  | "extraneousInListing"
  | "extraneousAtPageEnds"
  | "misplacedInListing"
  | "withoutRecipientsInListing"
  | "showInListing"
> {
  return {
    lateInListing: ({ inListing }, until) => {
      inListing.hiddenUntil = until;
    },
    extraneousInListing: ({ inListing }) => {
      inListing.extraneous = true;
    },
    extraneousAtPageEnds: ({ inListing }) => {
      inListing.atPageEnds = true;
    },
    misplacedInListing: ({ inListing }, as) => {
      inListing.placedAt = as;
    },
    withoutRecipientsInListing: ({ inListing }) => {
      inListing.withoutRecipients = true;
    },
    showInListing: ({ inListing }, rows) => {
      inListing.rowsInstead = rows;
    },
  };
}
