import type { Response } from "express";
import type { PageSettings } from "../../usecases/capabilities.ts";
import { html } from "./html.ts";
import { layout } from "./layout.ts";

/**
 * Answers a form with a page that moves on to another site. Browsers apply `form-action` to every redirect that follows a
 * form, and a login may redirect to sites that are not known here. A page that moves on is not a redirect.
 */
export function sendOnward(
  response: Response,
  settings: PageSettings,
  { name, address }: { name: string; address: string },
): void {
  const title = `${name}に移動します`;
  const content = html`<h1>${title}</h1>
<section class="card">
<p>自動的に移動しないときは、次のボタンをクリックしてください。</p>
<p class="actions"><a class="button primary" href="${address}">${name}に進む</a></p>
</section>`;
  const page = layout({ settings, title, visitor: null, content, onward: address });
  response.set("Cache-Control", "no-store").type("html").send(page.toString());
}
