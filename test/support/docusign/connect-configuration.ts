import { z } from "zod";

/** A Connect configuration with DocuSign's own words and string scalars; other settings are kept as they came. */
export const connectConfiguration = z.looseObject({
  connectId: z.string(),
  configurationType: z.string(),
  urlToPublishTo: z.string(),
  name: z.string().optional(),
  allowEnvelopePublish: z.string().default("false"),
  pausePublish: z.string().optional(),
  disabledBy: z.string().optional(),
  allUsers: z.string().default("false"),
  userIds: z.array(z.string()).optional(),
  deliveryMode: z.string().optional(),
  eventData: z
    .looseObject({ version: z.string().optional(), includeData: z.array(z.string()).optional() })
    .optional(),
  events: z.array(z.string()).optional(),
  envelopeEvents: z.array(z.string()).optional(),
  recipientEvents: z.array(z.string()).optional(),
  includeHMAC: z.string().default("false"),
  integratorManaged: z.string().optional(),
  requiresAcknowledgement: z.string().default("false"),
  includeDocuments: z.string().optional(),
  includeTimeZoneInformation: z.string().optional(),
  includeSenderAccountasCustomField: z.string().optional(),
});

export type ConnectConfiguration = z.infer<typeof connectConfiguration>;

export type MessageFormat = "json-sim" | "json-aggregate" | "xml";

/** The body that a configuration asks for; what tells them apart is as odd as DocuSign made it. */
export function formatOf(configuration: ConnectConfiguration): MessageFormat {
  if (configuration.eventData?.version !== "restv2.1") return "xml";
  return configuration.deliveryMode === "aggregate" ? "json-aggregate" : "json-sim";
}

/** True if the configuration subscribes to the event, in the spelling of its generation. */
export function wantsEvent(configuration: ConnectConfiguration, event: string): boolean {
  if (configuration.allowEnvelopePublish !== "true" || configuration.pausePublish === "true") return false;
  if (formatOf(configuration) === "json-sim") return configuration.events?.includes(event) ?? false;
  const [kind, word] = splitEvent(event);
  const wanted = kind === "envelope" ? configuration.envelopeEvents : configuration.recipientEvents;
  return wanted?.includes(word) ?? false;
}

/** `envelope-completed` is `Completed` in the older spelling. */
function splitEvent(event: string): [kind: string, word: string] {
  const [kind = "", word = ""] = event.split("-", 2);
  return [kind, word.charAt(0).toUpperCase() + word.slice(1)];
}

/** Violations of DocuSign's documentation by the settings, beyond their types. */
export function configurationProblems(configuration: ConnectConfiguration): string[] {
  const problems: string[] = [];
  const listens = configuration.allUsers === "true" || (configuration.userIds?.length ?? 0) > 0;
  if (!listens) problems.push('neither allUsers "true" nor userIds');
  if (!URL.canParse(configuration.urlToPublishTo)) problems.push("urlToPublishTo is no address");
  for (const word of configuration.eventData?.includeData ?? []) {
    if (!INCLUDE_DATA.has(word)) problems.push(`includeData ${word}`);
  }
  for (const event of configuration.events ?? []) if (!EVENTS.test(event)) problems.push(`event ${event}`);
  const legacy = [...(configuration.envelopeEvents ?? []), ...(configuration.recipientEvents ?? [])];
  for (const event of legacy) if (!LEGACY_EVENTS.has(event)) problems.push(`event ${event}`);
  if (configuration.deliveryMode === "aggregate" && (configuration.events?.length ?? 0) > 0) {
    problems.push("events with deliveryMode aggregate");
  }
  return problems;
}

const INCLUDE_DATA = new Set(
  "attachments custom_fields documents extensions folders payment_tabs powerform prefill_tabs recipients tabs".split(
    " ",
  ),
);
const EVENTS =
  /^(envelope-(created|sent|resent|delivered|completed|declined|voided|corrected|purge|deleted|discard)|recipient-(sent|resent|delivered|completed|declined|authenticationfailed|autoresponded|reassign|delegate|finish-later))$/;
const LEGACY_EVENTS = new Set(
  "Sent Delivered Completed Declined Voided AuthenticationFailed AutoResponded".split(" "),
);
