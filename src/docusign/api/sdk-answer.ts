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
 * Runs a call of docusign-esign and hands over the answer, whatever its status. Throws a fault where none came, at
 * the latest after `deadlineMs`: the library's own limit counts silence only, and a trickle is none.
 */
export async function answerOf(start: (done: SdkCallback) => unknown, deadlineMs: number): Promise<Answer> {
  const late = Promise.withResolvers<Answer>();
  const deadline = setTimeout(() => late.reject(new DocuSignFault("later", "timeout")), deadlineMs);
  const answer = new Promise<Answer>((resolve, reject) => {
    start((error, _data, raw) => {
      const parsed = error === null ? response.safeParse(raw).data : failure.safeParse(error).data?.response;
      // Without a body, not even an empty one, the answer broke off: then its status means nothing either.
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
