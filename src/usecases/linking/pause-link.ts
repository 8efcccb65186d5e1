import { Refusal } from "../../domain/refusal.ts";
import { recordAudit } from "../../store/links/audit.ts";
import { changeLink } from "../../store/links/link-writes.ts";
import type { Uses } from "../capabilities.ts";
import { recoverLink } from "../health/link-health.ts";
import type { Owner } from "./begin-linking.ts";
import { changeCurrent, entryOf } from "./change-link.ts";

/**
 * Stops listing and importing until the link is resumed. Events are still recorded. Refuses with `link-not-found`, or with
 * `not-active` if the link is in another state.
 */
export async function pauseLink(deps: Uses<"db" | "now">, owner: Owner): Promise<void> {
  await changeCurrent(deps, owner, async (tx, link, now) => {
    if (link.state !== "active") throw new Refusal("not-active", "Only an active link can be paused.");
    await changeLink(tx, link.id, { pausedAt: now });
    await recordAudit(tx, { ...entryOf(link, owner, now), action: "paused", details: {} });
  });
}

/**
 * Resumes a paused link. A reconciliation then accounts for what completed meanwhile. Refuses with `link-not-found`, or with
 * `not-paused` if the link is in another state.
 */
export async function resumeLink(deps: Uses<"db" | "now">, owner: Owner): Promise<void> {
  await changeCurrent(deps, owner, async (tx, link, now) => {
    if (link.state !== "paused") throw new Refusal("not-paused", "The link is not paused.");
    await changeLink(tx, link.id, { pausedAt: null });
    await recoverLink(tx, link, now);
    await recordAudit(tx, { ...entryOf(link, owner, now), action: "resumed", details: {} });
  });
}
