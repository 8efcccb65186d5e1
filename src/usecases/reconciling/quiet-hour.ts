import { randomUUID } from "node:crypto";
import type { DocuSignAccount } from "../../docusign/api/account.ts";
import { isDsAdmin } from "../../domain/admin.ts";
import type { Envelope } from "../../domain/envelope.ts";
import { FULL_PACE } from "../../domain/listing-pace.ts";
import type { QuietHour } from "../../store/ledger/quiet-hours.ts";
import type { Reconciliation, Side } from "../../store/ledger/reconciliations.ts";
import type { Link } from "../../store/links/links.ts";
import type { Standing } from "../../store/links/standings.ts";
import type { Uses } from "../capabilities.ts";
import { judgeRows, type KnownFacts, type ListedRow } from "./judge-listed.ts";
import { type KeptAnswers } from "./kept-answers.ts";
import { type ListedPage, listPage, startOfListing } from "./list-page.ts";
import { isNews, newestProof, provenAfterwards, reached } from "./reconcile-page.ts";
import { countPage } from "./tally-page.ts";
import { windowStart } from "./window.ts";

/** Both sides of a link's window, each on one page. */
export type Look = {
  readonly standing: Standing;
  readonly account: DocuSignAccount;
  /** The run at the start of its listing. */
  readonly run: Reconciliation;
  readonly sent: ListedPage;
  readonly received: ListedPage;
  /** The calls that were made so far. */
  readonly calls: () => number;
};

/** With more rows the link is not worth a shortcut, and many links would take much memory. */
const MOST_ROWS = 100;

/**
 * Returns true if the hour of the link needs nothing but its listings, unless these show something: it imports, is
 * fully listed and healthy, and no work is left over.
 */
export function mayBeQuiet({ link, ...standing }: Standing): boolean {
  if (standing.hasWaiting || standing.hasRunning || standing.isSlow) return false;
  if (link.state !== "active" || link.firstImport.doneAt === null || link.notice !== null) return false;
  if (link.sentReached === null || link.receivedReached === null) return false;
  return [link.connect.sent, link.connect.received].every((side) => SETTLED.has(side));
}

/** Other sides are checked every hour. */
const SETTLED: ReadonlySet<string> = new Set(["active", "not-available"]);

/** Lists both sides. Returns null, without a fault, if they need more than a look. `answers` keeps what was listed. */
export async function lookAt(
  { now }: Uses<"now">,
  { standing, answers, to }: { standing: Standing; answers: KeptAnswers; to: Date },
): Promise<Look | null> {
  const { link } = standing;
  const run = runOf(link, to, now());
  let calls = 0;
  const account = answers.keeping(link, () => {
    calls += 1;
  });
  try {
    const sent = await listPage(account, run, FULL_PACE);
    if (sent.next?.side !== "received" || isLarge(sent)) return null;
    const received = await listPage(account, { ...run, ...sent.next }, FULL_PACE);
    if (received.next !== null || isLarge(received)) return null;
    return { standing, account, run, sent, received, calls: () => calls };
  } catch {
    // The reconciliation of its own gets the same answer, and decides what follows.
    return null;
  }
}

function isLarge({ envelopes }: ListedPage): boolean {
  return envelopes.length > MOST_ROWS;
}

/** An hourly run as it begins. It is stored only once it has ended. */
function runOf(link: Link, to: Date, now: Date): Reconciliation {
  const from = windowStart(link);
  return {
    ...startOfListing(from),
    id: randomUUID(),
    linkId: link.id,
    kind: "hourly",
    state: "running",
    from,
    to,
    startedAt: now,
    ...NOTHING,
  };
}

const NOTHING = {
  endedAt: null,
  listed: 0,
  known: 0,
  missed: 0,
  excluded: {},
  waiting: 0,
  failed: 0,
  calls: 0,
  colleagueSeen: false,
  failure: null,
  countedIds: [],
  unannounced: 0,
  unreadable: 0,
  docusignCount: 0,
  rowsSeen: 0,
  unlisted: 0,
  unlistedIds: [],
  atDocuSign: null,
  difference: null,
} as const;

/** Returns the listed envelopes, each once. */
export function envelopesOf({ sent, received }: Look): Envelope[] {
  return [...new Map([...sent.envelopes, ...received.envelopes].map((one) => [one.id, one])).values()];
}

/**
 * Returns the quiet hour to record; null if the look shows something to write or to do, or the user is not confirmed as
 * an admin where no listing proves that the whole account is visible (design decision 11).
 */
export async function judgeLook(
  deps: Uses<"adminProfiles">,
  look: Look,
  known: KnownFacts,
): Promise<QuietHour | null> {
  const { link, hasNews } = look.standing;
  const sent = sideOf(look, "sent", known);
  const received = sideOf(look, "received", known);
  if (!isQuiet(link, sent) || !isQuiet(link, received)) return null;
  const colleagueSeen = newestProof(link, sent.rows) !== null;
  const asks = !colleagueSeen || hasNews;
  const confirmed = asks ? await confirmAdmin(deps, look) : null;
  if (asks && confirmed === null) return null;
  const { run } = look;
  return {
    link,
    run: { ...run, colleagueSeen, calls: look.calls() },
    counts: sumUp(countPage(sent, sent), countPage(received, received)),
    reached: {
      sentReached: null,
      receivedReached: null,
      colleagueSentAt: null,
      ...reached(sent, sent.rows, sent.page.next),
      ...reached(received, received.rows, null),
      ...(confirmed !== null && provenAfterwards({ link, run })),
    },
    confirmed,
  };
}

type Counts = QuietHour["counts"];

function sumUp(one: Counts, other: Counts): Counts {
  return {
    listed: one.listed + other.listed,
    docusignCount: one.docusignCount + other.docusignCount,
    rowsSeen: one.rowsSeen + other.rowsSeen,
  };
}

type LookedSide = {
  readonly link: Link;
  readonly run: Reconciliation;
  readonly page: ListedPage;
  readonly rows: readonly ListedRow[];
};

function sideOf({ standing: { link }, run, ...pages }: Look, side: Side, known: KnownFacts): LookedSide {
  const page = pages[side];
  return { link, run: { ...run, side }, page, rows: judgeRows(link, page, known) };
}

/** Everything listed is settled in the ledger, and stays as it is. */
function isQuiet(link: Link, { page, rows }: LookedSide): boolean {
  return (
    page.unreadable === 0 &&
    rows.every((row) => row.entry !== undefined && row.entry.state !== "waiting" && !isNews(row, link))
  );
}

/** Returns the user if they are still an admin at DocuSign. */
async function confirmAdmin(
  { adminProfiles }: Uses<"adminProfiles">,
  { standing: { link }, account }: Look,
): Promise<QuietHour["confirmed"]> {
  try {
    const user = await account.getUser(link.user.id);
    if (!isDsAdmin(user, adminProfiles)) return null;
    return { name: user.name ?? link.user.name, email: user.email ?? link.user.email };
  } catch {
    // The reconciliation of its own asks again, and decides what follows.
    return null;
  }
}
