import type { LinkId } from "../../domain/identifiers.ts";
import { findForwardingsOf } from "../../store/events/forwardings.ts";
import { findEnvelopesOfTenants } from "../../store/ledger/envelopes.ts";
import { recordQuietHours } from "../../store/ledger/quiet-hours.ts";
import type { Link } from "../../store/links/links.ts";
import { findStandings, type Standing } from "../../store/links/standings.ts";
import { enqueueReconciliations } from "../../store/queue/queue.ts";
import type { Uses } from "../capabilities.ts";
import { afterStep, currentHour } from "./continue-reconciliation.ts";
import type { KnownFacts } from "./judge-listed.ts";
import { type KeptAnswers, keepAnswers } from "./kept-answers.ts";
import { envelopesOf, judgeLook, type Look, lookAt, mayBeQuiet } from "./quiet-hour.ts";
import { isFullCheckDue, reconcileStep } from "./reconcile-link.ts";

type Deps = Uses<
  | "adminProfiles"
  | "budgets"
  | "db"
  | "lanes"
  | "largeImport"
  | "log"
  | "metrics"
  | "now"
  | "openAccount"
  | "prepareTokens"
  | "publicUrl"
>;

export type HourOfLinks = {
  readonly linkIds: readonly LinkId[];
  readonly hour: Date;
  /** Once aborted, nothing more is listed, and the links that are left get jobs of their own. */
  readonly signal: AbortSignal;
};

/**
 * Reconciles an hour of many links. Most hours are quiet: nothing completed, and the ledger has all that is listed. These
 * share their statements. A link whose listing shows something goes through `reconcileStep` with what was listed. Links
 * that do not only list, such as those in error or with envelopes that wait, get a job of their own.
 */
export async function reconcileLinks(deps: Deps, { linkIds, hour, signal }: HourOfLinks): Promise<void> {
  const to = currentHour(deps, hour);
  const standings = await findStandings(deps.db, linkIds);
  const simple = await selectSimple(deps, standings);
  await enqueueOwn(
    deps,
    standings.filter((one) => !simple.has(one)).map(({ link }) => link),
    to,
  );
  using _tokens = await deps.prepareTokens([...simple].map(({ link }) => link.id));
  const settled = new Set<LinkId>();
  const apart = keepApart(deps, to, settled);
  const looks = await inLanes(deps, [...simple], async (standing) => {
    if (signal.aborted) return null;
    const answers = keepAnswers(deps.openAccount);
    const look = await apart(standing.link, async () => await lookAt(deps, { standing, answers, to }));
    return { link: standing.link, answers, look };
  });
  const looked = looks.filter((one) => one !== null);
  await recordQuiet(deps, { looks: looked.flatMap(({ look }) => look ?? []), to, settled }, apart);
  await inLanes(
    deps,
    looked.filter(({ link }) => !settled.has(link.id)),
    async ({ link, answers }) => {
      if (signal.aborted) return;
      await apart(link, async () => await reconcileListed(deps, { link, answers, to }));
      settled.add(link.id);
    },
  );
  const left = [...simple].map(({ link }) => link).filter(({ id }) => !settled.has(id));
  await enqueueOwn(deps, left, to);
}

/** Runs the work of one link. Returns null if it fails for a reason of ours. */
type Apart = <Result>(link: Link, work: () => Promise<Result>) => Promise<Result | null>;

/** A link whose work fails is left to a job of its own, which shows the fault and repeats it without the other links. */
function keepApart(deps: Uses<"db" | "log">, to: Date, settled: Set<LinkId>): Apart {
  return async (link, work) => {
    try {
      return await work();
    } catch (error) {
      deps.log.warn(
        { err: error, linkId: link.id },
        "a link's reconciliation failed and gets a job of its own",
      );
      settled.add(link.id);
      await enqueueOwn(deps, [link], to);
      return null;
    }
  };
}

/** Links whose hour may be quiet, and whose account allows calls now. */
async function selectSimple(
  { budgets }: Uses<"budgets">,
  standings: readonly Standing[],
): Promise<ReadonlySet<Standing>> {
  const candidates = standings.filter(mayBeQuiet);
  const paces = await budgets.paces(
    candidates.map(({ link }) => link.account.id),
    "other",
  );
  return new Set(candidates.filter(({ link }) => paces.get(link.account.id)?.kind === "go"));
}

async function enqueueOwn(deps: Uses<"db">, links: readonly Link[], hour: Date): Promise<void> {
  const jobs = links.map(({ id, firstImport }) => ({
    linkId: id,
    hour,
    runAt: null,
    first: firstImport.listedAt === null,
  }));
  await enqueueReconciliations(deps.db, jobs);
}

/** Records the quiet hours among the looks, which settles their links, and queues the daily check where it is due. */
async function recordQuiet(
  deps: Uses<"adminProfiles" | "db" | "lanes" | "now">,
  { looks, to, settled }: { looks: readonly Look[]; to: Date; settled: Set<LinkId> },
  apart: Apart,
): Promise<void> {
  const known = await readKnown(deps, looks);
  const hours = await inLanes(deps, looks, async (look) => {
    const { link } = look.standing;
    return await apart(link, async () => await judgeLook(deps, look, known(link.tenant)));
  });
  const quiet = hours.filter((one) => one !== null);
  const recorded = await recordQuietHours(deps.db, quiet, deps.now());
  for (const linkId of recorded) settled.add(linkId);
  const checked = looks
    .map(({ standing }) => standing.link)
    .filter((link) => recorded.has(link.id) && isFullCheckDue(link, deps.now()));
  await enqueueOwn(deps, checked, to);
}

/** Reads what the database knows about the listed envelopes, by tenant. */
async function readKnown(
  { db }: Uses<"db">,
  looks: readonly Look[],
): Promise<(tenant: string) => KnownFacts> {
  const listed = looks.flatMap((look) =>
    envelopesOf(look).map(({ id }) => ({ tenant: look.standing.link.tenant, envelopeId: id })),
  );
  const entries = await findEnvelopesOfTenants(db, listed);
  // Forwardings change nothing about what is imported or deleted.
  const forwardings = await findForwardingsOf(
    db,
    entries.filter(({ state }) => state === "excluded"),
  );
  const byTenant = Map.groupBy(entries, ({ tenant }) => tenant);
  return (tenant) => ({
    entries: new Map(byTenant.get(tenant)?.map((entry) => [entry.envelopeId, entry])),
    forwardings: forwardings.get(tenant) ?? new Map(),
    announced: new Set(),
  });
}

/** Runs the link's reconciliation as far as what was listed serves it. */
async function reconcileListed(
  deps: Deps,
  { link, answers, to }: { link: Link; answers: KeptAnswers; to: Date },
): Promise<void> {
  const own = { ...deps, openAccount: answers.giving };
  let step = await reconcileStep(own, { linkId: link.id, to });
  while (step.kind === "more" && answers.hasListing())
    step = await reconcileStep(own, { linkId: link.id, to });
  await afterStep(deps, { linkId: link.id, hour: to }, step);
}

/** Works through all of them, as many at a time as a link has lanes. */
async function inLanes<One, Result>(
  { lanes }: Uses<"lanes">,
  all: readonly One[],
  work: (one: One) => Promise<Result>,
): Promise<Result[]> {
  const left = [...all.entries()];
  const results: Result[] = [];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
