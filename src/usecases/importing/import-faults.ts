import type { DocuSignAccount } from "../../docusign/api/account.ts";
import { DocuSignFault, isEnding } from "../../docusign/faults/faults.ts";
import type { Envelope } from "../../domain/envelope.ts";
import { DOWNLOAD_AGAIN_MS, MOST_ATTEMPTS, nextAttempt } from "../../domain/retries.ts";
import { postponeEnvelope } from "../../store/ledger/claims.ts";
import type { LedgerEntry } from "../../store/ledger/envelopes.ts";
import { forgetEnvelope } from "../../store/ledger/settlements.ts";
import type { Link } from "../../store/links/links.ts";
import { BUDGET_RESERVE } from "../account/call-budgets.ts";
import type { Uses } from "../capabilities.ts";
import { askAdmin, failLink } from "../health/link-health.ts";
import { excludeEnvelope } from "./exclude-envelope.ts";
import type { ImportOutcome } from "./outcome.ts";

type Attempt = {
  readonly link: Link;
  readonly entry: LedgerEntry;
  readonly account: DocuSignAccount;
  /** As DocuSign shows it; null where it did not. */
  readonly envelope: Envelope | null;
};

/** An event may be faster than DocuSign's own index. */
const ATTEMPTS_TO_FIND = 4;
/** Where a throttled answer does not say until when. */
const UNSAID_WAIT_MS = 30_000;
/** What goes on for days all the same is told as a failure. What is wrong with a document stays told as that. */
const MAY_PASS = ["docusign-unavailable", "not-found-yet"];

/**
 * Leaves the envelope waiting for what the fault says. A fault of our own, such as a document store that is full,
 * is logged and waited out too: one envelope's must not stop the others of its link.
 */
export async function postponeAfterFault(
  deps: Uses<"adminProfiles" | "budgets" | "db" | "log" | "now">,
  attempt: Attempt,
  error: unknown,
): Promise<ImportOutcome> {
  const { link, entry } = attempt;
  if (!(error instanceof DocuSignFault)) {
    deps.log.error({ err: error, linkId: link.id, envelopeId: entry.envelopeId }, "import failed");
    return await retryLater(deps, attempt, { code: "internal", reason: "import-failed" });
  }
  deps.log.warn(
    { linkId: link.id, envelopeId: entry.envelopeId, fault: error.code, kind: error.kind },
    "import put off",
  );
  if (isEnding(error)) return await leaveToOthers(deps, attempt);
  switch (error.kind) {
    case "later":
      return await retryLater(deps, attempt, { code: error.code, reason: "docusign-unavailable" });
    case "throttled":
      return await waitForBudget(deps, attempt, error);
    case "authorization-gone":
      return error.refused === "tokens"
        ? await stopLink(deps, attempt, error)
        : await recheckAdmin(deps, attempt, error);
    case "not-permitted":
      return await recheckAdmin(deps, attempt, error);
    case "not-found":
      return await whereGone(deps, attempt, error);
    case "never":
      return await retryLater(deps, attempt, {
        code: error.code,
        reason: reasonOf(error),
        shortestMs: DOWNLOAD_AGAIN_MS,
      });
  }
}

/** This process ends: whoever comes next takes it up at once. */
async function leaveToOthers(deps: Uses<"db" | "now">, attempt: Attempt): Promise<ImportOutcome> {
  const until = deps.now();
  return await postpone(deps, attempt, { reason: "queued", until, code: null, countsAsAttempt: false });
}

async function retryLater(
  deps: Uses<"db" | "now">,
  attempt: Attempt,
  { code, reason, shortestMs }: { code: string; reason: string; shortestMs?: number },
): Promise<ImportOutcome> {
  const until = nextAttempt(attempt.entry.attempts, deps.now(), shortestMs);
  const isGivenUp = until === null && MAY_PASS.includes(reason);
  return await postpone(deps, attempt, { reason: isGivenUp ? "import-failed" : reason, until, code });
}

/** What DocuSign says of one envelope or document stops only that; what it says of the account stops all of it. */
async function waitForBudget(
  deps: Uses<"budgets" | "db" | "now">,
  attempt: Attempt,
  error: DocuSignFault,
): Promise<ImportOutcome> {
  const { code } = error;
  const until = error.retryAt ?? new Date(deps.now().getTime() + UNSAID_WAIT_MS);
  const ofAccount = code !== BUDGET_RESERVE && !/envelope|request_is_throttled/i.test(code);
  if (ofAccount) await deps.budgets.pause(attempt.link.account.id, until);
  const reason = code === BUDGET_RESERVE ? "budget-reserve" : "account-throttled";
  return await postpone(deps, attempt, { reason, until, code, countsAsAttempt: false });
}

async function stopLink(
  deps: Uses<"db" | "now">,
  attempt: Attempt,
  { code }: DocuSignFault,
): Promise<ImportOutcome> {
  await failLink(deps.db, attempt.link, "authorization-revoked");
  return await postpone(deps, attempt, { reason: "link-error", until: deps.now(), code });
}

/** What DocuSign refuses of one envelope may be that envelope's matter alone: what it then says of the user tells. */
async function recheckAdmin(
  deps: Uses<"adminProfiles" | "db" | "now">,
  attempt: Attempt,
  error: DocuSignFault,
): Promise<ImportOutcome> {
  if ((await askAdmin(deps, attempt.link, attempt.account)) !== "not-admin")
    return await retryLater(deps, attempt, { code: error.code, reason: "docusign-unavailable" });
  return await postpone(deps, attempt, { reason: "link-error", until: deps.now(), code: error.code });
}

/**
 * Of an envelope that is shown only a document is missing: purged or not, the envelope will say the next time. One that
 * a listing has shown as completed is looked for as long as anything is, before it counts as gone.
 */
async function whereGone(
  deps: Uses<"db" | "now">,
  attempt: Attempt,
  error: DocuSignFault,
): Promise<ImportOutcome> {
  const { entry, link, envelope } = attempt;
  const isListed = entry.completedAt !== null && entry.state !== "excluded";
  if (envelope !== null || entry.attempts < (isListed ? MOST_ATTEMPTS : ATTEMPTS_TO_FIND)) {
    return await retryLater(deps, attempt, { code: error.code, reason: "not-found-yet" });
  }
  if (entry.completedAt === null) {
    await forgetEnvelope(deps.db, entry.tenant, entry.envelopeId);
    return { kind: "unknown" };
  }
  return await excludeEnvelope(deps, link, {
    envelopeId: entry.envelopeId,
    reason: "documents-purged",
    completedAt: entry.completedAt,
  });
}

function reasonOf(error: DocuSignFault): string {
  if (error.code === "not-a-pdf") return "document-not-pdf";
  return error.code === "empty-document" ? "document-empty" : "import-failed";
}

async function postpone(
  { db }: Uses<"db">,
  { entry }: Attempt,
  put: { reason: string; until: Date | null; code: string | null; countsAsAttempt?: boolean },
): Promise<ImportOutcome> {
  await postponeEnvelope(db, {
    tenant: entry.tenant,
    envelopeId: entry.envelopeId,
    reason: put.reason,
    until: put.until,
    error: put.code,
    countsAsAttempt: put.countsAsAttempt ?? true,
  });
  return { kind: "waiting", reason: put.reason, until: put.until };
}
