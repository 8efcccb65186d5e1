import { z } from "zod";
import { type EnvelopeId, parseUuid } from "../../domain/identifiers.ts";
import { accountIdField, anyField, isObject, readText, textField } from "../wire/fields.ts";
import { parseMoment } from "../wire/moments.ts";
import { readForwardings } from "./forwardings.ts";
import { type ConnectMessage, messageIdentity } from "./message-identity.ts";

/** Reads Connect JSON: SIM if it has an `event`, otherwise an aggregate, which is the envelope itself. */
export function readConnectJson(text: string): ConnectMessage | null {
  const raw = parseJson(text);
  if (!isObject(raw)) return null;
  return "event" in raw ? readSim(raw) : readAggregate(raw);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Optional: messages about other things, such as the account, do without. */
const NO_DATA = {
  accountId: null,
  envelopeId: null,
  recipientId: null,
  reassignedRecipientId: null,
  envelopeSummary: undefined,
};

const simBody = z.object({
  event: z
    .string()
    .regex(/^[a-z][\w.-]{0,99}$/i)
    .toLowerCase(),
  configurationId: textField,
  generatedDateTime: textField,
  data: z
    .object({
      accountId: accountIdField,
      envelopeId: textField,
      recipientId: textField,
      reassignedRecipientId: textField,
      envelopeSummary: anyField,
    })
    .catch(NO_DATA),
});

function readSim(raw: Readonly<Record<string, unknown>>): ConnectMessage | null {
  const body = simBody.safeParse(raw).data;
  if (body === undefined) return null;
  const { event, configurationId, generatedDateTime, data } = body;
  const envelopeId = parseUuid<EnvelopeId>(data.envelopeId);
  if (envelopeId === null && /^(envelope|recipient)-/.test(event)) return null;
  return {
    format: "json-sim",
    event,
    envelopeId,
    accountId: data.accountId,
    configurationId: configurationId !== null && configurationId.length <= 64 ? configurationId : null,
    generatedAt: parseMoment(generatedDateTime, 0),
    identity: messageIdentity("json-sim", [
      configurationId,
      envelopeId,
      event,
      generatedDateTime,
      data.recipientId,
      data.reassignedRecipientId,
      ...(envelopeId === null ? nameSubject(raw["data"]) : []),
    ]),
    forwardings: readForwardings(event, data),
  };
}

/** A message about something else is identified by its top-level fields; deeper ones may be too deep to serialize. */
function nameSubject(data: unknown): (string | null)[] {
  return isObject(data) ? Object.entries(data).flatMap(([name, value]) => [name, readText(value)]) : [];
}

const aggregateBody = z.object({
  envelopeId: z.string(),
  status: z
    .string()
    .regex(/^[a-z]{1,40}$/i)
    .toLowerCase(),
  completedDateTime: textField,
  statusChangedDateTime: textField,
  lastModifiedDateTime: textField,
});

function readAggregate(raw: unknown): ConnectMessage | null {
  const body = aggregateBody.safeParse(raw).data;
  const envelopeId = parseUuid<EnvelopeId>(body?.envelopeId);
  if (body === undefined || envelopeId === null) return null;
  const changedAt = body.completedDateTime ?? body.statusChangedDateTime ?? body.lastModifiedDateTime;
  return {
    format: "json-aggregate",
    event: `envelope-${body.status}`,
    envelopeId,
    // Only the sender's account is included, and a recipient's configuration belongs to a different account.
    accountId: null,
    configurationId: null,
    generatedAt: null,
    identity: messageIdentity("json-aggregate", [envelopeId, body.status, changedAt]),
    forwardings: [],
  };
}
