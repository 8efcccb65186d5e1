import { createHmac } from "node:crypto";
import { z } from "zod";
import { readConfigurations } from "../../src/docusign/api/connect-configuration.ts";
import { readPage } from "../../src/docusign/api/listing.ts";
import { readUser } from "../../src/docusign/api/user.ts";
import { parseConnectMessage } from "../../src/docusign/connect/connect-message.ts";
import { readEnvelope } from "../../src/docusign/wire/answers.ts";
import type { Observed } from "./calls.ts";
import type { Delivery } from "./landing.ts";

export type Evidence = {
  answer(name: string): Observed | null;
  readonly delivery: Delivery | null;
  readonly hmacKeys: readonly string[];
};

/** `open`: torikomi works either way, and the answer is worth knowing. `not seen`: the account could not show it. */
export type Outcome = "as assumed" | "different" | "open" | "not seen";

export type Verdict = { readonly outcome: Outcome; readonly seen: string };

export type Assumption = {
  readonly assumed: string;
  /** Looks at the evidence. Null if the account could not show it. */
  judge(evidence: Evidence): Verdict | null;
};

/** The assumptions of docs/design.md ("DocuSign's actual behavior"), and what remains unknown. */
export const ASSUMPTIONS: readonly Assumption[] = [
  ofAnswer("a code is exchanged for tokens that live eight hours", "code", ({ status, body }) => {
    const seconds = Number(fieldOf(body, "expires_in"));
    return check(status === 200 && seconds === 28_800, `${status}, expires_in ${seconds}`);
  }),
  ofAnswer("userinfo lists accounts with base_uri and is_default", "userinfo", ({ body }) => {
    const accounts = z
      .object({ accounts: z.array(z.object({ base_uri: z.string(), is_default: z.unknown() })) })
      .safeParse(body);
    return check(
      accounts.success,
      accounts.success ? `${accounts.data.accounts.length} accounts` : "unreadable",
    );
  }),
  {
    assumed: "a refresh returns a new refresh token",
    judge: ({ answer }) => {
      const [first, second] = ["code", "refresh"].map((name) => fieldOf(answer(name)?.body, "refresh_token"));
      if (typeof first !== "string" || typeof second !== "string") return null;
      return open(first === second ? "the same token" : "another token");
    },
  },
  ofAnswer("whether an old refresh token survives is unknown", "old refresh token", (one) =>
    open(one.status === 200 ? "it still works" : describe(one)),
  ),
  ofAnswer("an unknown refresh token is rejected as invalid_grant", "unknown refresh token", (one) =>
    check(one.status === 400 && fieldOf(one.body, "error") === "invalid_grant", describe(one)),
  ),
  ofAnswer("a wrong secret is rejected as invalid_client", "wrong secret", (one) =>
    check(fieldOf(one.body, "error") === "invalid_client", describe(one)),
  ),
  ofAnswer("an unknown access token gets 401 with a code", "unknown access token", (one) =>
    check(one.status === 401 && codeOf(one) !== null, describe(one)),
  ),
  ofAnswer("the user's rights are readable: permission profile and isAdmin", "user", ({ body }) => {
    const user = readUser(body);
    return check(
      user !== null,
      `profile ${String(fieldOf(body, "permissionProfileName"))}, isAdmin ${String(fieldOf(body, "isAdmin"))}`,
    );
  }),
  ofAnswer("the API states its hourly limit in headers", "user", ({ headers }) => {
    const names = Object.keys(headers).filter((name) => /ratelimit|burstlimit/i.test(name));
    return check(headers["x-ratelimit-remaining"] !== undefined, names.join(", ") || "no such header");
  }),
  ofAnswer("a listing of completed envelopes is readable, in order of completion", "listing", ({ body }) => {
    const page = readPage(body, LISTING);
    const times = page.envelopes.map(({ completedAt }) => completedAt?.getTime() ?? 0);
    const inOrder = times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0));
    return check(
      inOrder && page.unreadable === 0,
      `${times.length} of ${page.totalSetSize} rows, ${page.unreadable} unreadable, ${inOrder ? "in order" : "not in order"}`,
    );
  }),
  ofAnswer("a listing includes recipients and documents", "listing", ({ body }) => {
    const [row] = readPage(body, LISTING).envelopes;
    if (row === undefined) return null;
    return check(row.recipients !== null && row.documents !== null, seenParts(row));
  }),
  ofAnswer(
    "whether the lower bound of a listing is inclusive is unknown",
    "listing from its first row",
    (one) => {
      const { envelopes } = readPage(one.body, LISTING);
      return open(envelopes.length === 0 ? "exclusive: no row" : "inclusive: the row is listed again");
    },
  ),
  ofAnswer("an envelope is readable, with recipients and documents in one call", "envelope", ({ body }) => {
    const envelope = readEnvelope(body);
    return check(envelope.recipients !== null && envelope.documents !== null, seenParts(envelope));
  }),
  ofAnswer("a document is a PDF whose end is announced", "document", ({ status, headers, body }) => {
    const isPdf = typeof body === "string" && body.startsWith("%PDF-");
    const end = headers["content-length"] === undefined ? headers["transfer-encoding"] : "content-length";
    return check(status === 200 && isPdf, `${status} ${headers["content-type"]}, ${end}`);
  }),
  ofAnswer("an unknown envelope is rejected with a code", "unknown envelope", (one) =>
    check([400, 404].includes(one.status) && codeOf(one) !== null, describe(one)),
  ),
  ofAnswer("the Connect configurations of the account are readable", "connect", (one) => {
    if (one.status !== 200) return open(describe(one));
    return check(true, `${readConfigurations(one.body).length} of our types`);
  }),
  ofAnswer("an unknown Connect configuration cannot be deleted", "unknown configuration", (one) =>
    open(describe(one)),
  ),
  ofAnswer("a configuration is created from our body and returns its id", "created configuration", (one) =>
    check(typeof fieldOf(one.body, "connectId") === "string", describe(one)),
  ),
  ofDelivery("a message is signed with the key as it is displayed", ({ headers, body }, keys) => {
    const signatures = Object.entries(headers).filter(([name]) => /^x-docusign-signature-\d+$/.test(name));
    const held = signatures.filter(([, value]) => keys.some((key) => value === hmac(key, body)));
    return check(held.length > 0, `${signatures.length} signatures, ${held.length} of our keys`);
  }),
  ofDelivery("a message is JSON SIM and names event, envelope and account", ({ body }) => {
    const message = parseConnectMessage(body);
    return check(message !== null, message === null ? "unreadable" : `${message.format}, ${message.event}`);
  }),
  ofDelivery("whether a message has X-DocuSign-AccountId is unknown", ({ headers }) =>
    open(headers["x-docusign-accountid"] === undefined ? "no" : "yes"),
  ),
];

const LISTING = { from: new Date(0), to: new Date(), startPosition: 0, count: 10, receivedOnly: false };

/** Judges one assumption. An answer that cannot be read is different from what is assumed. */
export function judge({ judge: look }: Assumption, evidence: Evidence): Verdict {
  try {
    return look(evidence) ?? { outcome: "not seen", seen: "" };
  } catch (error) {
    return { outcome: "different", seen: error instanceof Error ? error.message : String(error) };
  }
}

function ofAnswer(assumed: string, name: string, look: (answer: Observed) => Verdict | null): Assumption {
  return {
    assumed,
    judge: ({ answer }) => {
      const found = answer(name);
      return found === null ? null : look(found);
    },
  };
}

function ofDelivery(
  assumed: string,
  look: (delivery: Delivery, keys: readonly string[]) => Verdict,
): Assumption {
  return {
    assumed,
    judge: ({ delivery, hmacKeys }) => (delivery === null ? null : look(delivery, hmacKeys)),
  };
}

function check(holds: boolean, seen: string): Verdict {
  return { outcome: holds ? "as assumed" : "different", seen };
}

function open(seen: string): Verdict {
  return { outcome: "open", seen };
}

function describe(answer: Observed): string {
  return `${answer.status} ${codeOf(answer) ?? ""}`.trim();
}

function codeOf({ body }: Observed): string | null {
  const code = fieldOf(body, "errorCode") ?? fieldOf(body, "error");
  return typeof code === "string" ? code : null;
}

/** Returns the field of a JSON object, or undefined. */
export function fieldOf(body: unknown, name: string): unknown {
  const parsed = z.record(z.string(), z.unknown()).safeParse(body);
  return parsed.success ? parsed.data[name] : undefined;
}

function seenParts({ recipients, documents }: { recipients: unknown; documents: unknown }): string {
  const words = { recipients, documents };
  return Object.entries(words)
    .map(([name, value]) => `${name} ${value === null ? "missing" : "included"}`)
    .join(", ");
}

function hmac(key: string, body: Buffer): string {
  return createHmac("sha256", key).update(body).digest("base64");
}
