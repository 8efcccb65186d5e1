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
  /** Once aborted, nothing more is listed, and the job is repeated. */
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
  using _tokens = deps.prepareTokens([...simple].map(({ tokens }) => tokens));
  const looks = await inLanes(deps, [...simple], async (standing) => {
    signal.throwIfAborted();
    const answers = keepAnswers(deps.openAccount);
    return { link: standing.link, answers, look: await lookAt(deps, { standing, answers, to }) };
  });
  const quiet = await recordQuiet(
    deps,
    looks.flatMap(({ look }) => look ?? []),
    to,
  );
  await inLanes(
    deps,
    looks.filter(({ link }) => !quiet.has(link.id)),
    async ({ link, answers }) => {
      signal.throwIfAborted();
      await reconcileListed(deps, { link, answers, to }).catch(async (error: unknown) => {
        // A job of its own shows the fault and repeats it without the other links.
        deps.log.warn(
          { err: error, linkId: link.id },
          "a link's reconciliation failed and gets a job of its own",
        );
        await enqueueOwn(deps, [link], to);
      });
    },
  );
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

/** Records the quiet hours among the looks, and queues the daily check where it is due. Returns their links. */
async function recordQuiet(
  deps: Uses<"adminProfiles" | "db" | "lanes" | "now">,
  looks: readonly Look[],
  to: Date,
): Promise<ReadonlySet<LinkId>> {
  const known = await readKnown(deps, looks);
  const hours = await inLanes(
    deps,
    looks,
    async (look) => await judgeLook(deps, look, known(look.standing.link.tenant)),
  );
  const quiet = hours.filter((one) => one !== null);
  const recorded = await recordQuietHours(deps.db, quiet, deps.now());
  const checked = looks
    .map(({ standing }) => standing.link)
    .filter((link) => recorded.has(link.id) && isFullCheckDue(link, deps.now()));
  await enqueueOwn(deps, checked, to);
  return recorded;
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
