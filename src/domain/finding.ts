import type { ExclusionReason, ImportReason, UndecidedReason } from "./ownership.ts";

/** Every stable reason code of an explanation (import-rules 6), by outcome. */
export type Reasons = {
  /** `already`: an earlier link imported it (import-rules 2.2). */
  readonly imported: ImportReason | "already";
  readonly excluded: ExclusionReason;
  readonly deleted: "deleted-in-cabinet";
  readonly waiting: UndecidedReason | OtherWaitingReason;
  readonly unknown: "never-seen" | "not-found";
};

type OtherWaitingReason =
  | "queued"
  | "hourly-timing"
  | "awaiting-approval"
  | "paused"
  | "link-error"
  | "link-ended"
  | "group-missing"
  | "account-throttled"
  | "budget-reserve"
  | "lookup-budget"
  | "docusign-unavailable"
  | "document-store-unavailable"
  | "not-found-yet"
  | "on-another-site"
  | "document-not-pdf"
  | "document-empty"
  | "import-failed";

export type Outcome = keyof Reasons;

/** An outcome with one of its reasons. */
export type Finding = { [O in Outcome]: { readonly outcome: O; readonly reason: Reasons[O] } }[Outcome];

/** The facts that an explanation may mention; the facts of a decision fit. Times are ISO strings in UTC. */
export type FindingFacts = {
  readonly status?: string | null;
  readonly completedAt?: string | null;
  readonly sentFrom?: string | null;
  readonly receivedFrom?: string | null;
  readonly sentByAccount?: boolean | null;
  readonly receivedByUser?: boolean | null;
  /** When the import is next due. */
  readonly waitingUntil?: string | null;
};

/** Builds the sentence for one reason from the facts. */
export type Text = (facts: FindingFacts) => string;

/** One sentence for every reason; a missing one does not compile. */
export type Texts = { readonly [O in Outcome]: { readonly [R in Reasons[O]]: Text } };
