import { z } from "zod";
import type { oas32, ZodOpenApiPathsObject } from "zod-openapi";
import type { Tag } from "../endpoint.ts";
import { uuid } from "../fields.ts";
import { describeProblem, INTERNAL_ERROR, UNAVAILABLE } from "./answers.ts";
import { REQUEST_ID } from "./headers.ts";

const TAG: Tag = "DocuSign Connect";

/** The signature of DocuSign's messages. */
export const CONNECT_SIGNATURE: oas32.SecuritySchemeObject = {
  type: "apiKey",
  in: "header",
  name: "X-DocuSign-Signature-1",
  description:
    "Base64 of the HMAC-SHA256 of the body's exact bytes, with one of the account's Connect keys. The signatures of further keys are in `X-DocuSign-Signature-2` and so on. One valid signature is enough.",
};

const receipt = z.object({
  result: z.string().meta({ description: "`recorded`, or `repeat` if the event was already recorded." }),
});

/** `POST /connect/{linkId}` (web/connect.ts), for DocuSign only. */
export const RECEIVER: ZodOpenApiPathsObject = {
  "/connect/{linkId}": {
    post: {
      operationId: "receiveConnectEvent",
      tags: [TAG],
      summary: "Receive an event from DocuSign Connect",
      description:
        "Called by DocuSign only. Records the event and queues its import in one commit before it answers. A repeated event is answered with 200 and changes nothing.",
      security: [{ connectSignature: [] }],
      requestParams: {
        path: z.object({ linkId: uuid.meta({ param: { description: "Id of the link." } }) }),
      },
      requestBody: {
        required: true,
        description: "A message in JSON (SIM or aggregate) or in legacy XML, up to 32 MiB, not compressed.",
        content: {
          "application/json": { schema: { type: "object" } },
          "text/xml": { schema: { type: "string" } },
        },
      },
      responses: {
        200: {
          description: "The event is recorded.",
          headers: z.object(REQUEST_ID),
          content: { "application/json": { schema: receipt, example: { result: "recorded" } } },
        },
        400: describeProblem("The body is neither Connect JSON nor Connect XML."),
        401: describeProblem("No signature matches the body."),
        404: describeProblem("The address does not contain a link id."),
        408: describeProblem("The body arrives too slowly."),
        410: describeProblem("The link does not exist or has ended."),
        413: describeProblem("The body is larger than 32 MiB."),
        415: describeProblem("The body is compressed."),
        500: INTERNAL_ERROR,
        503: UNAVAILABLE,
      },
    },
  },
};
