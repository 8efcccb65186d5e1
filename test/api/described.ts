import assert from "node:assert/strict";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { VERSION } from "../../src/version.ts";
import { describeApi } from "../../src/web/api/openapi/document.ts";
import { ENDPOINTS } from "../../src/web/api/routes.ts";

export const description: any = describeApi(ENDPOINTS, VERSION);

export type Operation = {
  readonly id: string;
  readonly path: string;
  readonly method: string;
  readonly described: any;
};

const everyOperation: readonly Operation[] = Object.entries<any>(description.paths).flatMap(
  ([path, methods]) =>
    Object.entries<any>(methods).map(([method, described]) => ({
      id: described.operationId,
      path,
      method: method.toUpperCase(),
      described,
    })),
);

/** The operations of the cabinet API. */
export const operations = everyOperation.filter(({ path }) => path.startsWith("/v1/"));

/** Returns the operation with this id; fails if the description has none. */
export function operationOf(id: string): Operation {
  const found = everyOperation.find((one) => one.id === id);
  assert.ok(found !== undefined, id);
  return found;
}

/** Resolves a `$ref`; returns other objects unchanged. */
function resolved(described: any): any {
  if (described?.$ref === undefined) return described;
  const names: string[] = described.$ref.replace("#/", "").split("/");
  return names.reduce((within, name) => within[name], description);
}

/** The description's example values for an operation's parameters in its path or query, as strings. */
export function exampleParameters({ described }: Operation, place: "path" | "query"): Record<string, string> {
  const parameters = described.parameters.map(resolved);
  return Object.fromEntries(
    parameters
      .filter((one: any) => one.in === place && one.example !== undefined)
      .map((one: any) => [one.name, String(one.example)]),
  );
}

/** The description's example request body; undefined if the operation takes none. */
export function exampleBody({ described }: Operation): object | undefined {
  return described.requestBody?.content["application/json"].example;
}

/** The path and query of an operation's example. */
export function exampleAddress(operation: Operation): string {
  const params = exampleParameters(operation, "path");
  const path = operation.path.replace(/\{(\w+)\}/g, (_whole, name: string) => params[name] ?? "");
  return `${path}?${new URLSearchParams(exampleParameters(operation, "query")).toString()}`;
}

/** Asserts that the description contains this response's status, headers and content type. */
export function assertDescribed(id: string, { status, headers }: { status: number; headers: Headers }): void {
  const response = resolved(operationOf(id).described.responses[status]);
  assert.ok(response !== undefined, `${id} does not describe status ${status}`);
  for (const name of Object.keys(response.headers ?? {}))
    assert.ok(headers.has(name), `${id} answers ${status} without ${name}`);
  const [form] = (headers.get("content-type") ?? "").split(";");
  const forms = Object.keys(response.content ?? {});
  assert.ok(forms.length === 0 ? form === "" : forms.includes(form ?? ""), `${id} ${status} as ${form}`);
}

/** Returns the problems of a value that violates a schema of the description, including undescribed codes. */
export function problemsOf(schema: object, value: unknown): string[] {
  const validate = validatorOf(JSON.stringify(schema).replaceAll('"#/', '"api#/'));
  if (validate(value)) return [];
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

const validators = new Map<string, ValidateFunction>();
let ajv: Ajv2020 | null = null;

/** Compiled on first use, since most tests need only a few schemas. */
function validatorOf(schema: string): ValidateFunction {
  ajv ??= createAjv();
  const validate = validators.get(schema) ?? ajv.compile(JSON.parse(schema));
  validators.set(schema, validate);
  return validate;
}

function createAjv(): Ajv2020 {
  const made = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
  addFormats.default(made);
  made.addVocabulary(["components"]);
  // Clients must accept unknown codes, but the service sends only described ones.
  made.addKeyword({
    keyword: "x-extensible-enum",
    type: "string",
    validate: (known: readonly string[], code: string) => known.includes(code),
  });
  made.addSchema({ $id: "api", components: description.components });
  return made;
}

/** Asserts that the description contains the response's status, headers and body. */
export function assertAnswered(
  { method, path }: { readonly method: string; readonly path: string },
  answer: { readonly status: number; readonly headers: Headers; readonly body: unknown },
): void {
  const operation = operations.find((one) => one.method === method && matches(one.path, path));
  if (operation === undefined) return;
  assertDescribed(operation.id, answer);
  const { content = {} } = resolved(operation.described.responses[answer.status]);
  const [form] = (answer.headers.get("content-type") ?? "").split(";");
  const schema = form?.endsWith("json") === true ? content[form]?.schema : undefined;
  if (schema !== undefined) assert.deepEqual(problemsOf(schema, answer.body), [], `${method} ${path}`);
}

function matches(template: string, path: string): boolean {
  const pattern = template.replaceAll(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${pattern}$`).test(path.split("?", 1)[0] ?? "");
}
