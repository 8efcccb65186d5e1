import { z } from "zod";
import {
  createDocument,
  type oas32,
  type ZodOpenApiOperationObject,
  type ZodOpenApiOverrideContext,
  type ZodOpenApiPathsObject,
} from "zod-openapi";
import { type Endpoint, hasNoBody, type Tag } from "../endpoint.ts";
import { TENANT_PARAMETER } from "../tenancy.ts";
import { describeAnswers } from "./answers.ts";
import { type Headers, IF_NONE_MATCH, RANGE } from "./headers.ts";
import { CONNECT_SIGNATURE, RECEIVER } from "./receiver.ts";

/** Builds the OpenAPI 3.1 description from the schemas that check requests and answers. */
export function describeApi(endpoints: readonly Endpoint[], version: string): oas32.OpenAPIObject {
  return createDocument(
    {
      openapi: "3.1.0",
      info: {
        title: "torikomi",
        version,
        description:
          "Contracts concluded in DocuSign, imported into the contract cabinet. Moments are RFC 3339 in UTC. Dates are YYYY-MM-DD in Japan time. Errors are application/problem+json (RFC 9457) with a stable `type`.",
        contact: { name: "Support of the contract cabinet" },
        license: { name: "Proprietary, all rights reserved", identifier: "LicenseRef-Proprietary" },
      },
      servers: [{ url: "/", description: "The service that serves this description." }],
      tags: [...TAGS],
      paths: { ...describePaths(endpoints), ...RECEIVER },
      components: {
        securitySchemes: { cabinetToken: CABINET_TOKEN, connectSignature: CONNECT_SIGNATURE },
      },
    },
    { override: describeOnWire },
  );
}

const TAGS: readonly { readonly name: Tag; readonly description: string }[] = [
  { name: "Contracts", description: "Read, download and delete imported contracts." },
  { name: "Changes", description: "Follow imports, deletions and the life of links." },
  { name: "Groups", description: "Synchronize the cabinet's contract groups." },
  { name: "Link", description: "Link a DocuSign account; change, approve and end the link." },
  { name: "History", description: "Review links and reconciliations, and explain envelopes." },
  { name: "Tenants", description: "List the tenants that a service token reads." },
  { name: "DocuSign Connect", description: "Receive events from DocuSign." },
];

const CABINET_TOKEN: oas32.SecuritySchemeObject = {
  type: "http",
  scheme: "bearer",
  bearerFormat: "JWT",
  description:
    "A token of the cabinet with the claims `tenant` and `scope`. `x:write` includes `x:read`. Changes to links and contracts also need `sub`. A service token has `tenant` `*`, a `sub` that the operator listed, and scopes that only read.",
};

/** Prefers formats to patterns, which are harder to read. Does not close answers, since they may get more fields. */
function describeOnWire({ jsonSchema, zodSchema, io }: ZodOpenApiOverrideContext): void {
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
  const { id, tag, summary, description, scopes, params, body, bodyExample } = endpoint;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    security: scopes.map((scope) => ({ cabinetToken: [scope] })),
    requestParams: { path: params, query: queryOf(endpoint), header: z.object(readHeaders(endpoint)) },
    ...(!hasNoBody(endpoint) && {
      requestBody: {
        required: !body.safeParse(undefined).success,
        content: {
          "application/json": {
            schema: body instanceof z.ZodOptional ? body.unwrap() : body,
            example: bodyExample,
          },
        },
      },
    }),
    responses: describeAnswers(endpoint),
  };
}

function queryOf({ query, serviceTokens }: Endpoint): Endpoint["query"] {
  if (serviceTokens !== "name-tenant" || !(query instanceof z.ZodObject)) return query;
  return query.extend({ tenant: TENANT_PARAMETER });
}

/** Request headers that the answer depends on. */
function readHeaders({ method, answer, reads }: Endpoint): Headers {
  return { ...(method === "get" && IF_NONE_MATCH), ...(answer.inRanges === true && RANGE), ...reads };
}
