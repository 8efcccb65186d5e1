import { type EnvelopeId, type LinkId, parseUuid } from "../../domain/identifiers.ts";
import type { Database } from "../../store/database.ts";
import { completionsSince } from "../../store/events/events.ts";
import { takeUpParked } from "../../store/ledger/claims.ts";
import { findLink, type Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { type ImportUses, importEnvelope } from "../importing/import-envelope.ts";
import { emptyTally, findWait, type ImportTally, importNow } from "../importing/import-now.ts";
import type { ImportOutcome } from "../importing/outcome.ts";
import { wakeBacklog } from "../importing/wake-backlog.ts";
import { findPassing, type Obstacle, type Progress } from "./reconcile-now.ts";

export type ReplayUses = ImportUses & Uses<"lanes">;

export type ReplayOptions = {
  /** Null means all links of all tenants that have not ended. */
  readonly linkId: LinkId | null;
  /** Only events received since then; null means all recorded events. */
  readonly since: Date | null;
  readonly signal: AbortSignal;
  readonly onProgress: (link: Link, progress: Progress) => void;
};

export type ReplayedLink = {
  readonly link: Link;
  /** The number of envelopes whose completion was announced. */
  readonly announced: number;
  /** Their outcomes; `settled` means imported or deleted before. */
  readonly imports: ImportTally;
  /** The number of waiting envelopes by cause. */
  readonly waiting: Readonly<Record<string, number>>;
  readonly obstacle: Obstacle | null;
};

/**
 * Re-runs recorded Connect events: imports in this process every envelope whose completion they announced, including
 * parked ones. Nothing is imported twice. Processes one link after the other, and skips links without such events.
 */
export async function* replayEvents(
  deps: ReplayUses,
  options: ReplayOptions,
): AsyncGenerator<ReplayedLink, void, undefined> {
  const announced = await findAnnounced(deps.db, options);
  for (const [linkId, envelopeIds] of announced) {
    const link = await findLink(deps.db, linkId);
    if (link !== null && link.state !== "ended") yield await replayLink(deps, link, { envelopeIds, options });
    if (options.signal.aborted) return;
  }
}

async function findAnnounced(
  db: Database,
  { linkId, since }: ReplayOptions,
): Promise<Map<LinkId, EnvelopeId[]>> {
  const announced = new Map<LinkId, EnvelopeId[]>();
  for (const row of await completionsSince(db, { linkId, since: since ?? new Date(0) })) {
    const [link, envelope] = [parseUuid<LinkId>(row.linkId), parseUuid<EnvelopeId>(row.envelopeId)];
    if (link === null || envelope === null) continue;
    const earlier = announced.get(link);
    if (earlier === undefined) announced.set(link, [envelope]);
    else earlier.push(envelope);
  }
  return announced;
}

type ReplayWork = { readonly envelopeIds: readonly EnvelopeId[]; readonly options: ReplayOptions };

async function replayLink(
  deps: ReplayUses,
  link: Link,
  { envelopeIds, options }: ReplayWork,
): Promise<ReplayedLink> {
  const total = envelopeIds.length;
  const left = [...envelopeIds];
  const [imports, waiting] = [emptyTally(), new Map<string, number>()];
  const note = (outcome: ImportOutcome): void => {
    imports[outcome.kind] += 1;
    if (outcome.kind === "waiting") waiting.set(outcome.reason, (waiting.get(outcome.reason) ?? 0) + 1);
    const done = Object.values(imports).reduce((sum, count) => sum + count, 0);
    options.onProgress(link, { phase: "importing", done, total });
  };
  if ((await findWait(deps, link.id, "replay")) === null)
    await takeUpParked(deps.db, link.tenant, envelopeIds, deps.now());
  await importNow(deps, {
    linkId: link.id,
    foundBy: "replay",
    turn: async () => {
      const envelopeId = left.shift();
      if (envelopeId === undefined) return "nothing-due";
      note(await importEnvelope(deps, { linkId: link.id, envelopeId, foundBy: "replay" }));
      return "turn-over";
    },
    signal: options.signal,
  });
  await wakeBacklog(deps.db, link.id, deps.now());
  const causes = Object.fromEntries(waiting);
  const obstacle = await findObstacle(deps, link, { left: left.length, causes, signal: options.signal });
  return { link, announced: total, imports, waiting: causes, obstacle };
}

async function findObstacle(
  deps: Uses<"budgets" | "db" | "now">,
  link: Link,
  { left, causes, signal }: { left: number; causes: Readonly<Record<string, number>>; signal: AbortSignal },
): Promise<Obstacle | null> {
  if (left === 0 && Object.keys(causes).length === 0) return null;
  const wait = await findWait(deps, link.id, "replay");
  if (wait !== null) return wait;
  if (left > 0 && signal.aborted) return { reason: "interrupted", until: null };
  return await findPassing(deps.db, link, causes);
}
