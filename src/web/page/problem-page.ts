import type { Request } from "express";
import type { PageSettings } from "../../usecases/capabilities.ts";
import { type Html, html } from "../html/html.ts";
import { layout, PAGE_NAME, type Visitor } from "../html/layout.ts";
import { type Problem, REQUEST_URN } from "../problem-details.ts";
import { visitorOrNull } from "./visitor.ts";

/** Renders problems for people: what went wrong, what to do next, and the request id for support. */
export function problemPages(settings: PageSettings): (problem: Problem, request: Request) => string {
  return (problem, request) => {
    const title = titleOf(problem, request.method);
    const visitor = visitorOrNull(request);
    const content = html`<h1>${title}</h1>
<section class="card">
<p>${pageWords(problem)}</p>
${nextSteps(problem, visitor)}
${problem.instance !== undefined && html`<p class="note">お問い合わせの際は、この番号をお知らせください：<span class="id">${problem.instance.replace(REQUEST_URN, "")}</span></p>`}
</section>`;
    return layout({ settings, title, visitor, content }).toString();
  };
}

/** A user without permission has no session here, and must sign out of the cabinet to sign in as another user. */
function nextSteps({ status }: Problem, visitor: Visitor | null): Html {
  const back = html`<a class="button" href="/links">${PAGE_NAME}へ戻る</a>`;
  if (visitor !== null) return html`<p class="actions">${back}</p>`;
  if (status === 401)
    return html`<p class="actions"><a class="button primary" href="/links">ログイン</a></p>`;
  if (status !== 403) return html`<p class="actions">${back}</p>`;
  return html`<form method="post" action="/sign-out">
<p class="actions">${back}<button>ログアウト</button></p>
</form>`;
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
