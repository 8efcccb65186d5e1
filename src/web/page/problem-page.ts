import { html } from "../html/html.ts";
import { layout, PAGE_NAME } from "../html/layout.ts";
import { type Problem, REQUEST_URN } from "../problem-details.ts";

/** Renders a problem for people: what went wrong, what to do next, and the request id for support. */
export function problemPage(problem: Problem, method: string): string {
  const title = titleOf(problem, method);
  const content = html`<h1>${title}</h1>
<section class="card">
<p>${pageWords(problem)}</p>
<p class="actions"><a class="button" href="/links">${PAGE_NAME}へ戻る</a></p>
${problem.instance !== undefined && html`<p class="note">お問い合わせの際は、この番号をお知らせください：<span class="id">${problem.instance.replace(REQUEST_URN, "")}</span></p>`}
</section>`;
  return layout({ title, visitor: null, content }).toString();
}

function titleOf({ status }: Problem, method: string): string {
  if (status >= 500) return "エラーが発生しました";
  return method === "POST" ? "操作を完了できませんでした" : "表示できません";
}

/** Shows the detail only if it is Japanese: English details are for programs. */
function pageWords({ status, detail }: Problem): string {
  if (detail !== undefined && /\p{Script=Hiragana}/u.test(detail)) return detail;
  if (status === 404) return "ページが見つかりませんでした。";
  return status < 500
    ? "この操作はできません。ページを開き直してください。"
    : "時間を置いて、もう一度お試しください。";
}
