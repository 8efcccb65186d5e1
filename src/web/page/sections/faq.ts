import type { PageSettings } from "../../../usecases/capabilities.ts";
import { type Html, html } from "../../html/html.ts";
import { withSupport } from "../words.ts";

/** The help page's sixteen questions, answered for this page. */
export function faqSection(settings: PageSettings): Html {
  return html`<section class="card" aria-labelledby="faq">
<h2 id="faq">よくあるご質問</h2>
${TOPICS.map((topic) => topicPart(topic, settings))}
</section>`;
}

type Question = { readonly asked: string; readonly answer: readonly string[] };
type Topic = { readonly name: string; readonly first: number; readonly questions: readonly Question[] };

function topicPart({ name, first, questions }: Topic, settings: PageSettings): Html {
  return html`<h3>${name}</h3>
${questions.map(
  ({ asked, answer }, index) => html`<details class="question">
<summary>Q${first + index}. ${asked}</summary>
${answer.map((paragraph) => html`<p>${withSupport(paragraph, settings)}</p>\n`)}</details>\n`,
)}`;
}

const LINKING: readonly Question[] = [
  {
    asked: "[連携] をクリックしても、DocuSignのログインページに遷移しません。",
    answer: ["ログアウトしてからもう一度ログインし、設定をやり直してください。"],
  },
  {
    asked: "DocuSignのログインを途中でやめるには、どうすればよいですか？",
    answer: ["ブラウザの戻る操作でこの画面に戻るか、この画面を開き直してください。連携は変更されません。"],
  },
  { asked: "DocuSignでSSOが有効でも連携できますか？", answer: ["はい、連携できます。"] },
  {
    asked: "カスタマイズ権限のユーザーでも連携できますか？",
    answer: ["カスタマイズ権限のユーザーは連携できません。DS Admin権限のユーザーのみ連携できます。"],
  },
  {
    asked: "DocuSignで認可を取り消すと、どうなりますか？",
    answer: [
      "連携は無効になり、この画面の状態はエラーになります。連携を有効にするには、同じユーザーでもう一度連携してください。連携できなかった間に締結された契約書も取り込みます。",
    ],
  },
  {
    asked: "DocuSignのアカウント（テナント）が複数あります。すべて連携できますか？",
    answer: [
      "連携できるアカウント（テナント）は1つです。切り替えるには、DocuSignでデフォルトアカウントを変更してから、現在の連携を削除し、もう一度連携してください。",
    ],
  },
  {
    asked: "DocuSignでデフォルトアカウントを変更すると、連携も変わりますか？",
    answer: ["変わりません。連携の設定を変更するには、現在の連携を削除し、もう一度連携してください。"],
  },
];

const IMPORTING: readonly Question[] = [
  {
    asked: "一度に取り込める契約書の数に上限はありますか？",
    answer: ["上限はありません。10,000件以上の契約書を取り込む場合は、事前にサポート窓口へご連絡ください。"],
  },
  {
    asked: "DocuSignのレガシー機能で締結した契約書は取り込めますか？",
    answer: ["レガシー機能のため、動作保証の対象外です。"],
  },
  {
    asked: "連携ユーザー以外のユーザーが送信した契約書は取り込めますか？",
    answer: ["連携ユーザーと同じアカウントのユーザーが送信した契約書は取り込めます。"],
  },
  {
    asked: "転送された契約書は取り込めますか？",
    answer: [
      "取り込めますが、転送前の宛先に準じます。たとえば、ユーザーX（DS Sender権限）宛のエンベロープがユーザーY（連携ユーザー）に転送された場合、ユーザーXが受信したエンベロープは取り込み対象外です。",
    ],
  },
  {
    asked: "DocuSignの件数より、キャビネの件数が少ないのはなぜですか？",
    answer: [
      "DocuSignの件数に、締結が完了していない契約書が含まれている場合などがあります。この画面の「件数の内訳」で、取り込んでいないエンベロープと理由を確認できます。",
    ],
  },
  {
    asked: "DocuSignの件数より、キャビネの件数が多いのはなぜですか？",
    answer: [
      "1つのエンベロープに複数のファイルがある場合、DocuSignでは1件、キャビネでは1ファイルずつの件数になります。",
    ],
  },
  {
    asked: "連携ユーザーを変更すると、契約書はどのように取り込まれますか？",
    answer: [
      "新しい連携ユーザーが送信または受信した契約書と、同じアカウント（テナント）のユーザーが送信した契約書を取り込みます。すでに取り込んだ契約書は重複して取り込みません。",
      "以前に連携したことがあるユーザーの場合、そのユーザーが受信した契約書は、そのユーザーの連携を解除した日時以後に締結されたものを取り込みます。送信した契約書は、変更前の連携ユーザーが異なるアカウントのときは、そのユーザーの連携を解除した日時以後、同じアカウントのときは、変更前のユーザーの連携を解除した日時以後に締結されたものを取り込みます。",
      "現在の取り込み対象期間は「連携サービス」に表示しています。",
    ],
  },
  {
    asked: "連携ユーザーが締結していない契約書が取り込まれたのはなぜですか？",
    answer: [
      "連携ユーザーと同じアカウント（テナント）のユーザーが送信し、締結が完了した契約書も取り込むためです。「エンベロープの照会」で、取り込んだ理由を確認できます。",
    ],
  },
];

const DETAILS: readonly Question[] = [
  {
    asked: "DocuSignのタイムゾーンが日本標準時（JST）以外の場合、契約締結日はどうなりますか？",
    answer: ["日本標準時（JST）に変換した日付になります。"],
  },
];

const TOPICS: readonly Topic[] = [
  { name: "連携について", first: 1, questions: LINKING },
  { name: "契約書の取り込みについて", first: 8, questions: IMPORTING },
  { name: "契約書情報の取り込みについて", first: 16, questions: DETAILS },
];
