import { execFile } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { commentOf, typeOf } from "./client-types.ts";

/** Where the generated client lies. */
export const CLIENT_FILE = "docs/client/torikomi-client.ts";

const PARAMETER = z.object({
  name: z.string(),
  in: z.enum(["path", "query", "header"]),
  required: z.boolean().default(false),
  description: z.string().optional(),
  schema: z.unknown().optional(),
});
const OPERATION = z.object({
  operationId: z.string(),
  summary: z.string(),
  // What a condition saves is up to the reader's own `fetch`.
  parameters: z
    .array(PARAMETER)
    .default([])
    .transform((all) => all.filter((one) => one.in !== "header")),
  requestBody: z
    .object({ content: z.object({ "application/json": z.object({ schema: z.unknown().optional() }) }) })
    .optional(),
  responses: z.record(
    z.string(),
    z.object({ content: z.record(z.string(), z.object({ schema: z.unknown().optional() })).default({}) }),
  ),
});
const DESCRIPTION = z.object({
  paths: z.record(z.string(), z.record(z.string(), OPERATION)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});
type Operation = z.infer<typeof OPERATION>;
const DESCRIBED = z.object({ description: z.string().optional() });

/** The TypeScript client of an OpenAPI description, in the project's format. */
export async function generateClient(description: object): Promise<string> {
  const { paths, components } = DESCRIPTION.parse(inline(description, description));
  const types = Object.entries(components.schemas).map(
    ([name, schema]) => `${commentOf(DESCRIBED.parse(schema))}export type ${name} = ${typeOf(schema)};`,
  );
  const ofTheCabinet = Object.entries(paths).filter(([path]) => path.startsWith("/v1/"));
  const methods = ofTheCabinet.flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => writeMethod(path, method, operation)),
  );
  return await format([HEAD, ...types, CLIENT_START, ...methods, CLIENT_END].join("\n\n"));
}

/** The description with shared parameters, headers and answers written out where they are used; schemas keep their names. */
function inline(node: unknown, description: object): unknown {
  if (Array.isArray(node)) return node.map((one) => inline(one, description));
  if (typeof node !== "object" || node === null) return node;
  if ("$ref" in node && typeof node.$ref === "string" && !node.$ref.startsWith("#/components/schemas/")) {
    const names = node.$ref.replace("#/", "").split("/");
    return inline(names.reduce(Reflect.get, description), description);
  }
  return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, inline(value, description)]));
}

function writeMethod(path: string, method: string, operation: Operation): string {
  const { operationId, summary, parameters, requestBody } = operation;
  const query = parameters.filter((one) => one.in === "query").map(({ name }) => name);
  const address = path.replace(
    /\{(\w+)\}/g,
    (_whole, name: string) => `\${encodeURIComponent(request.${name})}`,
  );
  const parts = [
    `method: "${method.toUpperCase()}"`,
    `path: \`${address}\``,
    ...(query.length > 0 ? [`query: { ${query.map((name) => `${name}: request.${name}`).join(", ")} }`] : []),
    ...(requestBody === undefined ? [] : ["body: request.body"]),
  ];
  const { type, read } = answerOf(operation);
  return `/** ${summary}. */
    async ${operationId}(${writeArgument(operation)}): Promise<${type}> {
      ${read("await send({ " + parts.join(", ") + " })")}
    },`;
}

function writeArgument({ parameters, requestBody }: Operation): string {
  const fields = parameters.map(({ name, required, description, schema }) => {
    return `${commentOf({ description })}${name}${required ? "" : "?"}: ${typeOf(schema)}${required ? "" : " | undefined"};`;
  });
  if (requestBody !== undefined)
    fields.push(`body: ${typeOf(requestBody.content["application/json"].schema)};`);
  if (fields.length === 0) return "";
  const optional = requestBody === undefined && parameters.every(({ required }) => !required);
  return `request: {\n${fields.join("\n")}\n}${optional ? " = {}" : ""}`;
}

type Answer = { readonly type: string; readonly read: (sent: string) => string };

function answerOf({ responses }: Operation): Answer {
  const [, success] = Object.entries(responses).find(([status]) => status.startsWith("2")) ?? [];
  const [mediaType, content] = Object.entries(success?.content ?? {})[0] ?? [];
  if (mediaType === undefined || content === undefined) return { type: "void", read: (sent) => `${sent};` };
  if (mediaType !== "application/json") return { type: "Response", read: (sent) => `return ${sent};` };
  return { type: typeOf(content.schema), read: (sent) => `return await json(${sent});` };
}

async function format(source: string): Promise<string> {
  const formatter = execFile("node_modules/.bin/biome", ["format", `--stdin-file-path=${CLIENT_FILE}`]);
  if (formatter.stdin === null || formatter.stdout === null)
    throw new Error("biome was started without pipes");
  formatter.stdin.end(source);
  const [formatted, [status]] = await Promise.all([text(formatter.stdout), once(formatter, "close")]);
  if (status !== 0) throw new Error("the generated client is no TypeScript");
  return formatted;
}

const HEAD = `// Generated from /openapi.json by npm run types:client; changes belong to the service's schemas.

export type TorikomiOptions = {
  /** Address of the service, such as \`https://torikomi.example\`. */
  url: string;
  /** A token of the cabinet; asked for at each request, so that it can be renewed. */
  token: () => string | Promise<string>;
  fetch?: typeof fetch;
};

/** The service refused or failed; \`problem.type\` is stable. */
export class TorikomiError extends Error {
  override readonly name = "TorikomiError";
  readonly status: number;
  readonly problem: Problem | null;
  /** Seconds after which to try again, where the service says so. */
  readonly retryAfter: number | null;

  constructor(response: Response, problem: Problem | null) {
    super(problem?.detail ?? problem?.title ?? \`torikomi answered \${response.status}\`);
    this.status = response.status;
    this.problem = problem;
    const seconds = response.headers.get("retry-after");
    this.retryAfter = seconds === null ? null : Number(seconds);
  }
}

type Sent = {
  method: string;
  path: string;
  query?: Record<string, string | number | undefined>;
  body?: unknown;
};

async function problemOf(response: Response): Promise<Problem | null> {
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") ?? false;
  return isProblem ? await json(response) : null;
}

/** The service holds its answers against the very description that this file was made from. */
async function json<T>(response: Response): Promise<T> {
  return (await response.json()) as T;
}`;

const CLIENT_START = `export type TorikomiClient = ReturnType<typeof createTorikomiClient>;

/** A client for one tenant, whom the token names. Every method throws a \`TorikomiError\` where the answer is a problem. */
export function createTorikomiClient(options: TorikomiOptions) {
  async function send({ method, path, query = {}, body }: Sent): Promise<Response> {
    const address = new URL(path, options.url);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) address.searchParams.set(name, String(value));
    }
    const headers = new Headers({ authorization: \`Bearer \${await options.token()}\` });
    if (body !== undefined) headers.set("content-type", "application/json");
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await (options.fetch ?? fetch)(address, { method, headers, ...sent });
    if (!response.ok) throw new TorikomiError(response, await problemOf(response));
    return response;
  }

  return {`;

const CLIENT_END = `};
}
`;
