import { DocuSignFault } from "../../docusign/faults/faults.ts";
import { nextFullHour, startOfHour } from "../../domain/schedule.ts";
import { spendLookUps } from "../../store/links/look-ups.ts";
import type { Uses } from "../capabilities.ts";

/** The calls that the readers of one tenant may cause in a clock hour, over all processes (service-2, section 3). */
const MOST_PER_HOUR = 60;

/**
 * Counts the calls before they are made. Throws the fault `throttled` with the code `lookup-budget` if the tenant has no
 * look-ups left in this hour.
 */
export async function spendLookUp(
  { db, now }: Uses<"db" | "now">,
  tenant: string,
  calls: number,
): Promise<void> {
  const at = now();
  const isSpent = await spendLookUps(db, { tenant, hour: startOfHour(at), calls, most: MOST_PER_HOUR });
  if (!isSpent)
    throw new DocuSignFault("throttled", "lookup-budget", {
      retryAt: nextFullHour(at),
      limit: "lookups-spent",
    });
}
