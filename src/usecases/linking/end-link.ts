import { withdrawTombstone } from "../../documents/tombstones.ts";
import type { DocuSignAccount } from "../../docusign/api/account.ts";
import { DocuSignFault, isSilence, unlessRefused } from "../../docusign/faults/faults.ts";
import { Refusal } from "../../domain/refusal.ts";
import { earlierEnds, type LinkTombstone } from "../../domain/tombstone.ts";
import { ALL_HISTORY, endOf, LISTING_DELAY_MS } from "../../domain/window.ts";
import type { Database } from "../../store/database.ts";
import { countTotals } from "../../store/ledger/counts.ts";
import { abandonRun } from "../../store/ledger/reconciliations.ts";
import { oldestAnnounced, oldestWaiting } from "../../store/ledger/waiting-envelopes.ts";
import { type Person, recordAudit } from "../../store/links/audit.ts";
import { changeLink, closeLink, lockLink } from "../../store/links/link-writes.ts";
import { findCurrentLink, findLink, type Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { ensureConnect, leavePending, removeConnect } from "../health/ensure-connect.ts";
import { leaveTombstone } from "../leave-tombstone.ts";
import { reconcileAloneSoon } from "../reconciling/lock.ts";
import type { Owner } from "./begin-linking.ts";
import { takeLastLook } from "./last-look.ts";
import { computeTotals } from "./link-totals.ts";

type Deps = Uses<"adminProfiles" | "db" | "documents" | "log" | "now" | "openAccount" | "publicUrl">;

/**
 * The work at DocuSign when a link ends. `last-look` lists what completed so far and removes the configurations;
 * `removal` only removes them; `no-call` leaves DocuSign alone.
 */
export type Farewell = "last-look" | "removal" | "no-call";

/**
 * Ends the tenant's link. Removes its Connect configurations from DocuSign and destroys its tokens; history and
 * contracts remain (import-rules 5). The next link imports what this one did not account for (import-rules 2.3).
 * Refuses with `link-not-found`. Refuses with `deletion-failed` if DocuSign is unreachable, or does not remove
 * configurations that the user may remove, and with `unavailable` if the document store takes no tombstone; the link
 * then stays as before. If DocuSign refuses the last look, the link still ends, with what it had accounted for.
 */
export async function endLink(deps: Deps, owner: Owner, farewell: Farewell = "last-look"): Promise<void> {
  const link = await findCurrentLink(deps.db, owner.tenant);
  if (link === null) throw new Refusal("link-not-found");
  // Taken before the calls to DocuSign: what completes from now on belongs to the next link.
  const endedAt = deps.now();
  const account = deps.openAccount(link, undefined, "person");
  if (farewell === "last-look") {
    try {
      await unlessRefused(takeLastLook(deps, link, account, endedAt));
    } catch (error) {
      throw asFailure(deps, link, error);
    }
  }
  const end = async (): Promise<true> => {
    // The reconciliation that held the lock may have created configurations meanwhile.
    const current = await findLink(deps.db, link.id);
    if (current === null || current.state === "ended") throw new Refusal("link-not-found");
    const tombstone = await announceEnd(deps, current, endedAt);
    if (farewell !== "no-call") await leaveDocuSign(deps, current, { account, tombstone });
    try {
      await commitEnd(deps.db, link, { endedAt, by: owner });
    } catch (error) {
      await withdrawUnlessEnded(deps, tombstone);
      throw error;
    }
    return true;
  };
  // A concurrent reconciliation would create the removed configurations again.
  if ((await reconcileAloneSoon(deps.db, link.id, end)) === null) await end();
}

/** If this process dies from here on, the link ends within the hour. */
async function announceEnd(
  deps: Uses<"db" | "documents" | "log">,
  link: Link,
  endedAt: Date,
): Promise<LinkTombstone> {
  const tombstone: LinkTombstone = {
    kind: "link",
    id: link.id,
    tenant: link.tenant,
    accountId: link.account.id,
    userId: link.user.id,
    deletedAt: endedAt,
    sentFrom: link.sentFrom,
    receivedFrom: link.receivedFrom,
    ...(await endsOf(deps.db, link, endedAt)),
  };
  await changeLink(deps.db, link.id, { endingAt: endedAt });
  try {
    await leaveTombstone(deps, tombstone);
  } catch (error) {
    await withdraw(deps, tombstone);
    throw error;
  }
  return tombstone;
}

/** The answer to a commit can be lost. If the database does not answer, the tombstone stays, and the hour decides. */
async function withdrawUnlessEnded(
  deps: Uses<"db" | "documents" | "log">,
  tombstone: LinkTombstone,
): Promise<void> {
  const link = await findLink(deps.db, tombstone.id).catch(() => null);
  if (link !== null && link.state !== "ended") await withdraw(deps, tombstone);
}

async function withdraw(
  { documents, log }: Uses<"documents" | "log">,
  tombstone: LinkTombstone,
): Promise<void> {
  try {
    await withdrawTombstone(documents, tombstone);
  } catch (error) {
    log.warn({ linkId: tombstone.id, err: error }, "the tombstone of a link could not be withdrawn");
  }
}

type Leaving = { readonly account: DocuSignAccount; readonly tombstone: LinkTombstone };

/** Removes the configurations; on failure, restores them and leaves the link as before. */
async function leaveDocuSign(
  deps: Uses<"db" | "documents" | "log" | "now" | "publicUrl">,
  link: Link,
  { account, tombstone }: Leaving,
): Promise<void> {
  // If the deletion fails from here on, the next reconciliation restores the configurations.
  await leavePending(deps.db, link);
  try {
    await removeConnect(deps, link, account);
  } catch (error) {
    await withdraw(deps, tombstone);
    await putBack(deps, link, account, error);
    throw asFailure(deps, link, error);
  }
}

type Ends = Pick<LinkTombstone, "sentUntil" | "receivedUntil">;

/** Returns how far a link that ends has accounted for every envelope (import-rules 2.3). */
async function endsOf(db: Database, link: Link, endedAt: Date): Promise<Ends> {
  return endOf({
    endedAt,
    sentFrom: link.sentFrom,
    receivedFrom: link.receivedFrom,
    reachedSent: link.sentReached,
    reachedReceived: link.receivedReached,
    oldestWaiting: await oldestWaiting(db, link.id),
    oldestAnnounced: await oldestAnnounced(db, link.id, {
      sinceEver: ALL_HISTORY,
      unlistedFrom: new Date(endedAt.getTime() - LISTING_DELAY_MS),
    }),
  });
}

export type End = {
  readonly endedAt: Date;
  /** Who ended it, for the audit trail. */
  readonly by: Person;
  /** The ends according to the tombstone of the link; the earlier times count. */
  readonly remembered?: Ends;
};

/** Ends a link that has left DocuSign. Refuses with `link-not-found` if it has ended. */
export async function commitEnd(
  db: Database,
  { id, tenant, state, cause }: Pick<Link, "id" | "tenant" | "state" | "cause">,
  { endedAt, by, remembered }: End,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const current = await lockLink(tx, id, "update");
    if (current === null || current.state === "ended") throw new Refusal("link-not-found");
    const known = await endsOf(tx, current, endedAt);
    const until = remembered === undefined ? known : earlierEnds(known, remembered);
    await abandonRun(tx, id, endedAt);
    const totals = await computeTotals(tx, current, await countTotals(tx, id));
    await closeLink(tx, id, { endedAt, ...until, totals });
    await recordAudit(tx, {
      tenant,
      linkId: id,
      at: endedAt,
      by,
      action: "ended",
      details: { state, cause },
    });
  });
}

/**
 * Restores configurations that may be gone. Those that DocuSign refuses now stay pending for the next reconciliation.
 * Leaves all of them pending if DocuSign did not answer: the owner has waited long enough.
 */
async function putBack(
  deps: Uses<"db" | "log" | "now" | "publicUrl">,
  link: Link,
  account: DocuSignAccount,
  error: unknown,
): Promise<void> {
  if (error instanceof DocuSignFault && isSilence(error)) return;
  await ensureConnect(deps, link, account);
}

/** Turns a fault of DocuSign into the refusal `deletion-failed`. Returns any other error as it is. */
function asFailure({ log }: Uses<"log">, link: Link, error: unknown): unknown {
  if (!(error instanceof DocuSignFault)) return error;
  log.warn({ linkId: link.id, fault: error.code, kind: error.kind }, "deletion failed");
  return new Refusal("deletion-failed", undefined, { cause: error });
}
