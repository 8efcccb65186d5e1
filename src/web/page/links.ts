import type { PageSettings } from "../../usecases/capabilities.ts";
import { type Html, html } from "../html/html.ts";
import { PAGE_NAME, type Visitor } from "../html/layout.ts";
import { type ContractList, contractsSection } from "./sections/contracts.ts";
import { consentNote } from "./sections/deletion.ts";
import { faqSection } from "./sections/faq.ts";
import { approvalSection, livePart } from "./sections/first-import.ts";
import { linkingSection, noLinkSection } from "./sections/forms.ts";
import { historySection } from "./sections/history.ts";
import { type Inquiry, inquirySection } from "./sections/inquiry.ts";
import { linkSection } from "./sections/link.ts";
import { type Message, messageSection } from "./sections/messages.ts";
import { reconciliationsSection } from "./sections/reconciliations.ts";
import { scopeSection } from "./sections/scope.ts";
import type { LinkView, PageView } from "./view.ts";

export type LinksContent = {
  readonly view: PageView;
  readonly visitor: Visitor;
  readonly message: Message | null;
  readonly inquiry: Inquiry;
  readonly editing: boolean;
  readonly contracts: ContractList;
  readonly settings: PageSettings;
};

/** The content of the page 電子契約サービス連携 for this visitor. */
export function linksContent(content: LinksContent): Html {
  const { view, message, inquiry, contracts, settings } = content;
  return html`<h1>${PAGE_NAME}</h1>
${message !== null && messageSection(message, settings)}
${view.current === null ? unlinked(content) : linked(content, view.current)}
${inquirySection(inquiry, view.groups)}
${contractsSection(contracts, view.groups, settings)}
${historySection(view.history, view.groups)}
${scopeSection()}
${faqSection(settings)}
<footer>
${consentNote()}
<p class="note">日時はすべて日本時間（JST）です。</p>
</footer>`;
}

function unlinked({ view, visitor }: LinksContent): Html {
  return visitor.isOwner ? linkingSection(visitor, view.groups, view.now) : noLinkSection();
}

function linked({ view, visitor, editing }: LinksContent, current: LinkView): Html {
  return html`${linkSection({ link: current.link, groups: view.groups, visitor, editing })}
${approvalSection(visitor, current)}
${livePart(current)}
${reconciliationsSection(view.runs, current.link.state)}`;
}
