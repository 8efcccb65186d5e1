import { html } from "../html/html.ts";
import { layout, PAGE_NAME } from "../html/layout.ts";
import { type Problem, REQUEST_URN } from "../problem.ts";

/** A page for people that says what went wrong, how to go on, and the id to name when asking for help. */
export function problemPage(problem: Problem): string {
  const title = problem.status < 500 ? "表示できません" : "エラーが発生しました";
  const content = html`<h1>${title}</h1>
<section class="card">
<p>${pageWords(problem)}</p>
<p class="actions"><a class="button" href="/links">${PAGE_NAME}へ戻る</a></p>
${problem.instance !== undefined && html`<p class="note">お問い合わせの際は、この番号をお知らせください：<span class="id">${problem.instance.replace(REQUEST_URN, "")}</span></p>`}
</section>`;
  return layout({ title, visitor: null, content }).toString();
}

/** Some details are for programs, in English. */
function pageWords({ status, detail }: Problem): string {
  if (detail !== undefined && /\p{Script=Hiragana}/u.test(detail)) return detail;
  if (status === 404) return "ページが見つかりませんでした。";
  return status < 500
    ? "この操作はできません。ページを開き直してください。"
    : "時間をおいて、もう一度お試しください。";
}
