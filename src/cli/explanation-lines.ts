import type { Language } from "../domain/explanation.ts";
import type { Explanation } from "../usecases/explaining/explain-envelope.ts";

/** An explanation with the tenant of its envelope. */
export type TenantsExplanation = Explanation & { readonly tenant: string };

/** Formats an explanation for people: the sentence first, then the facts. */
export function explanationLines(explanation: TenantsExplanation, language: Language): string[] {
  const labels = LABELS[language];
  return [
    `${labels.envelope} ${explanation.envelopeId} (${explanation.tenant})`,
    `  ${explanation.outcome}: ${explanation.reason}`,
    `  ${explanation.text}`,
    ...recordLines(explanation, labels),
    ...explanation.events.map(
      ({ event, format, receivedAt }) => `  ${labels.event} ${receivedAt.toISOString()} ${event} (${format})`,
    ),
    ...explanation.contracts.map(
      ({ id, fileName, groupId, importedAt, deletedAt }) =>
        `  ${labels.contract} ${id} ${fileName} (${groupId}), ${importedAt.toISOString()}${momentText(labels.deleted, deletedAt)}`,
    ),
    ...Object.entries(explanation.facts).map(
      ([name, fact]) => `  ${labels.fact} ${name}: ${JSON.stringify(fact)}`,
    ),
  ];
}

type Labels = (typeof LABELS)[Language];

const LABELS = {
  en: {
    envelope: "envelope",
    link: "link",
    decided: "decided",
    attempts: "attempts",
    last: "last",
    event: "event",
    contract: "contract",
    deleted: "deleted",
    fact: "fact",
  },
  ja: {
    envelope: "エンベロープ",
    link: "連携",
    decided: "判定",
    attempts: "試行回数",
    last: "最終",
    event: "イベント",
    contract: "契約書",
    deleted: "削除",
    fact: "事実",
  },
} as const;

function recordLines(
  { linkId, decidedAt, attempts, lastAttemptAt, lastError }: TenantsExplanation,
  labels: Labels,
): string[] {
  const error = lastError === null ? "" : ` (${lastError})`;
  return [
    ...(linkId === null ? [] : [`  ${labels.link} ${linkId}${momentText(labels.decided, decidedAt)}`]),
    ...(attempts === 0
      ? []
      : [`  ${labels.attempts} ${attempts}${momentText(labels.last, lastAttemptAt)}${error}`]),
  ];
}

function momentText(label: string, moment: Date | null): string {
  return moment === null ? "" : `, ${label} ${moment.toISOString()}`;
}
