/** Somebody as an envelope names them; without a user id only the address tells who it is. */
export type Named = { readonly userId: string | null; readonly email: string };

/** An envelope as it was played, in the words of import-rules.md. Knows nothing of the program that is tried. */
export type PlayedEnvelope = {
  readonly subject: string;
  readonly senderAccount: string;
  /** Whom the sender addressed, before anybody forwarded it. */
  readonly addressed: readonly Named[];
  /** Who got it by forwarding only. */
  readonly forwardedTo: readonly Named[];
  /** Null for what is under way, voided or declined. */
  readonly completedAt: Date | null;
  readonly purged: boolean;
  readonly documents: readonly string[];
};

/** A link as it was played: whose, and from when to when it counts. */
export type PlayedLink = {
  readonly tenant: string;
  readonly account: string;
  readonly userId: string;
  readonly email: string;
  readonly sentFrom: Date | null;
  readonly receivedFrom: Date | null;
  readonly until: Date | null;
};

/** The contracts that the rules name, as `tenant subject document`, in alphabetical order. */
export function contractsByTheRules(
  links: readonly PlayedLink[],
  envelopes: readonly PlayedEnvelope[],
): string[] {
  const contracts = new Set<string>();
  for (const link of links) {
    for (const envelope of envelopes) {
      if (envelope.completedAt === null || envelope.purged) continue;
      if (link.until !== null && envelope.completedAt >= link.until) continue;
      const sent = envelope.senderAccount === link.account && isSince(envelope.completedAt, link.sentFrom);
      const received = names(envelope.addressed, link) && isSince(envelope.completedAt, link.receivedFrom);
      if (!sent && !received) continue;
      for (const document of envelope.documents)
        contracts.add(`${link.tenant} ${envelope.subject} ${document}`);
    }
  }
  return [...contracts].sort();
}

/** How many completed envelopes DocuSign shows a link: all that its totals have to account for. */
export function countShownTo(link: PlayedLink, envelopes: readonly PlayedEnvelope[]): number {
  const shown = envelopes.filter(
    ({ completedAt, senderAccount, addressed, forwardedTo }) =>
      completedAt !== null &&
      (senderAccount === link.account || names(addressed, link) || names(forwardedTo, link)),
  );
  return shown.length;
}

function isSince(moment: Date, from: Date | null): boolean {
  return from === null || moment.getTime() >= from.getTime();
}

/** By user id; by address, whatever its case, only where there is no id. */
function names(people: readonly Named[], { userId, email }: PlayedLink): boolean {
  return people.some((one) =>
    one.userId === null ? one.email.toLowerCase() === email.toLowerCase() : one.userId === userId,
  );
}
