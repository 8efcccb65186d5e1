import { createHmac, randomUUID } from "node:crypto";
import { beginCheck } from "../../src/docusign/connect/signature.ts";
import type { LinkId } from "../../src/domain/identifiers.ts";
import type { Delivery } from "../../src/usecases/receiving/receive-event.ts";
import { assertDescribed } from "../api/described.ts";
import { HMAC_KEYS, type World } from "./world.ts";

export type Posted = { readonly status: number; readonly body: any; readonly headers: Headers };

/** Posts a body to the receiver, signed over its very bytes with the first key by default. */
export async function post(
  world: Pick<World, "url">,
  linkId: string,
  body: string | Buffer,
  options: { headers?: Record<string, string>; key?: string } = {},
): Promise<Posted> {
  const bytes = Buffer.from(body);
  const headers = options.headers ?? {
    "x-docusign-signature-1": sign(bytes, options.key ?? HMAC_KEYS[0] ?? ""),
  };
  const response = await fetch(`${world.url}/connect/${linkId}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: bytes,
  });
  assertDescribed("receiveConnectEvent", response);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? null : JSON.parse(text) };
}

/** Prepares a signed body for `receiveEvent`. */
export function deliveryOf(linkId: LinkId, body: Uint8Array): Delivery {
  const signature = beginCheck(HMAC_KEYS, [sign(Buffer.from(body), HMAC_KEYS[0] ?? "")]);
  if (signature === null) throw new Error("the signature is malformed");
  signature.update(body);
  return { linkId, parts: [body], signature };
}

/** As DocuSign signs: base64 of HMAC-SHA256 under the key's own text. */
export function sign(body: string | Buffer, key: string): string {
  return createHmac("sha256", key).update(body).digest("base64");
}

/** The least that Connect sends of an event. Without an account id, no link takes it for a foreign one. */
export function minimalEvent(
  change: Record<string, unknown> = {},
  data: Record<string, unknown> = {},
): string {
  return JSON.stringify({
    event: "envelope-completed",
    apiVersion: "v2.1",
    uri: "/restapi/v2.1/accounts/a/envelopes/e",
    retryCount: 0,
    configurationId: 10_363_315,
    generatedDateTime: "2031-01-15T03:00:00.2990000Z",
    ...change,
    data: { userId: randomUUID(), envelopeId: randomUUID(), ...data },
  });
}
