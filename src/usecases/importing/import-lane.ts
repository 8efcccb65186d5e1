import type { DocuSignAccount } from "../../docusign/api/account.ts";
import type { Database } from "../../store/database.ts";
import { claimForLane, importLock } from "../../store/ledger/claims.ts";
import type { Link } from "../../store/links/links.ts";
import { withSession } from "../../store/locks.ts";
import type { CallKind, Uses } from "../capabilities.ts";
import { type ImportUses, importClaimed, kindOfCalls, LEASE_MS } from "./import-envelope.ts";
import type { ImportOutcome } from "./outcome.ts";

/** Imports the next due envelope; null if none is due, or if nothing of the link may be imported now. */
export type ImportNext = () => Promise<ImportOutcome | null>;

/**
 * Runs the work of one lane, which imports due envelopes of a link one by one. The link is as it was at the start; each
 * claim and each commit check what may have changed since. With `held`, a first import waits, and only envelopes found
 * after its listing are imported. A lane uses one connection for its claims, locks and commits.
 */
export async function withLane<T>(
  deps: ImportUses,
  { link, held }: { readonly link: Link; readonly held: boolean },
  work: (importNext: ImportNext) => Promise<T>,
): Promise<T> {
  const { listedAt, doneAt } = link.firstImport;
  const newerThan = doneAt === null ? listedAt : null;
  const accounts = openAccounts(deps, link);
  return await withSession(deps.db, async (session: Database) => {
    let previous: string | null = null;
    return await work(async () => {
      const now = deps.now();
      const claim = { linkId: link.id, now, leaseUntil: new Date(now.getTime() + LEASE_MS) };
      const claimed = await claimForLane(session, {
        ...claim,
        newerThan,
        onlyNewer: held && doneAt === null,
        previous,
      });
      if (claimed === null) return null;
      if (!claimed.isLocked) return { kind: "busy" };
      previous = importLock(claimed.entry.tenant, claimed.entry.envelopeId);
      const account = accounts(kindOfCalls(link, claimed.entry));
      return await importClaimed(deps, { ...claimed, link, account, session });
    });
  });
}

/** Opens the account once for each kind of calls, so that the calls of a lane share the access token. */
function openAccounts({ openAccount }: Uses<"openAccount">, link: Link): (kind: CallKind) => DocuSignAccount {
  const opened = new Map<CallKind, DocuSignAccount>();
  return (kind) => {
    const account = opened.get(kind) ?? openAccount(link, undefined, kind);
    opened.set(kind, account);
    return account;
  };
}
