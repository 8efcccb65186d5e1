import type { FindingFacts, Texts } from "./finding.ts";
import { inJapan } from "./japan-time.ts";

const SUPPORT = "お手数ですがサポート窓口へお問い合わせください。";

/** The explanations in Japanese, with moments in Japan Standard Time. */
export const JAPANESE: Texts = {
  imported: {
    sent: (facts) => `連携アカウントのユーザーが送信し、${completed(facts)}契約書のため、取り込みました。`,
    received: (facts) => `連携ユーザーが受信し、${completed(facts)}契約書のため、取り込みました。`,
    "sent-and-received": (facts) =>
      `連携アカウントのユーザーが送信し、連携ユーザーも受信して、${completed(facts)}契約書のため、取り込みました。`,
    already: () =>
      "以前の連携で取り込み済みです（重複して取り込むことはありません）。取り込み済みの契約書をご利用ください。",
  },
  excluded: {
    "not-completed": ({ status }) =>
      isUnderWay(status)
        ? `${statusInJapanese(status)}。締結完了後に判定します。`
        : `締結が完了していないため、取り込み対象外です${inBrackets("DocuSignでの状態：", status && statusInJapanese(status))}。締結が完了した契約書のみを取り込みます。`,
    "not-ours": () =>
      "連携アカウントのユーザーが送信したものでも、連携ユーザーが受信したものでもないため、取り込み対象外です。同じアカウントの連携ユーザー以外の方が受信した契約書は取り込みません。",
    "forwarded-to-user": () =>
      "連携ユーザーは転送によって受け取っており、転送前の宛先ではないため、取り込み対象外です。転送された契約書は転送前の宛先に準じて取り扱います。",
    "before-window": (facts) =>
      `締結完了日時${inBrackets("", moment(facts.completedAt))}が、この連携で取り込みを始める日時${starts(facts)}より前のため、取り込み対象外です。`,
    "documents-purged": () =>
      "DocuSign側で文書が消去（パージ）されており、取得できないため、取り込み対象外です。",
    "no-documents": () => "完了証明書以外の文書が含まれていないため、取り込み対象外です。",
  },
  deleted: {
    "deleted-in-cabinet": () => "キャビネ側で削除された契約書のため、再び取り込まれることはありません。",
  },
  waiting: {
    queued: (facts) => `取り込みの順番を待っています${until(facts)}。しばらくお待ちください。`,
    "hourly-timing": (facts) => `次回（毎時0分）の取り込み${until(facts)}を待っています。`,
    "awaiting-approval": () =>
      "契約書の件数が多いため、オーナー権限のユーザーによる初回の取り込みの開始を待っています。電子契約サービス連携ページで [取り込みを開始] をクリックしてください。",
    paused: () =>
      "連携が一時停止中のため、取り込みを待っています。電子契約サービス連携ページで [再開] をクリックすると取り込みます。",
    "link-error": () =>
      "DocuSignとの連携がエラーになっているため、取り込みを待っています。電子契約サービス連携ページでエラーの内容を確認し、再設定してください。再設定後に取り込みます。",
    "link-ended": () =>
      "取り込みの前に連携が削除されました。取り込み対象であれば、同じアカウントを再び連携した際に取り込みます。",
    "group-missing": () =>
      "取り込み先契約書グループが見つからないため、取り込みを待っています。電子契約サービス連携ページで取り込み先契約書グループを選択し直してください。",
    "account-throttled": (facts) =>
      `DocuSignのAPI利用上限に達したため、取り込みを待っています${until(facts)}。自動的に再開します。`,
    "budget-reserve": (facts) =>
      `DocuSignをご利用のほかのシステムへの影響を避けるため、取り込みを待っています${until(facts)}。自動的に再開します。`,
    "lookup-budget": (facts) =>
      `DocuSignへの照会が1時間あたりの上限に達したため、照会を見合わせています${until(facts)}。取り込みへの影響はありません。`,
    "docusign-unavailable": (facts) =>
      `DocuSignから取得できないため、取り込みを待っています${until(facts)}。自動的に再試行します。`,
    "document-store-unavailable": () =>
      "当サービスで文書を保存できない状態のため、取り込みを待っています。復旧後に自動的に取り込みます。",
    "not-found-yet": (facts) =>
      `DocuSignで契約書またはその文書がまだ見つからないため、取り込みを待っています${until(facts)}。自動的に再試行します。`,
    "on-another-site": (facts) =>
      `この契約書の文書はDocuSignの別のサイト（データセンター）にあり、ダウンロードできないため、取り込みを待っています${until(facts)}。1日1回、自動的に再試行します。`,
    "document-not-pdf": () =>
      `DocuSignから取得した文書がPDFではなかったため、取り込めていません。自動的に再試行します。解消しない場合は、${SUPPORT}`,
    "document-empty": () =>
      `DocuSignから取得した文書が空だったため、取り込めていません。自動的に再試行します。解消しない場合は、${SUPPORT}`,
    "import-failed": () => `取り込みに失敗しました。自動的に再試行します。解消しない場合は、${SUPPORT}`,
    "completion-unknown": () =>
      "締結完了日時をDocuSignから取得できていないため、取り込み対象かどうかの確認を待っています。",
    "sender-unknown": () =>
      "送信者のアカウントをDocuSignから取得できていないため、取り込み対象かどうかの確認を待っています。",
    "recipients-unknown": () =>
      "受信者の情報をDocuSignから取得できていないため、取り込み対象かどうかの確認を待っています。",
    "documents-unknown": () =>
      "取り込み対象の契約書ですが、文書の一覧をDocuSignから取得できていないため、取り込みを待っています。",
  },
  unknown: {
    "never-seen": () =>
      "この契約書はまだ確認されていません。取り込み対象であれば、次回（毎時0分）の取り込みで確認します。",
    "not-found": () => "この契約書は、連携しているDocuSignユーザーからは見つかりませんでした。",
  },
};

const STATUSES: ReadonlyMap<string, string> = new Map([
  ["completed", "締結完了"],
  ["sent", "送信済み（締結前）"],
  ["delivered", "閲覧済み（締結前）"],
  ["signed", "署名済み（締結前）"],
  ["created", "下書き（締結前）"],
  ["processing", "処理中（締結前）"],
  ["voided", "無効"],
  ["declined", "拒否"],
  ["deleted", "削除"],
]);

/** The envelope's status in DocuSign's Japanese terms. An unknown status is returned unchanged. */
export function statusInJapanese(status: string): string {
  return STATUSES.get(status.toLowerCase()) ?? status;
}

const UNDER_WAY: ReadonlySet<string> = new Set(["sent", "delivered", "signed", "created", "processing"]);

function isUnderWay(status: string | null | undefined): status is string {
  return status != null && UNDER_WAY.has(status.toLowerCase());
}

function completed({ completedAt }: FindingFacts): string {
  return completedAt ? `${moment(completedAt)}に締結が完了した` : "締結が完了した";
}

function starts({ sentByAccount, receivedByUser, sentFrom, receivedFrom }: FindingFacts): string {
  const sent = sentByAccount !== false && sentFrom ? [`送信した契約書は${moment(sentFrom)}以後`] : [];
  const received =
    receivedByUser !== false && receivedFrom ? [`受信した契約書は${moment(receivedFrom)}以後`] : [];
  return inBrackets("", [...sent, ...received].join("、"));
}

function until({ waitingUntil }: FindingFacts): string {
  return inBrackets("予定：", moment(waitingUntil));
}

function inBrackets(label: string, words: string | null | undefined): string {
  return words ? `（${label}${words}）` : "";
}

function moment(iso: string | null | undefined): string {
  if (!iso) return "";
  const { date, time } = inJapan(new Date(iso));
  const [year, month, day] = date.split("-").map(Number);
  return `日本時間${year}年${month}月${day}日${time}`;
}
