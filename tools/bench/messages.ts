import { createHmac, randomUUID } from "node:crypto";

/** The only current Connect key of the bench's receivers. */
export const KEY = "the bench's connect key=";

export type Announcement = { readonly linkId: string; readonly envelopeId: string };

/** Announcements of other envelopes each, of the links in turn. */
export function announceAny(count: number, linkIds: readonly string[]): Announcement[] {
  return Array.from({ length: count }, (_, index) => ({
    linkId: linkIds[index % linkIds.length] ?? "",
    envelopeId: randomUUID(),
  }));
}

/** An HTTP request as Connect sends it, ready to be written to a socket: JSON SIM with recipients, 2 KB, signed over its bytes. */
export function signedRequest({ linkId, envelopeId }: Announcement): Buffer {
  const { headers, body } = signedMessage(envelopeId);
  const lines = [
    `POST /connect/${linkId} HTTP/1.1`,
    "Host: bench",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body]);
}

/** Connect's message about a completed envelope: headers and body. */
export function signedMessage(envelopeId: string): { headers: Record<string, string>; body: Buffer } {
  const body = Buffer.from(completedMessage(envelopeId));
  return {
    headers: {
      "Content-Type": "application/json; charset=utf-8",
      "X-DocuSign-AccountId": ACCOUNT_ID,
      "X-Authorization-Digest": "HMACSHA256",
      "X-DocuSign-Signature-1": createHmac("sha256", KEY).update(body).digest("base64"),
    },
    body,
  };
}

const ACCOUNT_ID = randomUUID();
/** That of the seeded links. Without it, the message would be about a foreign account and queue nothing. */
const CONFIGURATION_ID = 1;
const BODY_BYTES = 2048;

function completedMessage(envelopeId: string): string {
  const uri = `/envelopes/${envelopeId}`;
  const message = (subject: string): string =>
    JSON.stringify({
      event: "envelope-completed",
      apiVersion: "v2.1",
      uri: `/restapi/v2.1/accounts/${ACCOUNT_ID}${uri}`,
      retryCount: 0,
      configurationId: CONFIGURATION_ID,
      generatedDateTime: "2031-01-15T03:00:00.2990000Z",
      data: {
        accountId: ACCOUNT_ID,
        userId: ACCOUNT_ID,
        envelopeId,
        envelopeSummary: {
          status: "completed",
          documentsUri: `${uri}/documents`,
          recipientsUri: `${uri}/recipients`,
          envelopeUri: uri,
          emailSubject: subject,
          envelopeId,
          sentDateTime: "2031-01-14T23:59:00.2990000Z",
          completedDateTime: "2031-01-15T03:00:00.1990000Z",
          sender: {
            userName: "営業 花子",
            userId: ACCOUNT_ID,
            accountId: ACCOUNT_ID,
            email: "a@example.com",
          },
          purgeState: "unpurged",
          recipients: { signers: [signer(1), signer(2)], recipientCount: "2" },
        },
      },
    });
  return message("x".repeat(Math.max(0, BODY_BYTES - Buffer.byteLength(message("")))));
}

function signer(number: number): object {
  return {
    recipientId: String(number),
    recipientIdGuid: ACCOUNT_ID,
    name: "取引先 次郎",
    email: `jiro${number}@customer.example`,
    status: "completed",
    routingOrder: String(number),
    signedDateTime: "2031-01-15T02:59:00.1990000Z",
    deliveryMethod: "email",
  };
}
