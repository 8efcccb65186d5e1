import { type EnvelopeId, parseUuid } from "../../../domain/identifiers.ts";
import type { StoredContract } from "../../../store/contracts/contracts.ts";
import { listContracts } from "../../../store/contracts/list-contracts.ts";
import type { Group } from "../../../store/links/groups.ts";
import { findCurrentLink } from "../../../store/links/links.ts";
import type { Uses } from "../../../usecases/capabilities.ts";
import { type Explanation, explainEnvelope } from "../../../usecases/explaining/explain-envelope.ts";
import { type Html, html } from "../../html/html.ts";
import { icon } from "../../html/icons.ts";
import { parseSearch } from "./contracts.ts";
import { explanationPart } from "./explanation.ts";

type Deps = Uses<"budgets" | "db" | "importTiming" | "now" | "openAccount">;

/** The question and its answer. */
export type Inquiry =
  | { readonly kind: "none" }
  | { readonly kind: "unreadable"; readonly asked: string }
  | { readonly kind: "matches"; readonly asked: string; readonly contracts: readonly StoredContract[] }
  | { readonly kind: "not-found"; readonly asked: string; readonly isLinked: boolean }
  | { readonly kind: "found"; readonly asked: string; readonly explanation: Explanation };

const LONGEST = 2_000;

const MOST_MATCHES = 20;

/**
 * Answers `?envelope=…`: an envelope id, a DocuSign address that contains one, or words of an imported file's name or
 * subject. Words that only one envelope matches are answered with its explanation.
 */
export async function inquire(deps: Deps, tenant: string, asked: unknown): Promise<Inquiry> {
  if (typeof asked !== "string" || asked.trim() === "") return { kind: "none" };
  const envelopeId = findEnvelopeId(asked);
  if (envelopeId === null) return await inquireByWords(deps, tenant, asked.slice(0, LONGEST));
  return await inquireById(deps, tenant, envelopeId);
}

async function inquireByWords(deps: Deps, tenant: string, asked: string): Promise<Inquiry> {
  const q = parseSearch(asked);
  if (q === null || q !== asked.trim()) return { kind: "unreadable", asked };
  const contracts = await listContracts(deps.db, tenant, { q, limit: MOST_MATCHES, after: null });
  const [first] = contracts;
  if (first === undefined) return { kind: "unreadable", asked };
  const { envelopeId } = first.source;
  const isOnly = contracts.every(({ source }) => source.envelopeId === envelopeId);
  return isOnly ? await inquireById(deps, tenant, envelopeId) : { kind: "matches", asked, contracts };
}

async function inquireById(deps: Deps, tenant: string, envelopeId: EnvelopeId): Promise<Inquiry> {
  const explanation = await explainEnvelope(deps, { tenant, envelopeId, asker: "reader" }, "ja");
  if (explanation === null) {
    return {
      kind: "not-found",
      asked: envelopeId,
      isLinked: (await findCurrentLink(deps.db, tenant)) !== null,
    };
  }
  return { kind: "found", asked: envelopeId, explanation };
}

const DASHED = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
/** Without dashes, an id is exactly 32 hexadecimal digits. */
const ID = `(${DASHED}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f]))`;
const NAMED = new RegExp(`(?:envelopes?(?:id)?|details)(?:/|=|%2f|%3d|[:：\\s]+)\\s*${ID}`, "i");
const ANY = new RegExp(ID, "gi");

/**
 * Finds the envelope id in pasted text: an address, the stamp on a document, or the id alone. An address may also
 * contain an account id before it. An id that follows a word like `envelope` is preferred, then the last one.
 */
export function findEnvelopeId(text: string): EnvelopeId | null {
  const within = text.slice(0, LONGEST).normalize("NFKC");
  const found = NAMED.exec(within)?.[1] ?? within.match(ANY)?.at(-1);
  if (found === undefined) return null;
  const digits = found.replaceAll("-", "");
  return parseUuid<EnvelopeId>(digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"));
}

/** The form that asks why an envelope is or is not in the cabinet, and the answer. */
export function inquirySection(inquiry: Inquiry, groups: readonly Group[]): Html {
  const asked = inquiry.kind === "none" ? "" : inquiry.asked;
  return html`<section class="card" aria-labelledby="inquiry">
<h2 id="inquiry">エンベロープの照会</h2>
<p>エンベロープが取り込まれた理由、取り込まれていない理由を確認できます。</p>
<form method="get" action="/links#inquiry" class="fields" role="search" aria-labelledby="inquiry">
<p class="field wide">
<label for="envelope">エンベロープID、DocuSignでエンベロープを開いたときのアドレス、または取り込んだファイル名や件名の語</label>
<input id="envelope" name="envelope" type="text" value="${asked}" required maxlength="${LONGEST}" autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby="envelope-hint">
<small id="envelope-hint">例：a1b2c3d4-5e6f-4a1b-8c2d-3e4f5a6b7c8d</small>
</p>
<p class="actions"><button>照会</button></p>
</form>
${answer(inquiry, groups)}
</section>`;
}

function answer(inquiry: Inquiry, groups: readonly Group[]): Html | null {
  switch (inquiry.kind) {
    case "none":
      return null;
    case "unreadable":
      return notice(
        "エンベロープIDが見つかりませんでした。ファイル名や件名が一致する、取り込み済みの契約書もありません。IDかアドレスをもう一度ご確認ください。",
      );
    case "matches":
      return matchList(inquiry.contracts);
    case "not-found":
      return notice(inquiry.isLinked ? NOT_FOUND : NOT_RECORDED);
    case "found":
      return explanationPart(inquiry.explanation, groups);
  }
}

function matchList(contracts: readonly StoredContract[]): Html {
  const items = contracts.map(
    ({
      fileName,
      source,
      concludedOn,
    }) => html`<li><a class="file" href="/links?envelope=${source.envelopeId}#inquiry">${fileName}</a>
<span>契約締結日 ${concludedOn.replaceAll("-", "/")}</span>${source.subject !== null && html` <span>${source.subject}</span>`}</li>\n`,
  );
  return html`<p role="status">一致する契約書があります。確認するものを選択してください。</p>
<ul class="files">
${items}</ul>`;
}

/** DocuSign shows the linked user neither other accounts' envelopes nor what only a colleague received. */
const NOT_FOUND =
  "このエンベロープは、キャビネの記録にも、連携ユーザーが閲覧できるDocuSignのエンベロープにも見つかりませんでした。連携ユーザー以外のユーザーが受信しただけのエンベロープは取り込み対象外で、ここには表示されません。エンベロープIDに誤りがないかもご確認ください。";
const NOT_RECORDED =
  "このエンベロープはキャビネの記録に見つかりませんでした。現在はDocuSignと連携していないため、DocuSignには確認していません。";

function notice(words: string): Html {
  return html`<div class="message info">${icon("info")}<p class="text" role="status">${words}</p></div>`;
}
