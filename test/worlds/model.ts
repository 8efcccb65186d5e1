/**
 * A second implementation of import-rules 1, 2 and 4: plain lists, derived from the moves alone, without code of `src`.
 *
 * If the rules leave a question open, the model says `open` and accepts either answer. One case is a recipient by a
 * reassignment that DocuSign reported only after the completion, since the import may have come first. One way to qualify
 * is enough: if a listing did not name the recipients, the service need not find out if the envelope was received too.
 */

/** Somebody as an envelope names them; without a user id only the address tells who it is. */
export type Named = { readonly userId: string | null; readonly email: string };

/** An envelope as it was played. */
export type PlayedEnvelope = {
  readonly number: number;
  readonly envelopeId: string;
  readonly subject: string;
  readonly account: string;
  /** Whom the sender addressed, before anybody forwarded it. */
  readonly addressed: readonly Named[];
  /** The members of the signing groups among them. */
  readonly members: readonly Named[];
  readonly documents: readonly { readonly documentId: string; readonly name: string }[];
  forwarding: { readonly kind: "delegation" | "reassignment"; readonly to: Named } | null;
  /** Tenants that received the reassignment event: before the completion, or only afterwards. */
  readonly toldBefore: Set<string>;
  readonly toldAfter: Set<string>;
  /** Null for what is under way, voided or declined. */
  completedAt: Date | null;
  isOver: boolean;
  purged: boolean;
  /** Somebody posted a signed event about it to a link that may have nothing to do with it. */
  isForged: boolean;
  /** Listings leave its recipients out. */
  readonly listedBare: boolean;
  /** Listings do not show it before. */
  listedFrom: Date;
};

/** A link as it was played, with the windows that the history shows of it. */
export type PlayedLink = {
  readonly id: string;
  readonly tenant: string;
  readonly account: string;
  readonly user: { readonly userId: string; readonly email: string };
  readonly linkedAt: Date;
  sentFrom: Date | null;
  receivedFrom: Date | null;
  /** The start date in Japan. */
  from: string | null;
  endedAt: Date | null;
};

export type Truth = "yes" | "no" | "open";

/** True if the link's account sent it. */
function isSent(envelope: PlayedEnvelope, link: PlayedLink): boolean {
  return envelope.account === link.account;
}

/** True if the linked user is a recipient as it was before any forwarding. */
function isReceived(envelope: PlayedEnvelope, { user, tenant }: PlayedLink): Truth {
  if ([...envelope.addressed, ...envelope.members].some((one) => isSame(one, user))) return "yes";
  const { forwarding } = envelope;
  if (forwarding === null || !isSame(forwarding.to, user) || forwarding.kind === "delegation") return "no";
  if (envelope.toldBefore.has(tenant)) return "no";
  return envelope.toldAfter.has(tenant) ? "open" : "yes";
}

/** True if DocuSign lists it for the link, be it the link's or not. */
export function isShown(envelope: PlayedEnvelope, link: PlayedLink): boolean {
  if (isSent(envelope, link)) return true;
  const { addressed, members } = envelope;
  const listed = [
    ...addressed,
    ...members,
    ...(envelope.forwarding === null ? [] : [envelope.forwarding.to]),
  ];
  return listed.some((one) => isSame(one, link.user));
}

/** True if the link is to import the envelope, and with which stable codes that may be explained. */
export function judge(envelope: PlayedEnvelope, link: PlayedLink): { wanted: Truth; reasons: string[] } {
  const received = isReceived(envelope, link);
  const verdicts = (received === "open" ? [true, false] : [received === "yes"]).map((one) =>
    judgeKnown(envelope, link, one),
  );
  const reasons = verdicts.map(({ reason }) => reason);
  return { wanted: summarise(verdicts), reasons: [...reasons, ...halfKnown(envelope, reasons)] };
}

/** The reasons that are correct as well if a listing left the recipients out. */
function halfKnown(envelope: PlayedEnvelope, reasons: readonly string[]): string[] {
  if (!envelope.listedBare || envelope.completedAt === null) return [];
  const lack = lackOf(envelope);
  return [...reasons.flatMap((reason) => HALF_KNOWN[reason] ?? []), ...(lack === null ? [] : [lack])];
}

const HALF_KNOWN: Readonly<Record<string, string>> = {
  "sent-and-received": "sent",
  "forwarded-to-user": "before-window",
};

function summarise(verdicts: readonly { isWanted: boolean }[]): Truth {
  if (verdicts.every(({ isWanted }) => isWanted)) return "yes";
  return verdicts.some(({ isWanted }) => isWanted) ? "open" : "no";
}

function judgeKnown(
  envelope: PlayedEnvelope,
  link: PlayedLink,
  received: boolean,
): { isWanted: boolean; reason: string } {
  const { completedAt } = envelope;
  const no = (reason: string) => ({ isWanted: false, reason });
  if (completedAt === null) return no("not-completed");
  const sent = isSent(envelope, link);
  const asSent = sent && isSince(completedAt, link.sentFrom);
  const asReceived = received && isSince(completedAt, link.receivedFrom);
  if (!asSent && !asReceived) {
    if (sent || received) return no("before-window");
    return no(isForwardedTo(envelope, link) ? "forwarded-to-user" : "not-ours");
  }
  const lack = lackOf(envelope);
  if (lack !== null) return no(lack);
  const ways = [...(asSent ? ["sent"] : []), ...(asReceived ? ["received"] : [])];
  return { isWanted: true, reason: ways.join("-and-") };
}

/** The reason why nothing can be imported from the envelope, independent of sender and recipients. */
function lackOf({ purged, documents }: PlayedEnvelope): string | null {
  if (purged) return "documents-purged";
  return documents.length === 0 ? "no-documents" : null;
}

/** The calendar date in Japan, nine hours ahead of UTC the whole year. */
export function dateInJapan(moment: Date): string {
  return new Date(moment.getTime() + 9 * 3_600_000).toISOString().slice(0, 10);
}

function isForwardedTo({ forwarding }: PlayedEnvelope, { user }: PlayedLink): boolean {
  return forwarding !== null && isSame(forwarding.to, user);
}

function isSince(moment: Date, from: Date | null): boolean {
  return from === null || moment.getTime() >= from.getTime();
}

function isSame(one: Named, user: { readonly userId: string; readonly email: string }): boolean {
  if (one.userId !== null) return one.userId === user.userId;
  return one.email.toLowerCase() === user.email.toLowerCase();
}
