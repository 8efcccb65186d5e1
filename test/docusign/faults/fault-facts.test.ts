import assert from "node:assert/strict";
import { test } from "node:test";
import { faultOfAnswer } from "../../../src/docusign/faults/answer-faults.ts";
import { faultFacts } from "../../../src/docusign/faults/fault-facts.ts";
import { DocuSignFault, endingFault } from "../../../src/docusign/faults/faults.ts";

const NOW = new Date("2031-01-15T03:00:00Z");

function answered(status: number, errorCode: string): DocuSignFault {
  return faultOfAnswer({ status, headers: new Headers(), body: { errorCode } }, NOW);
}

const TOKENS_REFUSED = new DocuSignFault("authorization-gone", "invalid_grant", { refused: "tokens" });
const LOOKED_UP = new DocuSignFault("throttled", "lookup-budget", { limit: "lookups-spent" });
const RESERVED = new DocuSignFault("throttled", "budget-reserve", { limit: "reserve-reached" });

const CASES: readonly (readonly [what: string, error: unknown, kind: string, code: string | null])[] = [
  ["an internal error", new Error("disk full"), "own", "internal"],
  ["a call aborted by the end of this process", endingFault(NOW), "process-ending", null],
  ["a server error", answered(503, "X"), "unavailable", "X"],
  ["a rejected integration key", answered(401, "invalid_client"), "our-credentials", "invalid_client"],
  [
    "the hourly limit",
    answered(400, "HOURLY_APIINVOCATION_LIMIT_EXCEEDED"),
    "account-limit",
    "HOURLY_APIINVOCATION_LIMIT_EXCEEDED",
  ],
  ["a limit without a known code", answered(429, "X"), "account-limit", "X"],
  [
    "an envelope's limit",
    answered(400, "HOURLY_ENVELOPE_POLLING_LIMIT_EXCEEDED"),
    "resource-limit",
    "HOURLY_ENVELOPE_POLLING_LIMIT_EXCEEDED",
  ],
  [
    "an envelope's limit by another name",
    answered(429, "SOME_ENVELOPE_LIMIT"),
    "resource-limit",
    "SOME_ENVELOPE_LIMIT",
  ],
  [
    "a blocked download",
    answered(400, "API_REQUEST_IS_THROTTLED"),
    "resource-limit",
    "API_REQUEST_IS_THROTTLED",
  ],
  ["a first import's reserve", RESERVED, "reserve-reached", "budget-reserve"],
  ["a tenant's look-ups", LOOKED_UP, "lookups-spent", "lookup-budget"],
  ["a rejected refresh", TOKENS_REFUSED, "tokens-gone", "invalid_grant"],
  ["a rejected access token", answered(401, "X"), "call-unauthorized", "X"],
  ["a missing right", answered(403, "X"), "not-permitted", "X"],
  ["an unknown envelope", answered(404, "X"), "not-found", "X"],
  ["a document that is not a PDF", new DocuSignFault("never", "not-a-pdf"), "not-a-pdf", "not-a-pdf"],
  ["an empty document", new DocuSignFault("never", "empty-document"), "empty-document", "empty-document"],
  ["an unknown rejection", answered(400, "X"), "refused", "X"],
];

for (const [what, error, kind, code] of CASES) {
  test(`${what} is a fault of kind "${kind}"`, () => {
    const facts = faultFacts(error);

    assert.deepEqual([facts.kind, facts.code], [kind, code]);
  });
}

test("the end of a limit is passed on", () => {
  const { retryAt } = faultFacts(answered(400, "BURST_APIINVOCATION_LIMIT_EXCEEDED"));

  assert.deepEqual(retryAt, new Date("2031-01-15T03:00:30Z"));
});
