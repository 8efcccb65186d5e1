import { z } from "zod";

const errorBody = z.object({
  errorCode: z.string().optional().catch(undefined),
  errorDetails: z.object({ errorCode: z.string() }).optional().catch(undefined),
  error: z.string().optional().catch(undefined),
});

/** Returns DocuSign's error code from a body (parsed, text or bytes), unchanged; null if there is none. */
export function readErrorCode(body: unknown): string | null {
  const parsed = errorBody.safeParse(parsedJson(body));
  if (!parsed.success) return null;
  const code = parsed.data.errorCode ?? parsed.data.errorDetails?.errorCode ?? parsed.data.error;
  // Codes appear in log lines and error messages, so only a plain word is accepted.
  return code !== undefined && /^[A-Za-z][\w.-]{0,99}$/.test(code) ? code : null;
}

function parsedJson(body: unknown): unknown {
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : body;
  if (typeof text !== "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
