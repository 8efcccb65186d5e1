import { STATUS_CODES } from "node:http";
import { z } from "zod";
import * as schemas from "./api-schemas.ts";
import { type Endpoint, hasNoBody } from "./endpoint.ts";

type Json = Readonly<Record<string, unknown>>;

/** The schemas that have a name of their own. */
const NAMED: Readonly<Record<string, z.ZodType>> = {
  Contract: schemas.contract,
  ContractPage: schemas.contractPage,
  Change: schemas.change,
  ChangePage: schemas.changePage,
  Group: schemas.group,
  GroupName: schemas.groupName,
  GroupPage: schemas.groupPage,
  Link: schemas.link,
  PastLink: schemas.pastLink,
  LinkPage: schemas.linkPage,
  GroupChoice: schemas.groupChoice,
  BegunLinking: schemas.begunLinking,
  Explanation: schemas.explanation,
  Reconciliation: schemas.reconciliation,
  ReconciliationPage: schemas.reconciliationPage,
  Problem: schemas.problem,
};

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

function describeAnswers(endpoint: Endpoint): Json {
  const { status, description } = endpoint.answer;
  const answers = new Map<string, Json>([
    [String(status), { description, ...describeContent(endpoint) }],
    ...Object.entries({ ...EVERYWHERE, ...endpoint.problems }).map(describeProblem),
  ]);
  return Object.fromEntries(answers);
}

/** What every endpoint may answer. */
const EVERYWHERE: Readonly<Record<number, string>> = {
  400: "The request is malformed.",
  401: "The token is missing, or none of the cabinet's.",
  403: "The token lacks the scope, the tenant or, to write in somebody's name, `sub`.",
  429: "Too many requests with this token; `Retry-After` tells when to go on.",
  500: STATUS_CODES[500] ?? "",
  503: "Temporarily unavailable; `Retry-After` tells when to try again.",
};

function describeProblem([status, description]: readonly [string, string]): [string, Json] {
  const content = { "application/problem+json": { schema: reference(schemas.problem) } };
  return [status, { description, content }];
}

function describeContent({ answer }: Endpoint): Json {
  if (answer.mediaType !== undefined) {
    return { content: { [answer.mediaType]: { schema: { type: "string", format: "binary" } } } };
  }
  if (answer.schema === null) return {};
  return { content: { "application/json": { schema: reference(answer.schema), example: answer.example } } };
}

function reference(schema: z.ZodType): Json {
  const name = Object.keys(NAMED).find((key) => NAMED[key] === schema);
  return name === undefined ? toJson(schema) : { $ref: addressOf(name) };
}

function describeSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id });
  const made = z.toJSONSchema(registry, { ...HOW, uri: addressOf });
  return Object.fromEntries(
    Object.entries(made.schemas).map(([id, schema]) => [id, withoutOwnAddress(schema)]),
  );
}

function addressOf(name: string): string {
  return `#/components/schemas/${name}`;
}

function toJson(schema: z.ZodType): Json {
  return withoutOwnAddress(z.toJSONSchema(schema, HOW));
}

type Made = { zodSchema: z.core.$ZodType; jsonSchema: z.core.JSONSchema.BaseSchema };

/**
 * As it travels. A format says more to a reader than the pattern that checks it, and answers may get more fields one
 * day: only what is sent to us is closed.
 */
const HOW = {
  io: "input",
  override: ({ zodSchema, jsonSchema }: Made): void => {
    if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    const isClosed = jsonSchema.additionalProperties === false;
    if (isClosed && !SENT.includes(zodSchema)) delete jsonSchema.additionalProperties;
  },
} as const;

const SENT: readonly z.core.$ZodType[] = [schemas.groupName, schemas.groupChoice];

function withoutOwnAddress({ $schema: _schema, $id: _id, ...schema }: Json): Json {
  return schema;
}
