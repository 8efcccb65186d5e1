import { randomInt } from "node:crypto";
import { z } from "zod";
import { demandAdmin } from "./account-routes.ts";
import {
  type ConnectConfiguration,
  configurationProblems,
  connectConfiguration,
} from "./connect-configuration.ts";
import { type Answer, DocuSignError, type Route } from "./exchange.ts";
import { type RestCall, type RestHandler, type RestParts, restRoute } from "./rest-route.ts";
import type { Account } from "./state.ts";

export type ConnectVerbs = {
  /** All configurations of the account. */
  configurations(account: Account): ConnectConfiguration[];
  /** One that the customer made in DocuSign's own pages; `urlToPublishTo` is all it needs. */
  addConfiguration(account: Account, wish: ConfigurationWish): ConnectConfiguration;
  /** Somebody changes a configuration in DocuSign's own pages. */
  changeConfiguration(account: Account, connectId: string, changes: Partial<ConnectConfiguration>): void;
  /**
   * DocuSign disables a configuration whose deliveries keep failing. It shows who did, the failures, both or neither.
   */
  disableConfiguration(
    account: Account,
    connectId: string,
    shown: { disabledBy?: string; failures?: boolean },
  ): void;
  /** Somebody removes it there. */
  removeConfiguration(account: Account, connectId: string): void;
  /** Every call of /connect is refused with this code; null ends it. */
  refuseConnect(account: Account, errorCode: string | null): void;
  /** The account's list shows its configurations so from now on; fields that are undefined not at all. */
  showConfigurations(account: Account, shown: Account["shownConfiguration"]): void;
};

export type ConfigurationWish = Partial<ConnectConfiguration> & { urlToPublishTo: string };

/** Connect configurations, for administrators of accounts that have Connect. */
export function createConnectRoutes(parts: RestParts): Route[] {
  const route = (
    method: Route["method"],
    template: "/connect" | "/connect/{connectId}" | "/connect/failures",
    handle: RestHandler,
    understands: readonly string[] = [],
  ): Route =>
    restRoute(parts, method, template, {
      understands,
      handle: (call) => {
        demandConnect(call);
        return handle(call);
      },
    });
  return [
    route("GET", "/connect", ({ account }) =>
      listed([...account.configurations.values()].map((there) => account.shownConfiguration(there))),
    ),
    route("POST", "/connect", create),
    route("PUT", "/connect", update),
    route(
      "GET",
      "/connect/failures",
      ({ account: { failures } }) => ({
        status: 200,
        json: { failures, totalRecords: String(failures.length) },
      }),
      ["from_date", "to_date"],
    ),
    route("GET", "/connect/{connectId}", (call) => listed([known(call, call.params["connectId"])])),
    route("DELETE", "/connect/{connectId}", (call) => {
      call.account.configurations.delete(known(call, call.params["connectId"]).connectId);
      return { status: 200 };
    }),
  ];
}

/** Changes to configurations that a test makes without the API. */
export function createConnectVerbs(): ConnectVerbs {
  return {
    configurations: (account) => [...account.configurations.values()],
    addConfiguration: (account, wish) => {
      const made = connectConfiguration.parse({ ...CUSTOMERS_OWN, connectId: newConnectId(), ...wish });
      account.configurations.set(made.connectId, made);
      return made;
    },
    changeConfiguration: (account, connectId, changes) => {
      const before = account.configurations.get(connectId);
      account.configurations.set(connectId, connectConfiguration.parse({ ...before, ...changes }));
    },
    disableConfiguration: (account, connectId, { disabledBy, failures = false }) => {
      const before = account.configurations.get(connectId);
      const off = {
        ...before,
        allowEnvelopePublish: "false",
        ...(disabledBy === undefined ? {} : { disabledBy }),
      };
      account.configurations.set(connectId, connectConfiguration.parse(off));
      if (failures) account.failures.push({ connectId, status: "failed", error: "503 Service Unavailable" });
    },
    removeConfiguration: (account, connectId) => void account.configurations.delete(connectId),
    refuseConnect: (account, errorCode) => {
      account.connectRefusal = errorCode;
    },
    showConfigurations: (account, shown) => {
      account.shownConfiguration = shown;
    },
  };
}

const CUSTOMERS_OWN = {
  configurationType: "custom",
  allowEnvelopePublish: "true",
  allUsers: "true",
  includeHMAC: "true",
  deliveryMode: "SIM",
  eventData: { version: "restv2.1" },
  events: ["envelope-completed"],
};

function demandConnect(call: RestCall): void {
  const { account } = call;
  if (account.connectRefusal !== null) throw new DocuSignError(401, account.connectRefusal);
  demandAdmin(call);
  if (!account.connect) throw new DocuSignError(401, "ACCOUNT_LACKS_PERMISSIONS");
}

function listed(shown: readonly Readonly<Record<string, unknown>>[]): Answer {
  const configurations: unknown = JSON.parse(JSON.stringify(shown));
  return { status: 200, json: { configurations, totalRecords: String(shown.length) } };
}

function create(call: RestCall): Answer {
  const made = accepted(call, { ...fieldsOf(call.json), connectId: newConnectId() });
  return { status: 201, json: made };
}

function update(call: RestCall): Answer {
  const changes = fieldsOf(call.json);
  const { disabledBy, ...before } = known(call, changes["connectId"]);
  const isEnabled = changes["allowEnvelopePublish"] === "true";
  const kept = isEnabled || disabledBy === undefined ? before : { ...before, disabledBy };
  return { status: 200, json: accepted(call, { ...kept, ...changes }) };
}

function fieldsOf(json: unknown): Record<string, unknown> {
  const fields = z.record(z.string(), z.unknown()).safeParse(json);
  if (!fields.success) throw new DocuSignError(400, "INVALID_REQUEST_BODY");
  return fields.data;
}

function known({ account }: RestCall, connectId: unknown): ConnectConfiguration {
  const configuration = typeof connectId === "string" ? account.configurations.get(connectId) : undefined;
  if (configuration === undefined) throw new DocuSignError(404, "CONNECT_CONFIGURATION_NOT_FOUND");
  return configuration;
}

/** Takes the settings in; settings that DocuSign's documentation rules out fail the test. */
function accepted({ account }: RestCall, fields: Record<string, unknown>): ConnectConfiguration {
  const parsed = connectConfiguration.safeParse(fields);
  if (!parsed.success) throw new DocuSignError(501, "UNKNOWN_TO_SIMULATOR", z.prettifyError(parsed.error));
  const configuration = parsed.data;
  const type = configuration.configurationType;
  if (type === "customrecipient" && !account.recipientConnect)
    throw new DocuSignError(401, "ACCOUNT_LACKS_PERMISSIONS");
  const strange = type === "custom" || type === "customrecipient" ? [] : [`configurationType ${type}`];
  const problems = [...strange, ...configurationProblems(configuration)];
  if (problems.length > 0) throw new DocuSignError(501, "UNKNOWN_TO_SIMULATOR", problems.join("; "));
  account.configurations.set(configuration.connectId, configuration);
  return configuration;
}

function newConnectId(): string {
  return String(randomInt(10_000_000, 99_999_999));
}
