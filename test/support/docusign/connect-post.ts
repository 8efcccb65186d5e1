import { sign } from "./connect-message.ts";

/** A Connect message on its way: the body may depend on the moment it is sent, and on which attempt it is. */
export type Message = {
  readonly event: string;
  readonly envelopeId: string;
  readonly accountId: string;
  readonly configurationId: string;
  readonly url: string;
  readonly contentType: string;
  readonly keys: () => readonly string[];
  readonly body: (retryCount: number) => Buffer;
  /** True if DocuSign tries again after a failure. */
  readonly acknowledged: boolean;
};

/** A message that was posted, and what came back. */
export type Delivery = {
  readonly message: Message;
  readonly body: Buffer;
  readonly headers: Record<string, string>;
  /** Null if no answer came; then `error` says why. */
  readonly status: number | null;
  readonly error: string | null;
};

export type RawMessage = {
  url: string;
  body: Buffer | string;
  keys?: readonly string[];
  headers?: Record<string, string>;
  contentType?: string;
};

/** DocuSign gives a listener 100 seconds. */
const TIMEOUT_MS = 100_000;

/** Posts a message that Connect sends; that nobody could be reached is recorded, not thrown. */
export async function postMessage(message: Message, body: Buffer): Promise<Delivery> {
  const headers = {
    "Content-Type": message.contentType,
    "X-DocuSign-AccountId": message.accountId,
    ...sign(body, message.keys()),
  };
  try {
    const response = await send(message.url, headers, body);
    return { message, body, headers, status: response.status, error: null };
  } catch (error) {
    return { message, body, headers, status: null, error: String(error) };
  }
}

/** Posts a body of the caller's own making. */
export async function postRaw(message: RawMessage): Promise<{ status: number; body: string }> {
  const body = Buffer.from(message.body);
  const signatures = sign(body, message.keys ?? []);
  const headers = {
    "Content-Type": message.contentType ?? "application/json",
    ...signatures,
    ...message.headers,
  };
  return await send(message.url, headers, body);
}

async function send(
  url: string,
  headers: Record<string, string>,
  body: Buffer,
): Promise<{ status: number; body: string }> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(url, {
    method: "POST",
    headers,
    body: new Uint8Array(body),
    redirect: "manual",
    signal,
  });
  return { status: response.status, body: await response.text() };
}
