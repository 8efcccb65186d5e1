/**
 * What can be done about it: try again `later`; wait until `retryAt` (`throttled`); have the user log in afresh
 * (`authorization-gone`); have the account's administrator allow it (`not-permitted`); accept that it is gone or
 * not ours (`not-found`); nothing, it can `never` work as it is.
 */
export type FaultKind =
  | "later"
  | "throttled"
  | "authorization-gone"
  | "not-permitted"
  | "not-found"
  | "never";

/** This one `call`, or the `tokens` that all calls of the link live on. */
type Refused = "call" | "tokens";

/** DocuSign's limit for the account, or for one envelope or document; or ours for first imports. */
type Limit = "account-limit" | "resource-limit" | "reserve-reached";

type FaultDetails = {
  readonly retryAt?: Date | null;
  readonly httpStatus?: number | null;
  readonly refused?: Refused;
  readonly limit?: Limit;
};

/** DocuSign did not do what was asked. Holds no token, address or text of the answer, and so may be logged. */
export class DocuSignFault extends Error {
  override readonly name = "DocuSignFault";
  readonly kind: FaultKind;
  /** DocuSign's own error code, or our word: `timeout`, `network`, `html`, `truncated`, … */
  readonly code: string;
  /** The moment from which it may be tried again, where that is known: for `throttled`, when DocuSign takes calls again. */
  readonly retryAt: Date | null;
  readonly httpStatus: number | null;
  /** For `authorization-gone`: what is refused. A call may be so for what it asks, though the authorisation stands. */
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

/** The code of what was broken off because this process ends: nobody's fault, and to be gone on with at once. */
const ENDING = "process-ending";

/** What calls that are broken off at the end of a process end in. */
export function endingFault(now: Date): DocuSignFault {
  return new DocuSignFault("later", ENDING, { retryAt: now });
}

/** Whether no answer came for as long as we waited: asking more would be waited for as long. */
export function isSilence(fault: DocuSignFault): boolean {
  return fault.code === "timeout" || isEnding(fault);
}

/** Whether the call was broken off by us. */
export function isEnding({ code }: DocuSignFault): boolean {
  return code === ENDING;
}

/** Whether the same call may be taken later, without anybody mending anything. */
export function isTransient({ kind }: DocuSignFault): boolean {
  return kind === "later" || kind === "throttled";
}

/** DocuSign does not take our integration key or its secret: no link is to blame, and none is to be mended. */
export function isOurCredentialsFault({ code }: DocuSignFault): boolean {
  return /^(invalid|unauthorized)_client$/i.test(code);
}

/** Whether DocuSign denies the user the right to what was asked for, or has nothing there to do it with. */
export function deniesRight({ kind }: DocuSignFault): boolean {
  return kind === "authorization-gone" || kind === "not-permitted" || kind === "not-found";
}

/**
 * What the call gives; null where DocuSign answered that it will not do it, for whatever reason. Throws where it
 * could not be reached, or does not let us in at all.
 */
export async function unlessRefused<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof DocuSignFault) || isTransient(error) || isOurCredentialsFault(error)) throw error;
    return null;
  }
}
