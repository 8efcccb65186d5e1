import { z } from "zod";
import { nextFullHour } from "../../domain/schedule.ts";
import { countExcludedByRule, countTotals, type Totals } from "../../store/ledger/counts.ts";
import { findLatest } from "../../store/ledger/reconciliations.ts";
import type { Link, LinkCause, LinkState } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { describeNotice, type NoticeDescription } from "./describe-notice.ts";
import { type FirstImportProgress, measureFirstImport } from "./first-import-progress.ts";
import { computeTotals } from "./link-totals.ts";

/** A link as people and services see it (service.md). Fields that do not apply are null. */
export type LinkDescription = Pick<
  Link,
  "id" | "state" | "groupId" | "user" | "linkedAt" | "endedAt" | "sentFrom" | "receivedFrom" | "certificates"
> & {
  /** For state `error`: a stable code, and a Japanese message that says what to do. */
  readonly cause: { readonly code: LinkCause; readonly message: string } | null;
  /** The owner's start date in Japan, `YYYY-MM-DD`; null if import-rules 2 alone decides. */
  readonly from: string | null;
  /** The cause that slows an active link; null if there is none. */
  readonly notice: NoticeDescription | null;
  readonly account: Pick<Link["account"], "id" | "name">;
  /** For an ended link: the times up to which it accounted for sent and received envelopes (import-rules 2.3). */
  readonly sentUntil: Date | null;
  readonly receivedUntil: Date | null;
  /** Null for an ended link, whose configurations are removed. */
  readonly connect: { readonly sent: string | null; readonly received: string | null };
  readonly totals: Totals;
  /** The number of envelopes excluded by each rule; null for an ended link. */
  readonly excludedByRule: Readonly<Record<string, number>> | null;
  readonly firstImport: FirstImportProgress | null;
  /** The end of the latest reconciliation. */
  readonly lastReconciliation: Date | null;
  readonly nextReconciliation: Date | null;
};

/** Describes a link: its state, its totals, which add up (import-rules 6), and its progress. */
export async function describeLink(
  deps: Uses<"db" | "now" | "reserveShare">,
  link: Link,
): Promise<LinkDescription> {
  const { id, state, groupId, user, linkedAt, endedAt } = link;
  const { sentFrom, receivedFrom, sentUntil, receivedUntil } = link;
  const latest = await findLatest(deps.db, id);
  return {
    id,
    state,
    groupId,
    user,
    linkedAt,
    endedAt,
    sentFrom,
    receivedFrom,
    from: link.startDate,
    certificates: link.certificates,
    sentUntil,
    receivedUntil,
    cause: state === "error" ? describeCause(link.cause) : null,
    notice: await describeNotice(deps, link),
    account: { id: link.account.id, name: link.account.name },
    connect: state === "ended" ? NO_CONNECT : { sent: link.connect.sent, received: link.connect.received },
    ...(await describeEnvelopes(deps, link)),
    lastReconciliation: latest?.endedAt ?? null,
    nextReconciliation: isReconciled(state) ? nextFullHour(deps.now()) : null,
  };
}

const NO_CONNECT = { sent: null, received: null };

/** An ended link keeps the totals recorded at its end, because its envelopes may belong to the next link by now. */
async function describeEnvelopes(
  deps: Uses<"db" | "now" | "reserveShare">,
  link: Link,
): Promise<Pick<LinkDescription, "totals" | "excludedByRule" | "firstImport">> {
  if (link.state === "ended") {
    return { totals: TOTALS.parse(link.totalsAtEnd), excludedByRule: null, firstImport: null };
  }
  const ledger = await countTotals(deps.db, link.id);
  return {
    totals: await computeTotals(deps.db, link, ledger),
    excludedByRule: await countExcludedByRule(deps.db, link.id),
    firstImport: await measureFirstImport(deps, link, ledger),
  };
}

const TOTALS = z.object({
  atDocuSign: z.number(),
  imported: z.number(),
  excluded: z.number(),
  deleted: z.number(),
  waiting: z.number(),
});

function isReconciled(state: LinkState): boolean {
  return state === "active";
}

const MESSAGES: Readonly<Record<LinkCause, string>> = {
  "authorization-revoked":
    "DocuSignでの連携の許可が取り消されたか、連携ユーザーが利用できなくなっています。同じDocuSignユーザーで、もう一度連携してください。そのユーザーが退職や異動で連携できない場合は、この連携を削除してから、別のDS Adminのユーザーで連携してください。どちらの場合も、その間に締結された取り込み対象の契約書を取り込みます。",
  "not-admin":
    "連携ユーザーがDocuSignアカウントのDS Adminではなくなっています。DocuSignで連携ユーザーの権限を元に戻してください。次回（毎時0分）の確認で自動的に再開します。退職や異動で元に戻せない場合は、この連携を削除してから、別のDS Adminのユーザーで連携してください。どちらの場合も、その間に締結された取り込み対象の契約書を取り込みます。",
  "group-missing":
    "取り込み先契約書グループが見つかりませんでした。別の契約書グループを選択してください。選択後に、取り込み待ちの契約書を取り込みます。",
};

/** A stable code, and a Japanese message that says what to do. */
export function describeCause(cause: LinkCause | null): LinkDescription["cause"] {
  return cause === null ? null : { code: cause, message: MESSAGES[cause] };
}
