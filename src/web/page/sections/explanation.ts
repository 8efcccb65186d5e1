import { z } from "zod";
import { statusInJapanese } from "../../../domain/explanation-ja.ts";
import type { Outcome } from "../../../domain/finding.ts";
import type { Group } from "../../../store/links/groups.ts";
import type { Explanation } from "../../../usecases/explaining/explain-envelope.ts";
import { type Html, html } from "../../html/html.ts";
import { type Icon, icon } from "../../html/icons.ts";
import { inDigits, moment, waitingLabel } from "../words.ts";
import { groupName } from "./link.ts";

/** Explains why an envelope was or was not imported: the sentence first, then the evidence (import-rules 6). */
export function explanationPart(explanation: Explanation, groups: readonly Group[]): Html {
  const { words, picture } = OUTCOMES[explanation.outcome];
  return html`<div class="explanation">
<h3><span class="badge ${explanation.outcome}">${icon(picture)}${words}</span> <span class="id">${explanation.envelopeId}</span></h3>
<p class="verdict" role="status">${explanation.text}</p>
${factList(explanation)}
${contractList(explanation, groups)}
${eventList(explanation)}
</div>`;
}

const OUTCOMES: Readonly<Record<Outcome, { words: string; picture: Icon }>> = {
  imported: { words: "取り込み済み", picture: "check" },
  excluded: { words: "取り込み対象外", picture: "stop" },
  deleted: { words: "キャビネで削除", picture: "stop" },
  waiting: { words: "取り込み待ち", picture: "pause" },
  unknown: { words: "未確認", picture: "info" },
};

type Row = readonly [label: string, value: Html | string | null];

function factList(explanation: Explanation): Html | null {
  const rows = [...judgedRows(FACTS.parse(explanation.facts)), ...recordedRows(explanation)];
  const shown = rows.filter(([, value]) => value !== null);
  if (shown.length === 0) return null;
  return html`<h4>判定の根拠</h4>
<dl class="facts">
${shown.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>\n`)}</dl>`;
}

const at = z.coerce.date().nullish().catch(null);
const flag = z.boolean().nullish().catch(null);
/** The recorded facts of a decision. Older decisions may lack some. */
const FACTS = z.object({
  status: z.string().nullish().catch(null),
  completedAt: at,
  sentFrom: at,
  receivedFrom: at,
  sentByAccount: flag,
  receivedByUser: flag,
  contentDocuments: z.number().nullish().catch(null),
});

function judgedRows(facts: z.infer<typeof FACTS>): Row[] {
  return [
    ["DocuSignでの状態", facts.status == null ? null : statusInJapanese(facts.status)],
    ["締結完了日時", momentOrNull(facts.completedAt)],
    ["連携アカウントからの送信", yesOrNo(facts.sentByAccount)],
    ["連携ユーザーによる受信", yesOrNo(facts.receivedByUser)],
    ["送信した契約書の取り込み対象期間の開始", momentOrNull(facts.sentFrom)],
    ["受信した契約書の取り込み対象期間の開始", momentOrNull(facts.receivedFrom)],
    [
      "エンベロープのファイル",
      facts.contentDocuments == null ? null : `${inDigits(facts.contentDocuments)}件`,
    ],
  ];
}

function recordedRows({
  outcome,
  waitingFor,
  attempts,
  lastAttemptAt,
  lastError,
  decidedAt,
}: Explanation): Row[] {
  return [
    ["待っているもの", waitingFor === null ? null : waitingLabel(waitingFor.reason)],
    [outcome === "unknown" ? "照会を再開する予定" : "次の取り込みの予定", momentOrNull(waitingFor?.until)],
    ["判定した日時", momentOrNull(decidedAt)],
    ["取り込みの試行", attempts === 0 ? null : `${inDigits(attempts)}回`],
    ["最後に試行した日時", momentOrNull(lastAttemptAt)],
    ["最後の試行のエラー", lastError],
  ];
}

function momentOrNull(value: Date | null | undefined): Html | null {
  return value == null ? null : moment(value);
}

function yesOrNo(value: boolean | null | undefined): string | null {
  if (value == null) return null;
  return value ? "あり" : "なし";
}

function contractList({ contracts }: Explanation, groups: readonly Group[]): Html | null {
  if (contracts.length === 0) return null;
  const items = contracts.map(
    (contract) => html`<li><b class="file">${contract.fileName}</b>
<span>契約締結日 ${contract.concludedOn.replaceAll("-", "/")}</span> <span>${groupName(groups, contract.groupId)}</span>
<span>${moment(contract.importedAt)} 取り込み</span>${contract.deletedAt !== null && html` <span>${moment(contract.deletedAt)} 削除</span>`}</li>\n`,
  );
  return html`<h4>取り込んだファイル</h4>
<ul class="files">
${items}</ul>`;
}

const EVENTS: ReadonlyMap<string, string> = new Map([
  ["envelope-sent", "送信"],
  ["envelope-delivered", "閲覧"],
  ["envelope-completed", "締結完了"],
  ["envelope-voided", "無効"],
  ["envelope-declined", "拒否"],
  ["envelope-deleted", "削除"],
  ["envelope-purge", "文書の消去"],
  ["recipient-completed", "受信者の完了"],
  ["recipient-reassign", "宛先の変更（転送）"],
  ["recipient-delegate", "署名の委任（転送）"],
]);

function eventList({ events }: Explanation): Html {
  if (events.length === 0)
    return html`<h4>受信した通知</h4>\n<p class="note">DocuSignからの通知は受信していません。</p>`;
  const items = events.map(
    ({ event, receivedAt }) => html`<li>${moment(receivedAt)} <b>${EVENTS.get(event) ?? event}</b></li>\n`,
  );
  return html`<h4>受信した通知</h4>
<ul class="events">
${items}</ul>`;
}
