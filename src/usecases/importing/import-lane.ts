import type { DocuSignAccount } from "../../docusign/api/account.ts";
import type { Database } from "../../store/database.ts";
import { type ClaimedEnvelope, claimForLane, importLock, releaseClaims } from "../../store/ledger/claims.ts";
import type { Link } from "../../store/links/links.ts";
import { withSession } from "../../store/locks.ts";
import type { CallKind, Uses } from "../capabilities.ts";
import { openBatch } from "./commit-batch.ts";
import { type ImportUses, importClaimed, kindOfCalls, LEASE_MS } from "./import-envelope.ts";
import { type ImportOutcome, stopsOthers } from "./outcome.ts";

type Lane = {
  /** As it was at the start of the lane. */
  readonly link: Link;
  /** If true, a first import waits, and only envelopes found after its listing are imported. */
  readonly held: boolean;
};

export type LaneTurn = Lane & {
  /** Once aborted, running imports end and no new ones start. */
  readonly signal: AbortSignal;
  readonly onEnded: (outcome: ImportOutcome) => void;
};

export type TurnEnd = "nothing-due" | "turn-over";

/** A turn ends after this long, so that links take turns, and the link is read again. */
const TURN_MS = 1_000;

/** A lane commits what it imports in this time together, and at most so many envelopes. */
const TOGETHER_MS = 200;
const TOGETHER = 10;

/** Runs one turn of one lane, which imports due envelopes of the link's backlog. */
export async function importTurn(deps: ImportUses, { signal, onEnded, ...lane }: LaneTurn): Promise<TurnEnd> {
  const endsAt = deps.now().getTime() + TURN_MS;
  const isOver = (): boolean => signal.aborted || deps.now().getTime() >= endsAt;
  return await withLane(deps, { ...lane, isOver }, async (importSome) => {
    while (!isOver()) {
      const outcomes = await importSome();
      if (outcomes.length === 0) return "nothing-due";
      outcomes.forEach(onEnded);
      if (outcomes.some(stopsOthers)) return "turn-over";
    }
    return "turn-over";
  });
}

/** Imports the next due envelopes; none if none is due, or if nothing of the link may be imported now. */
type ImportSome = () => Promise<ImportOutcome[]>;

/** Once `isOver` returns true, no further import begins. */
type LaneWork = Lane & { readonly isOver: () => boolean };

/**
 * Runs the work of one lane, which imports due envelopes of a link. It downloads one document at a time, and commits
 * envelopes that follow each other quickly together. Each claim and each commit check what may have changed since the
 * start. A lane uses one connection for its claims, locks and commits.
 */
async function withLane<T>(
  deps: ImportUses,
  lane: LaneWork,
  work: (importSome: ImportSome) => Promise<T>,
): Promise<T> {
  const { link, held } = lane;
  const { listedAt, doneAt } = link.firstImport;
  const order = { newerThan: doneAt === null ? listedAt : null, onlyNewer: held && doneAt === null };
  const accounts = openAccounts(deps, link);
  return await withSession(deps.db, async (session) => {
    let previous: string[] = [];
    let together = 1;
    return await work(async () => {
      const now = deps.now();
      const leaseUntil = new Date(now.getTime() + LEASE_MS);
      const claim = { linkId: link.id, now, leaseUntil, ...order, most: together, previous };
      const claimed = await claimForLane(session, claim);
      previous = claimed.map(({ entry }) => importLock(entry.tenant, entry.envelopeId));
      const outcomes = await importTogether(deps, { ...lane, session, accounts }, claimed);
      together = countTogether(outcomes.length, deps.now().getTime() - now.getTime());
      return outcomes;
    });
  });
}

/** Returns how many envelopes the lane imports within the time after which it commits, by those that it just imported. */
function countTogether(imported: number, tookMs: number): number {
  const within = Math.floor((imported * TOGETHER_MS) / Math.max(tookMs, 1));
  return Math.max(1, Math.min(within, TOGETHER));
}

type Session = LaneWork & {
  readonly session: Database;
  readonly accounts: (kind: CallKind) => DocuSignAccount;
};

/** Begins each import once the previous one has its documents. Gives back what it does not begin. */
async function importTogether(
  deps: ImportUses,
  { link, session, accounts, isOver }: Session,
  claimed: readonly ClaimedEnvelope[],
): Promise<ImportOutcome[]> {
  const batch = openBatch({ db: session, now: deps.now }, TOGETHER_MS);
  const outcomes: ImportOutcome[] = [];
  const imports: Promise<unknown>[] = [];
  let isFailing = false;
  const isStopped = (): boolean => isOver() || isFailing || outcomes.some(stopsOthers);
  try {
    for (const one of claimed) {
      if (imports.length > 0 && isStopped()) break;
      const account = accounts(kindOfCalls(link, one.entry));
      const { promise: downloaded, resolve } = Promise.withResolvers<void>();
      const commit: typeof batch.commit = async (imported) => {
        resolve();
        return await batch.commit(imported);
      };
      const ended = importOne(deps, { ...one, link, account, session }, commit).then((outcome) =>
        outcomes.push(outcome),
      );
      ended.catch(() => (isFailing = true));
      imports.push(ended);
      await Promise.race([downloaded, ended]);
    }
  } finally {
    batch.close();
    await Promise.allSettled(imports);
  }
  await Promise.all(imports);
  await release({ db: session, now: deps.now }, link, claimed.slice(imports.length));
  return outcomes;
}

async function release(
  { db, now }: Uses<"db" | "now">,
  { tenant }: Link,
  claimed: readonly ClaimedEnvelope[],
): Promise<void> {
  const ids = claimed.filter(({ isLocked }) => isLocked).map(({ entry }) => entry.envelopeId);
  if (ids.length > 0) await releaseClaims(db, tenant, ids, now());
}

async function importOne(
  deps: ImportUses,
  { isLocked, ...claimed }: Parameters<typeof importClaimed>[1] & Pick<ClaimedEnvelope, "isLocked">,
  commit: Parameters<typeof importClaimed>[2],
): Promise<ImportOutcome> {
  return isLocked ? await importClaimed(deps, claimed, commit) : { kind: "busy" };
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
