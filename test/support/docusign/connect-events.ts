import { type ConnectConfiguration, formatOf, wantsEvent } from "./connect-configuration.ts";
import { aggregateMessage, simMessage } from "./connect-message.ts";
import type { Message } from "./connect-post.ts";
import type { Account, DocuSignState, Envelope, Recipient } from "./state.ts";
import { xmlMessage } from "./xml-message.ts";

/** Something happened to an envelope. */
export type Occurrence = {
  readonly envelope: Envelope;
  /** `envelope-completed`, `recipient-reassign`, … */
  readonly event: string;
  readonly recipient?: Recipient;
  readonly reassigned?: Recipient;
};

/**
 * The messages that this brings: one for each configuration that wants the event, in any account.
 * Account-level configurations hear of sent envelopes only, recipient ones of what a listed user receives.
 */
export function messagesOf(
  state: DocuSignState,
  occurrence: Occurrence,
  integratorKeys: () => readonly string[],
): Message[] {
  return [...state.accounts.values()].flatMap((account) =>
    [...account.configurations.values()]
      .filter((configuration) => wantsEvent(configuration, occurrence.event))
      .flatMap((configuration) => {
        const userId = reportedUser(state, account, configuration, occurrence.envelope);
        if (userId === null) return [];
        return [createMessage(state, { account, configuration, userId, occurrence, integratorKeys })];
      }),
  );
}

/** The user for whom the configuration reports the envelope; null if it does not report it. */
function reportedUser(
  state: DocuSignState,
  account: Account,
  configuration: ConnectConfiguration,
  envelope: Envelope,
): string | null {
  const listed = (userId: string | null): userId is string =>
    userId !== null && (configuration.allUsers === "true" || (configuration.userIds ?? []).includes(userId));
  if (configuration.configurationType !== "customrecipient") {
    return envelope.accountId === account.accountId && listed(envelope.senderId) ? envelope.senderId : null;
  }
  const recipients = envelope.recipients.map((recipient) => recipient.userId);
  return recipients.find((id) => listed(id) && isMember(state, id, account)) ?? null;
}

function isMember(state: DocuSignState, userId: string, account: Account): boolean {
  return state.users.get(userId)?.memberships.has(account.accountId) ?? false;
}

type Telling = {
  account: Account;
  configuration: ConnectConfiguration;
  userId: string;
  occurrence: Occurrence;
  integratorKeys: () => readonly string[];
};

function createMessage(state: DocuSignState, telling: Telling): Message {
  const { account, configuration, occurrence } = telling;
  return {
    event: occurrence.event,
    envelopeId: occurrence.envelope.envelopeId,
    accountId: account.accountId,
    configurationId: configuration.connectId,
    url: configuration.urlToPublishTo,
    contentType:
      formatOf(configuration) === "xml" ? "text/xml; charset=utf-8" : "application/json; charset=utf-8",
    keys: () => keysOf(account, configuration, telling.integratorKeys),
    body: bodyOf(state, telling),
    acknowledged: configuration.requiresAcknowledgement === "true",
  };
}

function keysOf(
  account: Account,
  configuration: ConnectConfiguration,
  integratorKeys: () => readonly string[],
): readonly string[] {
  if (configuration.includeHMAC !== "true") return [];
  return configuration.integratorManaged === "true" ? integratorKeys() : account.hmacKeys;
}

/** The current format contains the state at the time of the event, older ones the state at the time of sending. */
function bodyOf(state: DocuSignState, telling: Telling): (retryCount: number) => Buffer {
  const { configuration, occurrence, account, userId } = telling;
  const { envelope, event, recipient, reassigned } = occurrence;
  const includeData = configuration.eventData?.includeData ?? [];
  const format = formatOf(configuration);
  if (format === "json-aggregate") return () => aggregateMessage(state, envelope, { includeData });
  if (format === "xml") return () => xmlMessage(state, envelope, xmlOptions(configuration, account));
  const generatedAt = state.now();
  const snapshot = copyOf(envelope);
  return (retryCount) =>
    simMessage(state, snapshot, {
      event,
      configurationId: Number(configuration.connectId),
      accountId: account.accountId,
      userId,
      generatedAt,
      retryCount,
      includeData,
      ...(recipient === undefined ? {} : { recipientId: recipient.recipientId }),
      ...(reassigned === undefined ? {} : { reassignedRecipientId: reassigned.recipientId }),
    });
}

function copyOf(envelope: Envelope): Envelope {
  return {
    ...envelope,
    recipients: envelope.recipients.map((recipient) => ({
      ...recipient,
      delegatedTo: [...recipient.delegatedTo],
    })),
    documents: [...envelope.documents],
  };
}

function xmlOptions(configuration: ConnectConfiguration, account: Account): Parameters<typeof xmlMessage>[2] {
  return {
    documents: configuration.includeDocuments === "true",
    timeZoneOffset: configuration.includeTimeZoneInformation === "false" ? null : -7,
    ...(configuration.includeSenderAccountasCustomField === "true"
      ? { senderAccount: String(Number.parseInt(account.accountId.slice(0, 7), 16)) }
      : {}),
  };
}
