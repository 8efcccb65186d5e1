import { createRequire } from "node:module";
import { isObject } from "../wire/fields.ts";

/** docusign-esign's callback. The library has no types, so its arguments are parsed. */
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
    list(accountId: string, options: object, done: SdkCallback): unknown;
  };
  readonly connect: {
    listConfigurations(accountId: string, done: SdkCallback): unknown;
    listEventFailureLogs(accountId: string, options: object, done: SdkCallback): unknown;
    createConfiguration(accountId: string, options: object, done: SdkCallback): unknown;
    updateConfiguration(accountId: string, options: object, done: SdkCallback): unknown;
    deleteConfiguration(accountId: string, connectId: string, done: SdkCallback): unknown;
  };
};

type ApiClient = {
  timeout: number;
  deserialize: () => null;
  applyAuthToRequest: (request: { maxRedirects?: number }) => void;
  addDefaultHeader(name: string, value: string): void;
};

type SdkModule = {
  readonly ApiClient: new (options: { basePath: string }) => ApiClient;
  readonly EnvelopesApi: new (client: ApiClient) => Sdk["envelopes"];
  readonly UsersApi: new (client: ApiClient) => Sdk["users"];
  readonly ConnectApi: new (client: ApiClient) => Sdk["connect"];
};

/**
 * Returns docusign-esign for one call with one token. It is loaded at the first use: loading takes half a second and
 * 40 MB, which processes that never call DocuSign save.
 */
export function openSdk(baseUri: string, token: string, timeoutMs: number): Sdk {
  const sdk = loadSdk();
  const client = new sdk.ApiClient({ basePath: `${baseUri}/restapi` });
  client.addDefaultHeader("Authorization", `Bearer ${token}`);
  client.timeout = timeoutMs;
  // Its models drop unknown fields and throw if a list is null. The raw body is parsed instead.
  client.deserialize = () => null;
  // A redirect could send the token to another host. The token itself is in the default header.
  client.applyAuthToRequest = (request) => {
    request.maxRedirects = 0;
  };
  return {
    envelopes: new sdk.EnvelopesApi(client),
    users: new sdk.UsersApi(client),
    connect: new sdk.ConnectApi(client),
  };
}

function loadSdk(): SdkModule {
  const loaded: unknown = createRequire(import.meta.url)("docusign-esign");
  if (!isSdk(loaded)) throw new Error("docusign-esign lacks an expected operation");
  return loaded;
}

function isSdk(loaded: unknown): loaded is SdkModule {
  if (!isObject(loaded)) return false;
  return ["ApiClient", "EnvelopesApi", "UsersApi", "ConnectApi"].every(
    (name) => typeof loaded[name] === "function",
  );
}
