import { ENGLISH } from "./explanation-en.ts";
import { JAPANESE } from "./explanation-ja.ts";
import type { Finding, FindingFacts, Outcome, Reasons, Text, Texts } from "./finding.ts";

export type Language = "ja" | "en";

const TEXTS: { readonly [L in Language]: Texts } = { ja: JAPANESE, en: ENGLISH };

/**
 * Explains to the customer why an envelope is or is not in the cabinet (import-rules 6). Japanese texts give times in
 * Japan Standard Time, English texts in UTC.
 */
export function explain<O extends Outcome>(
  outcome: O,
  reason: Reasons[O],
  facts: FindingFacts,
  language: Language,
): string {
  const texts: { readonly [R in Reasons[O]]: Text } = TEXTS[language][outcome];
  return texts[reason](facts);
}

/** Parses a stored outcome and reason. Returns null if they are unknown or do not belong together. */
export function parseFinding(outcome: string, reason: string): Finding | null {
  const finding = { outcome, reason };
  return isFinding(finding) ? finding : null;
}

function isFinding(words: { outcome: string; reason: string }): words is Finding {
  const reasons = Object.entries(ENGLISH).find(([outcome]) => outcome === words.outcome)?.[1];
  return reasons !== undefined && Object.hasOwn(reasons, words.reason);
}
