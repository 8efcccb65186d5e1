import type { PageSettings } from "../../usecases/capabilities.ts";
import { assetAddress } from "./assets.ts";
import { type Html, html } from "./html.ts";

/** The signed-in user who views the page. */
export type Visitor = { readonly name: string | null; readonly isOwner: boolean; readonly csrf: string };

export type Layout = {
  readonly settings: PageSettings;
  /** Text before the page's name in `<title>`; empty for none. */
  readonly title: string;
  /** Null if no user is known to be signed in. */
  readonly visitor: Visitor | null;
  readonly content: Html;
  /** An address to which the page moves on by itself. */
  readonly onward?: string;
};

export const PAGE_NAME = "電子契約サービス連携";

/** Renders a whole page: head, bar with the visitor and the sign-out, content. Uses no inline script or style. */
export function layout({ settings, title, visitor, content, onward }: Layout): Html {
  return html`<!doctype html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${
  onward !== undefined &&
  html`<meta http-equiv="refresh" content="0; url=${onward}">
`
}<title>${title === "" ? PAGE_NAME : `${title} | ${PAGE_NAME}`}</title>
<link rel="icon" type="image/svg+xml" href="${assetAddress("icon")}">
<link rel="stylesheet" href="${assetAddress("style")}">
<script type="module" src="${assetAddress("script")}"></script>
</head>
<body>
<a class="skip" href="#main">本文へ移動</a>
<header class="bar">
<a class="brand" href="/links"><img src="${assetAddress("icon")}" alt="" width="28" height="28">${settings.productName}</a>
${visitor !== null && visitorMenu(visitor)}
</header>
<main id="main" tabindex="-1">
${content}
</main>
</body>
</html>
`;
}

/** The hidden CSRF field of every form that changes something. */
export function csrfField({ csrf }: Visitor): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}">`;
}

function visitorMenu(visitor: Visitor): Html {
  return html`<form class="visitor" method="post" action="/sign-out">
${csrfField(visitor)}
<span class="who">${visitor.name ?? "ログイン中"}<small>${visitor.isOwner ? "オーナー権限" : "閲覧のみ"}</small></span>
<button class="quiet">ログアウト</button>
</form>`;
}
