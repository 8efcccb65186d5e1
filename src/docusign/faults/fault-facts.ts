import type { Fault } from "../../domain/fault-policy.ts";
import { DocuSignFault, isEnding, isOurCredentialsFault } from "./faults.ts";

/** Reduces an error to the facts that the policy needs. Every error except a `DocuSignFault` is our own. */
export function faultFacts(error: unknown): Fault {
  if (!(error instanceof DocuSignFault)) return { kind: "own", code: "internal", retryAt: null };
  if (isEnding(error)) return { kind: "process-ending", code: null, retryAt: null };
  return { kind: kindOf(error), code: error.code, retryAt: error.retryAt };
}

function kindOf(fault: DocuSignFault): Fault["kind"] {
  switch (fault.kind) {
    case "later":
      return "unavailable";
    case "throttled":
      return fault.limit;
    case "authorization-gone":
      return fault.refused === "tokens" ? "tokens-gone" : "call-unauthorized";
    case "never":
      return isOurCredentialsFault(fault) ? "our-credentials" : (UNUSABLE[fault.code] ?? "refused");
    default:
      return fault.kind;
  }
}

/** Codes of documents that arrived but cannot be used. */
const UNUSABLE: Readonly<Record<string, Fault["kind"]>> = {
  "not-a-pdf": "not-a-pdf",
  "empty-document": "empty-document",
};
