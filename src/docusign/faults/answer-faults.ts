import { readErrorCode } from "./error-code.ts";
import { DocuSignFault, type FaultKind } from "./faults.ts";
import { isThrottling, limitOf, readRetryMoment } from "./throttling.ts";

/** An HTTP answer from any client. The body is text, parsed JSON, or undefined if there is none. */
export type Answer = { readonly status: number; readonly headers: Headers; readonly body: unknown };

const KIND_OF_CODE: ReadonlyMap<string, FaultKind> = new Map(
  Object.entries({
    INVALID_GRANT: "authorization-gone",
    CONSENT_REQUIRED: "authorization-gone",
    AUTHORIZATION_INVALID_TOKEN: "authorization-gone",
    USER_AUTHENTICATION_FAILED: "authorization-gone",
    PARTNER_AUTHENTICATION_FAILED: "authorization-gone",
    USER_NOT_ACCOUNT_ADMIN: "not-permitted",
    ACCOUNT_LACKS_PERMISSIONS: "not-permitted",
    USER_LACKS_PERMISSIONS: "not-permitted",
    USER_LACKS_MEMBERSHIP: "not-permitted",
    USER_DOES_NOT_BELONG_TO_SPECIFIED_ACCOUNT: "not-permitted",
    USER_NOT_ACTIVATED: "not-permitted",
    USER_PENDING: "not-permitted",
    PLAN_ITEM_NOT_ENABLED: "not-permitted",
    TRIAL_ACCOUNT_EXPIRED: "not-permitted",
    ENVELOPE_DOES_NOT_EXIST: "not-found",
    ENVELOPE_NOT_FOUND: "not-found",
    ACCOUNT_NOT_AUTHORIZED_FOR_ENVELOPE: "not-found",
    USER_NOT_ENVELOPE_SENDER_OR_RECIPIENT: "not-found",
    USER_NOT_FOUND: "not-found",
    INVALID_CLIENT: "never",
    UNAUTHORIZED_CLIENT: "never",
    SERVER_ERROR: "later",
    INTERNAL_SERVER_ERROR: "later",
    TEMPORARILY_UNAVAILABLE: "later",
  } satisfies Record<string, FaultKind>),
);

/**
 * Converts an unsuccessful answer to a fault. The error code decides, compared case-insensitively; the status decides
 * only if the code is unknown. `now` is used if a throttled answer does not report when the limit ends.
 */
export function faultOfAnswer(answer: Answer, now: Date): DocuSignFault {
  const { status: httpStatus, headers } = answer;
  const code = readErrorCode(answer.body);
  if (isThrottling(httpStatus, code)) {
    const retryAt = readRetryMoment(code, headers, now);
    return new DocuSignFault("throttled", code ?? `http-${httpStatus}`, {
      retryAt,
      httpStatus,
      limit: limitOf(code),
    });
  }
  const known = code === null ? undefined : KIND_OF_CODE.get(code.toUpperCase());
  if (known !== undefined && code !== null) return new DocuSignFault(known, code, { httpStatus });
  if (isHtml(answer)) return new DocuSignFault("later", "html", { httpStatus });
  return new DocuSignFault(kindOfStatus(httpStatus), code ?? `http-${httpStatus}`, { httpStatus });
}

/** True for an HTML page instead of data: a proxy in front of DocuSign sent it, whatever its status. */
export function isHtml({ headers, body }: Answer): boolean {
  if (/^(text\/html|application\/xhtml)/i.test(headers.get("content-type") ?? "")) return true;
  return typeof body === "string" && /^\s*</.test(body);
}

const KIND_OF_STATUS: ReadonlyMap<number, FaultKind> = new Map<number, FaultKind>([
  [401, "authorization-gone"],
  [403, "not-permitted"],
  [404, "not-found"],
  [408, "later"],
  // DocuSign's traffic management ended the call.
  [444, "later"],
]);

function kindOfStatus(status: number): FaultKind {
  return KIND_OF_STATUS.get(status) ?? (status >= 400 && status < 500 ? "never" : "later");
}

const TIMEOUT_CODES: ReadonlySet<unknown> = new Set([
  "ECONNABORTED",
  "ETIMEDOUT",
  "TimeoutError",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

/** Converts a missing answer to a fault. The error itself is dropped: it holds the request with its token. */
export function faultOfSilence(error: unknown): DocuSignFault {
  if (error instanceof DocuSignFault) return error;
  if (!(error instanceof Error)) return new DocuSignFault("later", "network");
  const codes = [error.name, codeOf(error), codeOf(error.cause)];
  return new DocuSignFault("later", codes.some((code) => TIMEOUT_CODES.has(code)) ? "timeout" : "network");
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
