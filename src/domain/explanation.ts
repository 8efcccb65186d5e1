import { ENGLISH } from "./explanation-en.ts";
import { JAPANESE } from "./explanation-ja.ts";
import type { Finding, FindingFacts, Outcome, Reasons, Text, Texts } from "./finding.ts";

export type Language = "ja" | "en";

const TEXTS: { readonly [L in Language]: Texts } = { ja: JAPANESE, en: ENGLISH };

/**
 * Why an envelope is or is not in the cabinet, in words for the customer (import-rules 6): moments in Japan
 * Standard Time in Japanese, in UTC in English.
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

/** The outcome and reason that stored words stand for, or null where they are none or do not belong together. */
export function parseFinding(outcome: string, reason: string): Finding | null {
  const finding = { outcome, reason };
  return isFinding(finding) ? finding : null;
}

function isFinding(words: { outcome: string; reason: string }): words is Finding {
  const reasons = Object.entries(ENGLISH).find(([outcome]) => outcome === words.outcome)?.[1];
  return reasons !== undefined && Object.hasOwn(reasons, words.reason);
}
