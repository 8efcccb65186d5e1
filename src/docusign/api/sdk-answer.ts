import { z } from "zod";
import { type Answer, faultOfSilence } from "../faults/answer-faults.ts";
import { DocuSignFault } from "../faults/faults.ts";
import type { SdkCallback } from "./sdk.ts";

const response = z.object({
  status: z.number(),
  headers: z.looseObject({}).transform((headers) => headersOf(headers)),
  data: z.unknown().optional(),
});
const failure = z.object({ response });

/**
 * Runs a call of docusign-esign and returns the answer, whatever its status. Throws a fault if none came within
 * `deadlineMs`: the library's own limit counts only silence, so a trickle would never end.
 */
export async function answerOf(start: (done: SdkCallback) => unknown, deadlineMs: number): Promise<Answer> {
  const late = Promise.withResolvers<Answer>();
  const deadline = setTimeout(() => late.reject(new DocuSignFault("later", "timeout")), deadlineMs);
  const answer = new Promise<Answer>((resolve, reject) => {
    start((error, _data, raw) => {
      const parsed = error === null ? response.safeParse(raw).data : failure.safeParse(error).data?.response;
      // An answer without even an empty body broke off, so its status means nothing.
      if (parsed?.data === undefined) reject(faultOfSilence(error));
      else resolve({ status: parsed.status, headers: parsed.headers, body: parsed.data });
    });
  });
  return Promise.race([answer, late.promise]).finally(() => clearTimeout(deadline));
}

function headersOf(raw: Readonly<Record<string, unknown>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw)) {
    if (typeof value === "string") headers.set(name, value);
  }
  return headers;
}
