import { createRequire } from "node:module";
import { isObject } from "../wire/fields.ts";

/** What docusign-esign calls at the end of a call. It is written without types: what comes is read, not trusted. */
export type SdkCallback = (error: unknown, data: unknown, response?: unknown) => void;

/** The operations of docusign-esign that are used here. */
export type Sdk = {
  readonly envelopes: {
    getEnvelope(accountId: string, envelopeId: string, options: object, done: SdkCallback): unknown;
    listRecipients(accountId: string, envelopeId: string, options: object, done: SdkCallback): unknown;
    listDocuments(accountId: string, envelopeId: string, options: object, done: SdkCallback): unknown;
    listStatusChanges(accountId: string, options: object, done: SdkCallback): unknown;
  };
  readonly users: {
    getInformation(accountId: string, userId: string, options: object, done: SdkCallback): unknown;
  };
  readonly connect: {
    listConfigurations(accountId: string, done: SdkCallback): unknown;
    createConfiguration(accountId: string, options: object, done: SdkCallback): unknown;
    updateConfiguration(accountId: string, options: object, done: SdkCallback): unknown;
    deleteConfiguration(accountId: string, connectId: string, done: SdkCallback): unknown;
  };
};

type ApiClient = {
  timeout: number;
  deserialize: () => null;
  addDefaultHeader(name: string, value: string): void;
};

type SdkModule = {
  readonly ApiClient: new (options: { basePath: string }) => ApiClient;
  readonly EnvelopesApi: new (client: ApiClient) => Sdk["envelopes"];
  readonly UsersApi: new (client: ApiClient) => Sdk["users"];
  readonly ConnectApi: new (client: ApiClient) => Sdk["connect"];
};

/**
 * docusign-esign for one call with one token. It loads at the first use, since that takes half a second and 40 MB
 * which the processes that never call DocuSign can do without.
 */
export function openSdk(baseUri: string, token: string, timeoutMs: number): Sdk {
  const sdk = loadSdk();
  const client = new sdk.ApiClient({ basePath: `${baseUri}/restapi` });
  client.addDefaultHeader("Authorization", `Bearer ${token}`);
  client.timeout = timeoutMs;
  // Its models drop the fields that they don't know, and throw where a list is null. The raw body is read instead.
  client.deserialize = () => null;
  return {
    envelopes: new sdk.EnvelopesApi(client),
    users: new sdk.UsersApi(client),
    connect: new sdk.ConnectApi(client),
  };
}

function loadSdk(): SdkModule {
  const loaded: unknown = createRequire(import.meta.url)("docusign-esign");
  if (!isSdk(loaded)) throw new Error("docusign-esign is not what it was");
  return loaded;
}

function isSdk(loaded: unknown): loaded is SdkModule {
  if (!isObject(loaded)) return false;
  return ["ApiClient", "EnvelopesApi", "UsersApi", "ConnectApi"].every(
    (name) => typeof loaded[name] === "function",
  );
}
