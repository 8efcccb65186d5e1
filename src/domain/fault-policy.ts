import type { Reasons } from "./finding.ts";
import { DOWNLOAD_AGAIN_MS, MOST_ATTEMPTS, nextAttempt } from "./retries.ts";

/** The plain facts of a fault, independent of its source. */
export type Fault = {
  /** A row of the table in docs/design.md, "When a call to DocuSign fails". */
  readonly kind:
    | "own"
    | "store-refused"
    | "process-ending"
    | "unavailable"
    | "our-credentials"
    | "account-limit"
    | "resource-limit"
    | "reserve-reached"
    | "lookups-spent"
    | "tokens-gone"
    | "call-unauthorized"
    | "not-permitted"
    | "not-found"
    | "not-a-pdf"
    | "empty-document"
    | "refused";
  /** Stored in the ledger: DocuSign's error code or our own; null if there is none. */
  readonly code: string | null;
  /** When DocuSign accepts the call again; null if unknown. */
  readonly retryAt: Date | null;
};

/** The step of an import that failed: reading the envelope, or downloading one of its documents. */
export type ImportStep = {
  readonly step: "envelope" | "document";
  /** Includes the attempt that failed. */
  readonly attempts: number;
  /** A listing has shown the envelope as completed. */
  readonly isListed: boolean;
  /** Another site of DocuSign holds the documents. */
  readonly isOnAnotherSite: boolean;
};

/** A step of a reconciliation, or the daily check that the linked user is still DS Admin. */
type RepeatedStep = { readonly step: "listing" | "user" };

/** A person is waiting for the answer: nothing is written or queued. */
type ReadingStep = { readonly step: "look-up" | "dry-run" };

type AnyStep = ImportStep | RepeatedStep | ReadingStep;

export type Reaction<Until extends Date | null = Date | null> =
  /** Throw the fault: the job is retried, or the person gets an error. */
  | { readonly kind: "throw" }
  /** Put the link into error. */
  | { readonly kind: "fail-link"; readonly cause: "authorization-revoked" | "not-admin" }
  /** DocuSign does not have the envelope and is not asked again. */
  | { readonly kind: "not-found" }
  | FaultWait<Until>;

export type FaultWait<Until extends Date | null = Date | null> = {
  readonly kind: "wait";
  readonly reason: Reasons["waiting"];
  /** Null parks an import. For a reader, null means that the time is unknown. */
  readonly until: Until;
  /** False if the envelope itself is not at fault. */
  readonly countsAsAttempt: boolean;
  /** No process calls DocuSign for the account before this time. */
  readonly accountPausedUntil: Date | null;
  /** Check first that the user is still DS Admin. If not, the link goes into error instead. */
  readonly asksUser: boolean;
};

/** An event can arrive before DocuSign's own index shows the envelope. */
const ATTEMPTS_TO_FIND = 4;
/** A reconciliation repeats one call. Thousands of imports may wait together, so those double their waits. */
const AGAIN_MS = 60_000;
/** DocuSign's shortest limit; used if an answer does not report when the limit ends. */
const BURST_MS = 30_000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** After days of attempts these count as failures. A defect of a document keeps its own reason. */
const TEMPORARY: readonly string[] = ["docusign-unavailable", "document-store-unavailable", "not-found-yet"];

/** Decides the reaction to a fault (docs/design.md, "When a call to DocuSign fails"). */
export function decideFault(fault: Fault, place: RepeatedStep, now: Date): Reaction<Date>;
export function decideFault(fault: Fault, place: AnyStep, now: Date): Reaction;
export function decideFault(fault: Fault, place: AnyStep, now: Date): Reaction {
  return REACTIONS[fault.kind][place.step]({ fault, place, now });
}

type Case = { readonly fault: Fault; readonly place: AnyStep; readonly now: Date };
type Rule = (of: Case) => Reaction;
type Row = { readonly [Step in AnyStep["step"]]: Rule };

const THROW: Rule = () => ({ kind: "throw" });
const NOT_FOUND: Rule = () => ({ kind: "not-found" });
const REVOKED: Rule = () => ({ kind: "fail-link", cause: "authorization-revoked" });
const NOT_ADMIN: Rule = () => ({ kind: "fail-link", cause: "not-admin" });
const QUEUED: Rule = ({ now }) => wait("queued", now);
const LINK_ERROR: Rule = () => wait("link-error", null);
const UNAVAILABLE = retry("docusign-unavailable");
const ASK_USER = retry("docusign-unavailable", { asksUser: true });

const REACTIONS: Readonly<Record<Fault["kind"], Row>> = {
  own: { ...everywhere(THROW), ...importing(retry("import-failed")) },
  "store-refused": { ...everywhere(THROW), ...importing(retry("document-store-unavailable")) },
  "process-ending": { ...everywhere(QUEUED), ...reading(UNAVAILABLE) },
  unavailable: everywhere(UNAVAILABLE),
  "our-credentials": everywhere(UNAVAILABLE),
  "account-limit": everywhere(untilRetryAt("account-throttled", { pausesAccount: true })),
  "resource-limit": everywhere(untilRetryAt("account-throttled")),
  "reserve-reached": everywhere(untilRetryAt("budget-reserve")),
  "lookups-spent": everywhere(untilRetryAt("lookup-budget")),
  "tokens-gone": { ...everywhere(REVOKED), ...reading(LINK_ERROR) },
  "call-unauthorized": {
    ...everywhere(ASK_USER),
    document: orElsewhere(ASK_USER, { asksUser: true }),
    user: REVOKED,
    ...reading(LINK_ERROR),
  },
  "not-permitted": {
    ...everywhere(ASK_USER),
    document: orElsewhere(ASK_USER, { asksUser: true }),
    user: NOT_ADMIN,
    ...reading(LINK_ERROR),
  },
  "not-found": {
    envelope: seek,
    document: orElsewhere(retry("not-found-yet")),
    listing: ASK_USER,
    user: NOT_ADMIN,
    "look-up": NOT_FOUND,
    "dry-run": UNAVAILABLE,
  },
  refused: refusal(orElsewhere(retry("import-failed", { shortestMs: DOWNLOAD_AGAIN_MS }))),
  "not-a-pdf": refusal(retry("document-not-pdf", { shortestMs: DOWNLOAD_AGAIN_MS })),
  "empty-document": refusal(retry("document-empty", { shortestMs: DOWNLOAD_AGAIN_MS })),
};

function everywhere(rule: Rule): Row {
  return { ...importing(rule), listing: rule, user: rule, ...reading(rule) };
}

function importing(rule: Rule): Pick<Row, ImportStep["step"]> {
  return { envelope: rule, document: rule };
}

function reading(rule: Rule): Pick<Row, ReadingStep["step"]> {
  return { "look-up": rule, "dry-run": rule };
}

/** DocuSign's limits on repeated calls are for downloads. A plain GET is retried as after a server error. */
function refusal(document: Rule): Row {
  return {
    envelope: retry("import-failed"),
    document,
    listing: ASK_USER,
    user: NOT_ADMIN,
    ...reading(UNAVAILABLE),
  };
}

/** A site may refuse the documents that another site holds. They may move here, so each day is tried. */
function orElsewhere(rule: Rule, { asksUser = false } = {}): Rule {
  return (of) => {
    if (!isImport(of.place) || !of.place.isOnAnotherSite) return rule(of);
    return { ...wait("on-another-site", after(of.now, DAY_MS)), asksUser };
  };
}

type RetryOptions = { readonly asksUser?: boolean; readonly shortestMs?: number };

function retry(reason: Reasons["waiting"], { asksUser = false, shortestMs }: RetryOptions = {}): Rule {
  return ({ place, now }) => {
    if (isReading(place)) return wait(reason, null);
    if (!isImport(place)) return { ...wait(reason, after(now, AGAIN_MS)), asksUser };
    const until = nextAttempt(place.attempts, now, shortestMs);
    const isGivenUp = until === null && TEMPORARY.includes(reason);
    return { ...wait(isGivenUp ? "import-failed" : reason, until), countsAsAttempt: true, asksUser };
  };
}

function untilRetryAt(reason: Reasons["waiting"], { pausesAccount = false } = {}): Rule {
  return ({ fault, now }) => {
    const until = fault.retryAt ?? after(now, BURST_MS);
    return { ...wait(reason, until), accountPausedUntil: pausesAccount ? until : null };
  };
}

/** An envelope that a listing has shown as completed gets the full number of attempts before it counts as gone. */
function seek(of: Case): Reaction {
  const { place } = of;
  const isGone = isImport(place) && place.attempts >= (place.isListed ? MOST_ATTEMPTS : ATTEMPTS_TO_FIND);
  return isGone ? { kind: "not-found" } : retry("not-found-yet")(of);
}

function wait(reason: Reasons["waiting"], until: Date | null): FaultWait {
  return { kind: "wait", reason, until, countsAsAttempt: false, accountPausedUntil: null, asksUser: false };
}

function isImport(place: AnyStep): place is ImportStep {
  return "attempts" in place;
}

function isReading({ step }: AnyStep): boolean {
  return step === "look-up" || step === "dry-run";
}

function after(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}
