import { countWaitingByCause } from "../../store/ledger/counts.ts";
import { listReconciliations, type Reconciliation } from "../../store/ledger/reconciliations.ts";
import { type AuditTrail, listAudit } from "../../store/links/audit.ts";
import { type Group, listGroups } from "../../store/links/groups.ts";
import { findCurrentLink, type Link, listLinkPage } from "../../store/links/links.ts";
import { countContracts, countFiles, countImportedSince } from "../../store/upkeep/link-figures.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import { findLinkWait } from "../../usecases/importing/waiting-cause.ts";
import { describeLink, type LinkDescription } from "../../usecases/linking/describe-link.ts";

type Deps = Uses<"budgets" | "db" | "now" | "reserveShare">;

/** A link with the figures that the page shows. */
export type LinkView = {
  readonly link: LinkDescription;
  /** Contracts imported from the link's envelopes, and all contracts of the tenant. */
  readonly files: { readonly kept: number; readonly deleted: number; readonly ofTenant: number };
  /** Waiting envelopes by cause code. A cause that holds up the whole link counts for all of them. */
  readonly waiting: Readonly<Record<string, number>>;
  readonly now: Date;
};

/** A run, with the contracts that were imported from its start until the next run. */
export type Run = Reconciliation & { readonly imported: number };

/** A link with what owners did to it, oldest first. */
export type PastLink = LinkDescription & { readonly audit: AuditTrail };

/** Everything that the page shows of a tenant, for owners and members alike. */
export type PageView = {
  readonly current: LinkView | null;
  readonly now: Date;
  readonly groups: readonly Group[];
  /** The link's latest runs, newest first. */
  readonly runs: readonly Run[];
  /** All links, newest first. */
  readonly history: readonly PastLink[];
};

const MOST_RUNS = 24;
const MOST_LINKS = 20;

export async function readPage(deps: Deps, tenant: string): Promise<PageView> {
  const link = await findCurrentLink(deps.db, tenant);
  const links = await listLinkPage(deps.db, tenant, { limit: MOST_LINKS, after: null });
  const current = link === null ? null : await readLink(deps, link);
  return {
    current,
    now: deps.now(),
    groups: await listGroups(deps.db, tenant),
    runs: await readRuns(deps, tenant, link),
    history: await Promise.all(
      links.map(async (one) => ({
        // Counting a link's envelopes is expensive.
        ...(current?.link.id === one.id ? current.link : await describeLink(deps, one)),
        audit: await listAudit(deps.db, one.id),
      })),
    ),
  };
}

export async function readLink(deps: Deps, link: Link): Promise<LinkView> {
  const described = await describeLink(deps, link);
  return {
    link: described,
    files: { ...(await countFiles(deps.db, link)), ofTenant: await countContracts(deps.db, link.tenant) },
    waiting: await readWaiting(deps, link, described.totals.waiting),
    now: deps.now(),
  };
}

async function readRuns({ db }: Uses<"db">, tenant: string, link: Link | null): Promise<Run[]> {
  const listed = await listReconciliations(db, tenant, { limit: MOST_RUNS, after: null });
  const runs = listed.filter(({ linkId }) => linkId === link?.id);
  const starts = runs.map(({ startedAt }) => startedAt).toReversed();
  const imported = (await countImportedSince(db, tenant, starts)).toReversed();
  return runs.map((run, index) => ({ ...run, imported: imported[index] ?? 0 }));
}

async function readWaiting(
  deps: Uses<"budgets" | "db" | "now">,
  link: Link,
  waiting: number,
): Promise<LinkView["waiting"]> {
  if (waiting === 0) return {};
  const whole = await findLinkWait(deps, link, "listing");
  if (whole !== null) return { [whole.reason]: waiting };
  const known = await countWaitingByCause(deps.db, link.id);
  const sum = Object.values(known).reduce((total, count) => total + count, 0);
  // Envelopes that only events announced are in the queue but not in the ledger yet.
  const queued = (known["queued"] ?? 0) + Math.max(0, waiting - sum);
  return { ...known, ...(queued > 0 && { queued }) };
}
