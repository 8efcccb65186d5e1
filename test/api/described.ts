import assert from "node:assert/strict";
import { describeApi } from "../../src/web/api/openapi/document.ts";
import { ENDPOINTS } from "../../src/web/api/routes.ts";

export const description: any = describeApi(ENDPOINTS);

export type Operation = { readonly path: string; readonly method: string; readonly described: any };

export const operations: readonly Operation[] = Object.entries<any>(description.paths).flatMap(
  ([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({ path, method: method.toUpperCase(), described })),
);

/** The description tells of an answer like this: of its status, its headers, and in which form it is. */
export function assertDescribed(id: string, { status, headers }: { status: number; headers: Headers }): void {
  const operation = operations.find(({ described }) => described.operationId === id);
  const response = operation?.described.responses[status];
  assert.ok(response !== undefined, `${id} does not tell that it may answer ${status}`);
  for (const name of Object.keys(response.headers ?? {}))
    assert.ok(headers.has(name), `${id} answers ${status} without ${name}`);
  const [form] = (headers.get("content-type") ?? "").split(";");
  const forms = Object.keys(response.content ?? {});
  assert.ok(forms.length === 0 ? form === "" : forms.includes(form ?? ""), `${id} ${status} as ${form}`);
}
