import { z } from "zod";
import type { UserId } from "../../domain/identifiers.ts";
import { parseAnswer } from "../wire/answers.ts";
import {
  anyField,
  flagField,
  isObject,
  readText,
  readUserId,
  rowsField,
  shownFlagField,
  textField,
} from "../wire/fields.ts";

/** A Connect configuration of ours: where DocuSign sends which events (design decisions 1 and 2). */
export type ConnectConfiguration = {
  /** DocuSign's id; null before it is created. */
  readonly id: string | null;
  /** `custom` reports envelopes that the account sends, `customrecipient` those that the listed users receive. */
  readonly type: "custom" | "customrecipient";
  readonly name: string;
  readonly url: string;
  readonly enabled: boolean;
  /** For `customrecipient`: whose envelopes. A `custom` configuration covers all users. */
  readonly userIds: readonly UserId[];
};

/** A configuration as the account's list shows it; null fields are not shown. */
export type ListedConnectConfiguration = Omit<ConnectConfiguration, "name" | "url" | "enabled"> & {
  readonly id: string;
  readonly name: string | null;
  readonly url: string | null;
  readonly enabled: boolean | null;
  readonly isPaused: boolean;
  /** Whom DocuSign names as the one who disabled it, in words or as an id; null if nobody. */
  readonly disabledBy: string | null;
  /** True if every field that DocuSign shows is as we set it. */
  readonly intact: boolean;
};

const SETTINGS = {
  integratorManaged: "true",
  includeHMAC: "true",
  requiresAcknowledgement: "true",
  allowEnvelopePublish: "true",
  enableLog: "true",
  deliveryMode: "SIM",
};
const EVENT_DATA = { version: "restv2.1", format: "json", includeData: ["recipients"] };
const EVENTS = ["envelope-completed", "recipient-reassign", "recipient-delegate"];

/** Builds the body that creates or restores a configuration. */
export function configurationBody(configuration: ConnectConfiguration): Readonly<Record<string, unknown>> {
  const { id, type, name, url, enabled, userIds } = configuration;
  return {
    ...(id === null ? {} : { connectId: id }),
    configurationType: type,
    name,
    urlToPublishTo: url,
    ...SETTINGS,
    allowEnvelopePublish: String(enabled),
    eventData: { ...EVENT_DATA, includeData: [...EVENT_DATA.includeData] },
    events: [...EVENTS],
    ...(type === "custom" ? { allUsers: "true" } : { allUsers: "false", userIds: [...userIds] }),
  };
}

const configurationsAnswer = z.object({ configurations: rowsField });

/** Parses the account's configurations of the two types, including foreign ones. Other types are left out. */
export function readConfigurations(raw: unknown): readonly ListedConnectConfiguration[] {
  return (parseAnswer(configurationsAnswer, raw).configurations ?? []).flatMap(readConfiguration);
}

/** Returns the id of a configuration that was just created; null if the answer does not contain it. */
export function readConfigurationId(raw: unknown): string | null {
  return isObject(raw) ? readText(raw["connectId"]) : null;
}

const failuresAnswer = z.object({ failures: rowsField });

/** Returns the id of the configuration of each failed delivery. */
export function readFailures(raw: unknown): readonly string[] {
  const failures = parseAnswer(failuresAnswer, raw).failures ?? [];
  return failures.flatMap((failure) => readText(failure["connectId"]) ?? []);
}

const configurationRow = z.looseObject({
  connectId: textField,
  configurationType: textField,
  name: textField,
  urlToPublishTo: textField,
  allowEnvelopePublish: shownFlagField,
  pausePublish: flagField,
  disabledBy: textField,
  userIds: anyField,
});

function readConfiguration(raw: Readonly<Record<string, unknown>>): ListedConnectConfiguration[] {
  const row = configurationRow.parse(raw);
  const type = row.configurationType?.toLowerCase();
  if (row.connectId === null || (type !== "custom" && type !== "customrecipient")) return [];
  const enabled = row.pausePublish ? false : row.allowEnvelopePublish;
  return [
    {
      id: row.connectId,
      type,
      name: row.name,
      url: row.urlToPublishTo,
      enabled,
      isPaused: row.pausePublish,
      disabledBy: row.disabledBy,
      userIds: textsOf(row.userIds).flatMap((id) => readUserId(id) ?? []),
      intact: enabled !== false && hasOurSettings(raw) && hasOurEvents(raw),
    },
  ];
}

/** A field that DocuSign does not show counts as unchanged. */
function hasOurSettings(raw: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(SETTINGS).every(([name, wanted]) => {
    const shown = readText(raw[name]) ?? wanted;
    return shown.toLowerCase() === wanted.toLowerCase();
  });
}

function hasOurEvents(raw: Readonly<Record<string, unknown>>): boolean {
  const eventData = isObject(raw["eventData"]) ? raw["eventData"] : EVENT_DATA;
  return (
    eventData["version"] === EVENT_DATA.version &&
    isOurList(eventData["includeData"], EVENT_DATA.includeData) &&
    isOurList(raw["events"], EVENTS)
  );
}

/** The order may differ. Additions count as changes too: with documents, messages would be too large. */
function isOurList(shown: unknown, wanted: readonly string[]): boolean {
  const texts = new Set(textsOf(shown).map((text) => text.toLowerCase()));
  return !Array.isArray(shown) || (texts.size === wanted.length && wanted.every((text) => texts.has(text)));
}

function textsOf(raw: unknown): readonly string[] {
  return Array.isArray(raw) ? raw.filter((value) => typeof value === "string") : [];
}
