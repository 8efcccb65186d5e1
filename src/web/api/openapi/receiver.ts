import { z } from "zod";
import type { oas32, ZodOpenApiPathsObject } from "zod-openapi";
import type { Tag } from "../endpoint.ts";
import { uuid } from "../fields.ts";
import { describeProblem, INTERNAL_ERROR, UNAVAILABLE } from "./answers.ts";
import { REQUEST_ID } from "./headers.ts";

const TAG: Tag = "DocuSign Connect";

/** How DocuSign signs what it sends. */
export const CONNECT_SIGNATURE: oas32.SecuritySchemeObject = {
  type: "apiKey",
  in: "header",
  name: "X-DocuSign-Signature-1",
  description:
    "Base64 of the HMAC-SHA256 of the very bytes of the body, under one of the account's Connect keys. Further keys sign in `X-DocuSign-Signature-2` and so on; one valid signature is enough.",
};

const receipt = z.object({
  result: z.string().meta({ description: "`recorded`, or `repeat` if the event was recorded before." }),
});

/** `POST /connect/{linkId}` (web/connect.ts), which is for DocuSign alone. */
export const RECEIVER: ZodOpenApiPathsObject = {
  "/connect/{linkId}": {
    post: {
      operationId: "receiveConnectEvent",
      tags: [TAG],
      summary: "Receive an event of DocuSign Connect",
      description:
        "Called by DocuSign only. Records the event and queues its import in one commit before it answers. An event that comes again is answered 200 and changes nothing.",
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
        401: describeProblem("No signature proves the body."),
        404: describeProblem("The address is not that of a link."),
        410: describeProblem("The link does not exist or has ended."),
        413: describeProblem("The body is larger than 32 MiB."),
        415: describeProblem("The body is compressed."),
        500: INTERNAL_ERROR,
        503: UNAVAILABLE,
      },
    },
  },
};
