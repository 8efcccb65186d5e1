import { readFileSync } from "node:fs";
import { Ajv, type ValidateFunction } from "ajv";
import { z } from "zod";

const reference = z.object({ $ref: z.string() });

const paths = z.record(
  z.string(),
  z.record(
    z.string(),
    z.object({
      query: z.array(z.string()),
      body: reference.optional(),
      responses: z.record(z.string(), z.union([reference, z.object({ type: z.literal("file") })])),
    }),
  ),
);

const official = z.object({
  paths,
  definitions: z.record(
    z.string(),
    z.object({ type: z.string(), properties: z.record(z.string(), z.unknown()) }),
  ),
});

const newer = z.object({
  paths,
  definitions: z.record(
    z.string(),
    z.looseObject({
      properties: z.record(z.string(), z.unknown()),
      additionalProperties: z.unknown().optional(),
    }),
  ),
});

/** DocuSign's official description, to hold requests and answers against. Problems come as sentences. */
export type DocuSignSchema = {
  /** Violations in query and body of a call of this official path. */
  requestProblems(path: string, method: string, query: URLSearchParams, body: unknown): string[];
  /** Violations in an answer of this official path. */
  answerProblems(path: string, method: string, status: number, body: unknown): string[];
  /** Violations in a value of this definition. */
  valueProblems(definition: string, value: unknown): string[];
};

let schema: DocuSignSchema | undefined;

/** The description in `schema/`, read once in a process; checks are compiled when first needed, which takes time. */
export function docusignSchema(): DocuSignSchema {
  return (schema ??= createDocuSignSchema());
}

function createDocuSignSchema(): DocuSignSchema {
  const { definitions, ...described } = official.parse(readJson("official.json"));
  const additions = newer.parse(readJson("newer.json"));
  const paths = { ...described.paths, ...additions.paths };
  const ajv = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true });
  ajv.addSchema({
    $id: "docusign",
    definitions: closedDefinitions(definitions, additions),
  });
  const check = (ref: string, value: unknown): string[] => sentences(compiled(ajv, ref), value);
  return {
    requestProblems: (path, method, query, body) => {
      const operation = paths[path]?.[method.toLowerCase()];
      if (operation === undefined) return [`no ${method} ${path} in DocuSign's description`];
      const unknown = [...query.keys()].filter((name) => !operation.query.includes(name));
      const unasked = operation.body === undefined && !isEmpty(body) ? ["a body where none belongs"] : [];
      const wrong = operation.body === undefined ? [] : check(operation.body.$ref, body);
      return [...unknown.map((name) => `unknown query parameter ${name}`), ...unasked, ...wrong];
    },
    answerProblems: (path, method, status, body) => {
      const responses = paths[path]?.[method.toLowerCase()]?.responses ?? {};
      const described = responses[String(status)] ?? (status >= 400 ? responses["400"] : undefined);
      if (described === undefined || "type" in described)
        return body === undefined ? [] : [`no body is described for ${status}`];
      return check(described.$ref, body);
    },
    valueProblems: (definition, value) => check(`#/definitions/${definition}`, value),
  };
}

/** A property that neither file names is an error, so that a slip of the pen is seen. */
function closedDefinitions(
  definitions: z.infer<typeof official>["definitions"],
  additions: z.infer<typeof newer>,
): Record<string, unknown> {
  const names = new Set([...Object.keys(definitions), ...Object.keys(additions.definitions)]);
  const closed = [...names].map((name) => {
    const base = definitions[name];
    const added = additions.definitions[name];
    const properties = { ...base?.properties, ...added?.properties };
    return [name, { type: "object", additionalProperties: false, ...base, ...added, properties }] as const;
  });
  return Object.fromEntries(closed);
}

/** docusign-esign sends `{}` with a DELETE. */
function isEmpty(body: unknown): boolean {
  return body === undefined || JSON.stringify(body) === "{}";
}

function compiled(ajv: Ajv, ref: string): ValidateFunction {
  const validate = ajv.getSchema(`docusign${ref}`);
  if (validate === undefined) throw new Error(`${ref} is not in the description`);
  return validate;
}

function sentences(validate: ValidateFunction, value: unknown): string[] {
  if (validate(value) === true) return [];
  return (validate.errors ?? []).map(
    (error) => `${error.instancePath || "body"} ${error.message} ${JSON.stringify(error.params)}`,
  );
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`./schema/${name}`, import.meta.url), "utf8"));
}
