import type { Envelope } from "../../domain/envelope.ts";
import type { EnvelopeId, UserId } from "../../domain/identifiers.ts";
import { isPurged } from "../../domain/purge.ts";
import { DocuSignFault, isOurCredentialsFault, unlessRefused } from "../faults/faults.ts";
import { isSameAddress } from "../wire/addresses.ts";
import { readDocuments, readEnvelope, unreadableAnswer } from "../wire/answers.ts";
import { readRecipientContacts } from "../wire/parties.ts";
import { readGroupMembers, readRecipients } from "../wire/recipients.ts";
import { type Call, callSettings, createCall, type DocuSignAccountOptions, followMoves } from "./calls.ts";
import {
  type ConnectConfiguration,
  configurationBody,
  type ListedConnectConfiguration,
  readConfigurationId,
  readConfigurations,
  readFailures,
} from "./connect-configuration.ts";
import { type DownloadOptions, downloadDocument } from "./download.ts";
import {
  type ChosenQuery,
  type CompletedPage,
  type CompletedQuery,
  chosenOptions,
  listOptions,
  readChosen,
  readPage,
} from "./listing.ts";
import { pathSegment } from "./path-segment.ts";
import { type AccountUser, readUser, readUsers } from "./user.ts";

/** One DocuSign account with one user's rights. Every call throws a `DocuSignFault` if it fails. */
export type DocuSignAccount = {
  /** Includes recipients and documents, in one call if DocuSign returns them. Documents are null if they are purged. */
  readonly getEnvelope: (id: EnvelopeId) => Promise<Envelope>;
  /** One page of the envelopes completed in a period, earliest first. */
  readonly listCompleted: (query: CompletedQuery) => Promise<CompletedPage>;
  /** Those of the completed envelopes that DocuSign lists, in one call. */
  readonly listChosen: (query: ChosenQuery) => Promise<readonly Envelope[]>;
  readonly getUser: (id: UserId) => Promise<AccountUser>;
  /** The first hundred users of the account with this address, or with this text in their names. */
  readonly findUsers: (
    query: { readonly email: string } | { readonly nameContains: string },
  ) => Promise<readonly Pick<AccountUser, "name" | "email">[]>;
  readonly listConnectConfigurations: () => Promise<readonly ListedConnectConfiguration[]>;
  /** The configuration's id of each failed delivery in a period. */
  readonly listFailedDeliveries: (period: {
    readonly from: Date;
    readonly to: Date;
  }) => Promise<readonly string[]>;
  /** Returns the configuration with DocuSign's id. */
  readonly createConnectConfiguration: (wanted: ConnectConfiguration) => Promise<ConnectConfiguration>;
  /** Restores the configuration with that id. */
  readonly updateConnectConfiguration: (wanted: ConnectConfiguration) => Promise<void>;
  /**
   * Idempotent. The fault `never` means that the configuration still exists and is visible to the user. If the list is
   * refused as well, the fault is `not-permitted`, whatever DocuSign's code.
   */
  readonly deleteConnectConfiguration: (id: string) => Promise<void>;
  /** See `downloadDocument`. */
  readonly downloadDocument: (
    envelopeId: EnvelopeId,
    documentId: string,
    options?: DownloadOptions,
  ) => Promise<AsyncIterable<Uint8Array>>;
};

/** Opens an account; nothing is called yet. */
export function openDocuSignAccount(options: DocuSignAccountOptions): DocuSignAccount {
  const settings = callSettings(options);
  const call = createCall(settings);
  const callAccount = followMoves(settings, call);
  return {
    getEnvelope: (id) => getEnvelope(call, id),
    listCompleted: async (query) => {
      const raw = await callAccount((sdk, account, done) =>
        sdk.envelopes.listStatusChanges(account, listOptions(query), done),
      );
      return { ...readPage(raw, query), readAt: settings.now() };
    },
    listChosen: async (query) =>
      readChosen(
        await call((sdk, account, done) =>
          sdk.envelopes.listStatusChanges(account, chosenOptions(query), done),
        ),
        query,
      ),
    getUser: async (id) =>
      readUser(
        await callAccount((sdk, account, done) =>
          sdk.users.getInformation(account, id, { additionalInfo: "true" }, done),
        ),
      ),
    findUsers: (query) => findUsers(callAccount, query),
    listFailedDeliveries: (period) => listFailedDeliveries(callAccount, period),
    listConnectConfigurations: () => listConfigurations(callAccount),
    createConnectConfiguration: (wanted) => createConfiguration(callAccount, wanted),
    updateConnectConfiguration: async (wanted) => {
      const body = { connectCustomConfiguration: configurationBody(wanted) };
      await callAccount((sdk, account, done) => sdk.connect.updateConfiguration(account, body, done));
    },
    deleteConnectConfiguration: (id) => deleteConfiguration(callAccount, id),
    downloadDocument: (envelopeId, documentId, download) =>
      downloadDocument(settings, envelopeId, documentId, download),
  };
}

async function getEnvelope(call: Call, id: EnvelopeId): Promise<Envelope> {
  const include = { include: "recipients,documents" };
  const raw = await call((sdk, account, done) => sdk.envelopes.getEnvelope(account, id, include, done));
  const envelope = readEnvelope(raw);
  const complete = envelope.recipients === null ? await addRecipients(call, envelope) : envelope;
  const documents =
    envelope.documents ?? (isPurged(envelope.purgeState) ? null : await getDocuments(call, id));
  return { ...complete, documents };
}

async function addRecipients(call: Call, envelope: Envelope): Promise<Envelope> {
  const raw = await call((sdk, account, done) =>
    sdk.envelopes.listRecipients(account, envelope.id, {}, done),
  );
  const recipients = readRecipients(raw);
  if (recipients === null) throw unreadableAnswer();
  return {
    ...envelope,
    recipients,
    groupMembers: readGroupMembers(raw),
    parties: { ...envelope.parties, recipients: readRecipientContacts(raw) },
  };
}

async function getDocuments(call: Call, id: EnvelopeId): Promise<NonNullable<Envelope["documents"]>> {
  const raw = await call((sdk, account, done) => sdk.envelopes.listDocuments(account, id, {}, done));
  const documents = readDocuments(raw);
  if (documents === null) throw unreadableAnswer();
  return documents;
}

async function findUsers(
  call: Call,
  query: { readonly email: string } | { readonly nameContains: string },
): ReturnType<DocuSignAccount["findUsers"]> {
  const filter = "email" in query ? query : { userNameSubstring: query.nameContains };
  const options = { ...filter, count: "100" };
  return readUsers(await call((sdk, account, done) => sdk.users.list(account, options, done)));
}

async function listFailedDeliveries(
  call: Call,
  { from, to }: { readonly from: Date; readonly to: Date },
): ReturnType<DocuSignAccount["listFailedDeliveries"]> {
  const period = { fromDate: from.toISOString(), toDate: to.toISOString() };
  return readFailures(
    await call((sdk, account, done) => sdk.connect.listEventFailureLogs(account, period, done)),
  );
}

async function listConfigurations(call: Call): Promise<readonly ListedConnectConfiguration[]> {
  return readConfigurations(
    await call((sdk, account, done) => sdk.connect.listConfigurations(account, done)),
  );
}

async function createConfiguration(call: Call, wanted: ConnectConfiguration): Promise<ConnectConfiguration> {
  const body = { connectCustomConfiguration: configurationBody({ ...wanted, id: null }) };
  const raw = await call((sdk, account, done) => sdk.connect.createConfiguration(account, body, done));
  const id = readConfigurationId(raw) ?? (await findConfigurationId(call, wanted));
  if (id === null) throw unreadableAnswer();
  return { ...wanted, id };
}

async function findConfigurationId(call: Call, wanted: ConnectConfiguration): Promise<string | null> {
  const listed = await listConfigurations(call);
  return listed.find(({ type, url }) => type === wanted.type && isSameAddress(url, wanted.url))?.id ?? null;
}

async function deleteConfiguration(call: Call, id: string): Promise<void> {
  // The library encodes the id too, but leaves `..` as it is.
  pathSegment(id);
  try {
    await call((sdk, account, done) => sdk.connect.deleteConfiguration(account, id, done));
  } catch (error) {
    if (!(error instanceof DocuSignFault) || !(await isGone(call, id, error))) throw error;
  }
}

/** DocuSign does not document the answer for a missing configuration, so after any other rejection the list decides. */
async function isGone(call: Call, id: string, fault: DocuSignFault): Promise<boolean> {
  if (fault.kind === "not-found") return true;
  if (fault.kind !== "never" || isOurCredentialsFault(fault)) return false;
  const listed = await unlessRefused(listConfigurations(call));
  if (listed === null) throw new DocuSignFault("not-permitted", fault.code, { httpStatus: fault.httpStatus });
  return listed.every((configuration) => configuration.id !== id);
}
