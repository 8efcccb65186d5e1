import { type Html, html } from "../../../src/web/html/html.ts";
import type { Person } from "./people.ts";

/** The login page: one button for each person, no password. */
export function choicePage(action: string, people: readonly Person[]): Html {
  return page(
    "契約書キャビネットにサインイン",
    html`<form method="post" action="${action}">
${people.map((person) => html`<p><button name="sub" value="${person.sub}">${describe(person)}</button></p>\n`)}
<p><button name="cancel" value="yes">キャンセル</button></p>
</form>`,
  );
}

/** Explains the stand-in and how to get a token for curl. */
export function startPage(issuer: string, people: readonly Person[]): Html {
  const tenant = people[0]?.tenant ?? "TENANT";
  return page(
    "契約書キャビネット（代役）",
    html`<ul>${people.map((person) => html`<li>${describe(person)}</li>\n`)}</ul>
<p>APIのトークン: <code>curl -s '${issuer}/demo/token?tenant=${tenant}'</code></p>`,
  );
}

/** Asks before the session here ends too; `form` is the provider's own form, to be submitted with `logout`. */
export function signOutPage(action: string, xsrf: string): Html {
  return page(
    "契約書キャビネットからログアウト",
    html`<form method="post" action="${action}">
<input type="hidden" name="xsrf" value="${xsrf}">
<p><button name="logout" value="yes">ログアウト</button></p>
</form>`,
  );
}

/** A page with one sentence. */
export function messagePage(title: string, text: string): Html {
  return page(title, html`<p>${text}</p>`);
}

function page(title: string, content: Html): Html {
  return html`<!doctype html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`;
}

function describe({ name, tenant, role }: Person): string {
  const rights = role === "owner" ? "オーナー権限" : "閲覧のみ";
  return `${name}（${tenant ?? "テナントなし"}・${rights}）`;
}
