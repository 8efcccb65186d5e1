import type { LinkId } from "../../domain/identifiers.ts";
import { startOfHour } from "../../domain/schedule.ts";
import type { Reconciliation } from "../../store/ledger/reconciliations.ts";
import { enqueueReconciliation } from "../../store/queue/queue.ts";
import type { Uses } from "../capabilities.ts";
import { type ReconcileStep, reconcileStep } from "./reconcile-link.ts";

type Deps = Uses<
  "adminProfiles" | "budgets" | "db" | "largeImport" | "log" | "metrics" | "now" | "openAccount" | "publicUrl"
>;

export type HourOfLink = { readonly linkId: LinkId; readonly hour: Date };

/** Runs one step of a link's reconciliation and queues the next one, if there is one. */
export async function continueReconciliation(deps: Deps, { linkId, hour }: HourOfLink): Promise<void> {
  const to = currentHour(deps, hour);
  await afterStep(deps, { linkId, hour: to }, await reconcileStep(deps, { linkId, to }));
}

/** A late job reconciles up to the current hour, since it may have replaced the job of that hour. */
export function currentHour({ now }: Uses<"now">, hour: Date): Date {
  return new Date(Math.max(hour.getTime(), startOfHour(now()).getTime()));
}

/** Queues what follows a step, and counts what it found missing. */
export async function afterStep(
  deps: Uses<"db" | "metrics">,
  { linkId, hour }: HourOfLink,
  step: ReconcileStep,
): Promise<void> {
  switch (step.kind) {
    case "more":
      if (step.ended !== null) countMissed(deps, step.ended);
      return await enqueueReconciliation(deps.db, { linkId, hour, runAt: null, first: step.first });
    case "put-off":
      return await enqueueReconciliation(deps.db, { linkId, hour, runAt: step.until, first: false });
    case "done":
      return countMissed(deps, step.reconciliation);
    case "not-importing":
      return;
  }
}

/** No event can have announced what a first import finds, nor what an account without Connect concludes. */
function countMissed({ metrics }: Uses<"metrics">, { kind, unannounced }: Reconciliation): void {
  if (kind !== "first") metrics.missed(unannounced);
}
