import { z } from "zod";
import { type Endpoint, hasNoBody } from "../endpoint.ts";
import { describeAnswers } from "./answers.ts";
import { describeSchemas, type Json, reference, toJson } from "./schemas.ts";

/** The OpenAPI 3.1 description of the endpoints, made from what checks their requests and answers. */
export function describeApi(endpoints: readonly Endpoint[]): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "torikomi",
      version: "1",
      description:
        "Contracts concluded in DocuSign, imported into the contract cabinet. Moments are RFC 3339 in UTC, dates YYYY-MM-DD in Japan. Errors are application/problem+json (RFC 9457) with a stable `type`.",
    },
    servers: [{ url: "/" }],
    paths: describePaths(endpoints),
    components: {
      schemas: describeSchemas(),
      securitySchemes: {
        cabinetToken: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description:
            "By the cabinet, with the claims `tenant` and `scope`; `x:write` includes `x:read`. What is written in somebody's name, to links and contracts, needs `sub` too.",
        },
      },
    },
  };
}

function describePaths(endpoints: readonly Endpoint[]): Json {
  const byPath = Map.groupBy(endpoints, ({ path }) => path);
  return Object.fromEntries(
    [...byPath].map(([path, group]) => [
      path,
      Object.fromEntries(group.map((endpoint) => [endpoint.method, describeOperation(endpoint)])),
    ]),
  );
}

function describeOperation(endpoint: Endpoint): Json {
  const { id, summary, description, scopes, example } = endpoint;
  const parameters = [
    ...describeParameters("path", endpoint.params, example.params),
    ...describeParameters("query", endpoint.query, example.query),
    ...describeConditions(endpoint),
  ];
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    security: scopes.map((scope) => ({ cabinetToken: [scope] })),
    ...(parameters.length > 0 && { parameters }),
    ...(!hasNoBody(endpoint) && { requestBody: describeBody(endpoint) }),
    responses: describeAnswers(endpoint),
  };
}

function describeBody({ body, example }: Endpoint): Json {
  const content = { schema: reference(body), example: example.body };
  return { required: true, content: { "application/json": content } };
}

const PARAMETERS = z.object({
  properties: z.record(z.string(), z.looseObject({ description: z.string().optional() })),
  required: z.array(z.string()).default([]),
});

function describeParameters(place: "path" | "query", schema: z.ZodType, examples: Json | undefined): Json[] {
  const { properties, required } = PARAMETERS.parse(toJson(schema));
  return Object.entries(properties).map(([name, { description, ...type }]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    ...(description !== undefined && { description }),
    schema: type,
    ...(examples?.[name] !== undefined && { example: inType(type, examples[name]) }),
  }));
}

/** In an address all is text; an example of a number is a number. */
function inType(type: Json, example: unknown): unknown {
  return type["type"] === "integer" ? Number(example) : example;
}

/** What a reader may make the answer depend on. */
function describeConditions({ method, answer }: Endpoint): Json[] {
  return Object.entries({
    ...(method === "get" && {
      "If-None-Match": "`ETag` of what the reader has already: 304 where it is the same.",
    }),
    ...(answer.inRanges === true && {
      Range: "One range of bytes, such as `bytes=0-1023`; several are answered with the whole.",
      "If-Range": "`ETag` of what the reader began with: the whole where it is another one now.",
    }),
  }).map(([name, description]) => ({
    name,
    in: "header",
    required: false,
    description,
    schema: { type: "string" },
  }));
}
