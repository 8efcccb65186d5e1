import { z } from "zod";
import {
  createDocument,
  type oas32,
  type ZodOpenApiOperationObject,
  type ZodOpenApiOverrideContext,
  type ZodOpenApiPathsObject,
} from "zod-openapi";
import { type Endpoint, hasNoBody } from "../endpoint.ts";
import { describeAnswers } from "./answers.ts";

/** The OpenAPI 3.1 description of the endpoints, made from what checks their requests and answers. */
export function describeApi(endpoints: readonly Endpoint[], version: string): oas32.OpenAPIObject {
  return createDocument(
    {
      openapi: "3.1.0",
      info: {
        title: "torikomi",
        version,
        description:
          "Contracts concluded in DocuSign, imported into the contract cabinet. Moments are RFC 3339 in UTC, dates YYYY-MM-DD in Japan. Errors are application/problem+json (RFC 9457) with a stable `type`.",
      },
      servers: [{ url: "/" }],
      paths: describePaths(endpoints),
      components: { securitySchemes: { cabinetToken: CABINET_TOKEN } },
    },
    { override: asItTravels },
  );
}

const CABINET_TOKEN: oas32.SecuritySchemeObject = {
  type: "http",
  scheme: "bearer",
  bearerFormat: "JWT",
  description:
    "By the cabinet, with the claims `tenant` and `scope`; `x:write` includes `x:read`. What is written in somebody's name, to links and contracts, needs `sub` too.",
};

/** A format says more to a reader than the pattern that checks it. Answers may get more fields one day. */
function asItTravels({ jsonSchema, zodSchema, io }: ZodOpenApiOverrideContext): void {
  if (zodSchema._zod.def.type === "date") jsonSchema.format = "date-time";
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (io === "output" && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
}

function describePaths(endpoints: readonly Endpoint[]): ZodOpenApiPathsObject {
  const byPath = Map.groupBy(endpoints, ({ path }) => path);
  return Object.fromEntries(
    [...byPath].map(([path, group]) => [
      path,
      Object.fromEntries(group.map((endpoint) => [endpoint.method, describeOperation(endpoint)])),
    ]),
  );
}

function describeOperation(endpoint: Endpoint): ZodOpenApiOperationObject {
  const { id, summary, description, scopes, params, query, body, bodyExample } = endpoint;
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    security: scopes.map((scope) => ({ cabinetToken: [scope] })),
    requestParams: { path: params, query, header: z.object(conditionsOf(endpoint)) },
    ...(!hasNoBody(endpoint) && {
      requestBody: {
        required: true,
        content: { "application/json": { schema: body, example: bodyExample } },
      },
    }),
    responses: describeAnswers(endpoint),
  };
}

/** A header of requests that several endpoints read: described once, under `id`. */
function sharedHeader(id: string, description: string): z.ZodType {
  return z.string().optional().meta({ param: { id, description } });
}

const CONDITION = {
  "If-None-Match": sharedHeader(
    "IfNoneMatch",
    "`ETag` of what the reader has already: 304 where it is the same.",
  ),
};

const RANGE = {
  Range: sharedHeader(
    "Range",
    "One range of bytes, such as `bytes=0-1023`; several are answered with the whole.",
  ),
  "If-Range": sharedHeader(
    "IfRange",
    "`ETag` of what the reader began with: the whole where it is another one now.",
  ),
};

/** What a reader may make the answer depend on. */
function conditionsOf({ method, answer }: Endpoint): Readonly<Record<string, z.ZodType>> {
  return { ...(method === "get" && CONDITION), ...(answer.inRanges === true && RANGE) };
}
