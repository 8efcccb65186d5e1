/**
 * Kinds of faults by their remedy. `later`: try again. `throttled`: wait until `retryAt`. `authorization-gone`: the user
 * must log in again. `not-permitted`: the account's administrator must allow it. `not-found`: it is gone or not visible
 * to the user. `never`: the same call can never succeed.
 */
export type FaultKind =
  | "later"
  | "throttled"
  | "authorization-gone"
  | "not-permitted"
  | "not-found"
  | "never";

/** `call`: this call was rejected. `tokens`: the tokens that all calls of the link need. */
type Refused = "call" | "tokens";

/** DocuSign's limit for the account, or for one envelope or document; or ours: the reserve, and a tenant's look-ups. */
type Limit = "account-limit" | "resource-limit" | "reserve-reached" | "lookups-spent";

type FaultDetails = {
  readonly retryAt?: Date | null;
  readonly httpStatus?: number | null;
  readonly refused?: Refused;
  readonly limit?: Limit;
};

/** A failed call to DocuSign. Holds no token, address or text of the answer, so it may be logged. */
export class DocuSignFault extends Error {
  override readonly name = "DocuSignFault";
  readonly kind: FaultKind;
  /** DocuSign's error code, or one of ours: `timeout`, `network`, `html`, `truncated`, … */
  readonly code: string;
  /** When the call may be tried again, if known; for `throttled`, when DocuSign accepts calls again. */
  readonly retryAt: Date | null;
  readonly httpStatus: number | null;
  /** For `authorization-gone`: what was rejected. A single call can be rejected although the authorization is valid. */
  readonly refused: Refused;
  /** For `throttled`: whose calls are used up. */
  readonly limit: Limit;

  constructor(kind: FaultKind, code: string, details: FaultDetails = {}) {
    const httpStatus = details.httpStatus ?? null;
    super(httpStatus === null ? `DocuSign: ${code}` : `DocuSign: ${code} (HTTP ${httpStatus})`);
    this.kind = kind;
    this.code = code;
    this.retryAt = details.retryAt ?? null;
    this.httpStatus = httpStatus;
    this.refused = details.refused ?? "call";
    this.limit = details.limit ?? "account-limit";
  }
}

/** The code of a call that was aborted because this process ends. It does not count as a failure; retry at once. */
const ENDING = "process-ending";

/** The fault of calls that are aborted at the end of a process. */
export function endingFault(now: Date): DocuSignFault {
  return new DocuSignFault("later", ENDING, { retryAt: now });
}

/** True if DocuSign timed out; another call would probably time out too. */
export function isSilence(fault: DocuSignFault): boolean {
  return fault.code === "timeout" || isEnding(fault);
}

const UNFINISHED: ReadonlySet<number | null> = new Set([408, 503, 504]);

/** True if DocuSign gave the call up for lack of time. */
export function isUnfinished({ kind, code, httpStatus }: DocuSignFault): boolean {
  return kind === "later" && (code === "timeout" || UNFINISHED.has(httpStatus));
}

/** True if DocuSign could not finish the call in time, or failed itself. A smaller call may succeed. */
export function isOverload({ kind, code, httpStatus }: DocuSignFault): boolean {
  return kind === "later" && (code === "timeout" || (httpStatus !== null && httpStatus >= 500));
}

/** True if this process aborted the call. */
export function isEnding({ code }: DocuSignFault): boolean {
  return code === ENDING;
}

/** True if the same call may succeed later without any correction. */
export function isTransient({ kind }: DocuSignFault): boolean {
  return kind === "later" || kind === "throttled";
}

/** True if DocuSign rejects our integration key or its secret. No link is at fault. */
export function isOurCredentialsFault({ code }: DocuSignFault): boolean {
  return /^(invalid|unauthorized)_client$/i.test(code);
}

/** True if the user lacks the right at DocuSign, or the object does not exist. */
export function deniesRight({ kind }: DocuSignFault): boolean {
  return kind === "authorization-gone" || kind === "not-permitted" || kind === "not-found";
}

/** Codes that only the site returns that serves the account. */
const CODES_OF_RIGHTS: ReadonlySet<string> = new Set([
  "USER_NOT_ACCOUNT_ADMIN",
  "ACCOUNT_LACKS_PERMISSIONS",
  "USER_LACKS_PERMISSIONS",
  "USER_NOT_ACTIVATED",
  "USER_PENDING",
  "PLAN_ITEM_NOT_ENABLED",
  "TRIAL_ACCOUNT_EXPIRED",
]);

const LOST_CODES: ReadonlySet<string> = new Set(["network", "timeout", "html"]);

/**
 * True if a call for the whole account would also fail like this after the account moved to another site. The answer of
 * the old site is not documented (facts 12): no connection, silence, a redirect, HTML, 401, 404 or an unknown 4xx.
 */
export function mayHaveMoved(fault: DocuSignFault): boolean {
  switch (fault.kind) {
    case "later":
      return LOST_CODES.has(fault.code) || isRedirect(fault);
    case "throttled":
      return false;
    case "authorization-gone":
      return fault.refused === "call";
    case "not-permitted":
      return !CODES_OF_RIGHTS.has(fault.code.toUpperCase());
    case "not-found":
      return true;
    case "never":
      return !isOurCredentialsFault(fault);
  }
}

function isRedirect({ httpStatus }: DocuSignFault): boolean {
  return httpStatus !== null && httpStatus >= 300 && httpStatus < 400;
}

/**
 * Returns the result of the call, or null if DocuSign rejected it for any reason. Throws if DocuSign could not be
 * reached or rejects our credentials.
 */
export async function unlessRefused<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof DocuSignFault) || isTransient(error) || isOurCredentialsFault(error)) throw error;
    return null;
  }
}
