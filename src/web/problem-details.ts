import type { RefusalCode } from "../domain/refusal.ts";

/** Problem details (RFC 9457). `type` is `urn:torikomi:problem:` and a stable code. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance?: string;
};

/** Prefix of `type`, before the problem's code. */
export const PROBLEM_URN = "urn:torikomi:problem:";

/** Prefix of `instance`, before the request id. */
export const REQUEST_URN = "urn:torikomi:request:";

export type RequestFaultCode =
  | "not-found"
  | "method-not-allowed"
  | "request-timeout"
  | "too-large"
  | "unsupported-media-type"
  | "range-not-satisfiable"
  | "too-many-requests";

/** All problem codes. */
export type ProblemCode = RefusalCode | RequestFaultCode | "internal";
