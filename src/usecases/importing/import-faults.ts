import { DocumentStoreFault } from "../../documents/store-fault.ts";
import type { DocuSignAccount } from "../../docusign/api/account.ts";
import { faultFacts } from "../../docusign/faults/fault-facts.ts";
import { DocuSignFault } from "../../docusign/faults/faults.ts";
import type { Envelope } from "../../domain/envelope.ts";
import { decideFault, type Fault, type FaultWait, type ImportStep } from "../../domain/fault-policy.ts";
import { postponeEnvelope } from "../../store/ledger/claims.ts";
import type { LedgerEntry } from "../../store/ledger/envelopes.ts";
import { forgetEnvelope } from "../../store/ledger/settlements.ts";
import { recordNotice } from "../../store/links/link-notices.ts";
import type { Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { askAdmin, failLink } from "../health/link-health.ts";
import { noteRefusedWrite } from "./document-store.ts";
import { excludeEnvelope } from "./exclude-envelope.ts";
import type { ImportOutcome } from "./outcome.ts";

type Attempt = {
  readonly link: Link;
  readonly entry: LedgerEntry;
  readonly account: DocuSignAccount;
  /** As DocuSign returned it; null if it did not. */
  readonly envelope: Envelope | null;
};

/**
 * Reacts to a fault as the fault policy decides, and records what the envelope waits for. Does not throw if waiting
 * can help: a fault of one envelope must not stop the others of its link.
 */
export async function postponeAfterFault(
  deps: Uses<"adminProfiles" | "budgets" | "db" | "log" | "now">,
  attempt: Attempt,
  error: unknown,
): Promise<ImportOutcome> {
  report(deps, attempt, error);
  if (error instanceof DocumentStoreFault) await noteRefusedWrite(deps, error);
  const fault = factsOf(error);
  const reaction = decideFault(fault, stepOf(attempt), deps.now());
  switch (reaction.kind) {
    case "wait":
      if (reaction.asksUser && (await askAdmin(deps, attempt.link, attempt.account)) === "not-admin")
        return await waitForLink(deps, attempt, fault);
      if (reaction.accountPausedUntil !== null)
        await deps.budgets.pause(attempt.link.account.id, reaction.accountPausedUntil);
      if (UNREACHABLE.has(fault.kind))
        await recordNotice(deps.db, attempt.link.id, "docusign-unavailable", deps.now());
      return await postpone(deps, attempt, reaction, fault);
    case "fail-link":
      await failLink(deps.db, attempt.link, reaction.cause);
      return await waitForLink(deps, attempt, fault);
    case "not-found":
      return await giveUp(deps, attempt);
    case "throw":
      throw error;
  }
}

/** DocuSign answers none of the link's calls, as far as one call can show. */
const UNREACHABLE: ReadonlySet<Fault["kind"]> = new Set(["unavailable", "our-credentials"]);

function report({ log }: Uses<"log">, { link, entry }: Attempt, error: unknown): void {
  const about = { linkId: link.id, envelopeId: entry.envelopeId };
  if (error instanceof DocuSignFault)
    log.warn({ ...about, fault: error.code, kind: error.kind }, "import postponed");
  else if (error instanceof DocumentStoreFault)
    log.warn({ ...about, fault: error.code, kind: "document-store" }, "import postponed");
  else log.error({ err: error, ...about }, "import failed");
}

/** The facts of a fault of DocuSign or the document store. */
export function factsOf(error: unknown): Fault {
  if (error instanceof DocumentStoreFault) return { kind: "store-refused", code: error.code, retryAt: null };
  return faultFacts(error);
}

/** Once DocuSign has returned the envelope, only a document can be missing or refused. */
function stepOf({ entry, envelope }: Attempt): ImportStep {
  return {
    step: envelope === null ? "envelope" : "document",
    attempts: entry.attempts,
    isListed: entry.completedAt !== null && entry.state !== "excluded",
    isOnAnotherSite: envelope?.isOnAnotherSite ?? false,
  };
}

/** Leaves the envelope due: the link's state holds it back until the link is repaired. */
async function waitForLink(deps: Uses<"db" | "now">, attempt: Attempt, fault: Fault): Promise<ImportOutcome> {
  const wait = { reason: "link-error", until: deps.now(), countsAsAttempt: true } as const;
  return await postpone(deps, attempt, wait, fault);
}

/** Forgets an envelope that no listing has shown. The documents of a listed envelope have been purged. */
async function giveUp(deps: Uses<"db" | "now">, { entry, link }: Attempt): Promise<ImportOutcome> {
  const { tenant, envelopeId, completedAt } = entry;
  if (completedAt === null) {
    await forgetEnvelope(deps.db, tenant, envelopeId);
    return { kind: "unknown" };
  }
  return await excludeEnvelope(deps, link, { envelopeId, reason: "documents-purged", completedAt });
}

async function postpone(
  { db }: Uses<"db">,
  { entry: { tenant, envelopeId } }: Attempt,
  { reason, until, countsAsAttempt }: Pick<FaultWait, "reason" | "until" | "countsAsAttempt">,
  { code }: Fault,
): Promise<ImportOutcome> {
  await postponeEnvelope(db, { tenant, envelopeId, reason, until, error: code, countsAsAttempt });
  return { kind: "waiting", reason, until };
}
