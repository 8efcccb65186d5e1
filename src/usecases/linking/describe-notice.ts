import { decideNotice, type NoticeCode } from "../../domain/link-notice.ts";
import { mayCall } from "../../domain/pace.ts";
import { findBudget } from "../../store/budgets.ts";
import type { Link } from "../../store/links/links.ts";
import { findOutage } from "../../store/outages.ts";
import type { Uses } from "../capabilities.ts";

/** The cause that slows an active link: a stable code, a Japanese text for people, and its start. */
export type NoticeDescription = {
  readonly code: NoticeCode;
  readonly message: string;
  readonly since: Date;
};

/** Describes the cause that slows the link now; null if there is none. */
export async function describeNotice(
  deps: Uses<"db" | "now">,
  link: Link,
): Promise<NoticeDescription | null> {
  if (link.state !== "active") return null;
  const outage = await findOutage(deps.db);
  const notice = decideNotice({
    isActive: true,
    storeRefusesSince: outage?.endedAt === null ? outage.since : null,
    throttledSince: await findThrottledSince(deps, link),
    slowSince: link.listingSlowSince,
    connectOffSince: link.connectOffSince,
    recorded: link.notice,
  });
  return notice === null ? null : { ...notice, message: MESSAGES[notice.code] };
}

/** Calls stop with the answer that reports their end, so its time is when the wait began. */
async function findThrottledSince({ db, now }: Uses<"db" | "now">, { account }: Link): Promise<Date | null> {
  const budget = await findBudget(db, account.id);
  if (budget === null) return null;
  const isPaused = budget.pausedUntil !== null && budget.pausedUntil > now();
  return isPaused || mayCall(budget, 0, now()).kind === "wait" ? budget.observedAt : null;
}

const MESSAGES: Readonly<Record<NoticeCode, string>> = {
  "document-store-unavailable":
    "当サービスで文書を保存できない状態のため、取り込みを一時的に停止しています。復旧後に、待機中の契約書を自動的に取り込みます。",
  "docusign-unavailable":
    "DocuSignに接続できない状態が続いています。接続できるようになり次第、待機中の契約書を自動的に取り込みます。",
  "account-throttled":
    "DocuSignのAPI利用上限に達したため、取り込みを一時的に停止しています。利用できるようになり次第、自動的に再開します。",
  "docusign-slow":
    "DocuSignの応答に時間がかかっているため、取り込みに通常より時間がかかっています。取り込みは続いています。",
  "connect-switched-off":
    "DocuSign側で即時通知（DocuSign Connect）が停止されています。契約書は1時間ごとの照合で取り込みます。",
};
