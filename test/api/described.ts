import assert from "node:assert/strict";
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

/** Those of the cabinet API. */
export const operations = everyOperation.filter(({ path }) => path.startsWith("/v1/"));

/** The operation of that id; fails if the description has none. */
export function operationOf(id: string): Operation {
  const found = everyOperation.find((one) => one.id === id);
  assert.ok(found !== undefined, id);
  return found;
}

/** What a `$ref` points at, or the thing itself. */
function resolved(described: any): any {
  if (described?.$ref === undefined) return described;
  const names: string[] = described.$ref.replace("#/", "").split("/");
  return names.reduce((within, name) => within[name], description);
}

/** The values that the description gives as examples of an operation's parameters in its path or query, as texts. */
export function exampleParameters({ described }: Operation, place: "path" | "query"): Record<string, string> {
  const parameters = described.parameters.map(resolved);
  return Object.fromEntries(
    parameters
      .filter((one: any) => one.in === place && one.example !== undefined)
      .map((one: any) => [one.name, String(one.example)]),
  );
}

/** The body that the description gives as an example; undefined if the operation takes none. */
export function exampleBody({ described }: Operation): object | undefined {
  return described.requestBody?.content["application/json"].example;
}

/** The path and query of an operation's example. */
export function exampleAddress(operation: Operation): string {
  const params = exampleParameters(operation, "path");
  const path = operation.path.replace(/\{(\w+)\}/g, (_whole, name: string) => params[name] ?? "");
  return `${path}?${new URLSearchParams(exampleParameters(operation, "query")).toString()}`;
}

/** The description tells of an answer like this: of its status, its headers, and in which form it is. */
export function assertDescribed(id: string, { status, headers }: { status: number; headers: Headers }): void {
  const response = resolved(operationOf(id).described.responses[status]);
  assert.ok(response !== undefined, `${id} does not tell that it may answer ${status}`);
  for (const name of Object.keys(response.headers ?? {}))
    assert.ok(headers.has(name), `${id} answers ${status} without ${name}`);
  const [form] = (headers.get("content-type") ?? "").split(";");
  const forms = Object.keys(response.content ?? {});
  assert.ok(forms.length === 0 ? form === "" : forms.includes(form ?? ""), `${id} ${status} as ${form}`);
}
