import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { commentOf, typeOf } from "./client-types.ts";

/** Path of the generated client. */
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
  description: z.string(),
  parameters: z.array(PARAMETER).default([]),
  requestBody: z
    .object({
      required: z.boolean().default(false),
      content: z.object({ "application/json": z.object({ schema: z.unknown().optional() }) }),
    })
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

/** Generates the TypeScript client of an OpenAPI description, formatted as the project's code. */
export async function generateClient(description: object): Promise<string> {
  const { paths, components } = DESCRIPTION.parse(inline(description, description));
  const types = Object.entries(components.schemas).map(
    ([name, schema]) => `${commentOf(DESCRIBED.parse(schema))}export type ${name} = ${typeOf(schema)};`,
  );
  const ofTheCabinet = Object.entries(paths).filter(([path]) => path.startsWith("/v1/"));
  const methods = ofTheCabinet.flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => writeMethod(path, method, operation)),
  );
  return await format(
    [HEAD, await readRuntime(), ...types, CLIENT_START, ...methods, CLIENT_END].join("\n\n"),
  );
}

/** Inlines shared parameters, headers and answers. Schemas stay references, since they become named types. */
function inline(node: unknown, description: object): unknown {
  if (Array.isArray(node)) return node.map((one) => inline(one, description));
  if (typeof node !== "object" || node === null) return node;
  if ("$ref" in node && typeof node.$ref === "string" && !node.$ref.startsWith("#/components/schemas/")) {
    const names = node.$ref.replace("#/", "").split("/");
    return inline(names.reduce(Reflect.get, description), description);
  }
  return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, inline(value, description)]));
}

/** Drops the import, whose types the client defines itself, and the exports of functions internal to the client. */
async function readRuntime(): Promise<string> {
  const source = await readFile(new URL("client-runtime.ts", import.meta.url), "utf8");
  return source.slice(source.indexOf(";\n") + 1).replaceAll(/^export (?=(async )?function)/gm, "");
}

function writeMethod(path: string, method: string, operation: Operation): string {
  const { operationId, summary, description, parameters, requestBody } = operation;
  const address = path.replace(
    /\{(\w+)\}/g,
    (_whole, name: string) => `\${encodeURIComponent(request.${name})}`,
  );
  const query = parameters.filter((one) => one.in === "query").map(({ name }) => `${name}: request.${name}`);
  const headers = parameters
    .filter((one) => one.in === "header")
    .map(({ name }) => `"${name.toLowerCase()}": options?.${inCamelCase(name)}`);
  const parts = [
    `method: "${method.toUpperCase()}"`,
    `path: \`${address}\``,
    ...(query.length > 0 ? [`query: { ${query.join(", ")} }`] : []),
    ...(headers.length > 0 ? [`headers: { ${headers.join(", ")} }`] : []),
    ...(requestBody === undefined ? [] : ["body: request.body"]),
    "signal: options?.signal",
  ];
  const { generic = "", options, type, read } = answerOf(operation);
  const request = writeArgument(operation);
  return `${commentOf({ description: `${summary}.\n\n${description}` })}async ${operationId}${generic}(${request === "" ? "" : `${request}, `}${options}): Promise<${type}> {
      ${read("await send({ " + parts.join(", ") + " })")}
    },`;
}

/** `If-None-Match` as `ifNoneMatch`. */
function inCamelCase(name: string): string {
  return name.toLowerCase().replace(/-(\w)/g, (_whole, letter: string) => letter.toUpperCase());
}

/** The options of a call: a signal, and the headers that the operation reads. */
function optionsOf({ parameters }: Operation): string {
  const headers = parameters.filter((one) => one.in === "header" && one.name !== "If-None-Match");
  const base = parameters.some((one) => one.name === "If-None-Match") ? "ReadOptions" : "CallOptions";
  if (headers.length === 0) return base;
  const fields = headers.map(
    ({ name, description }) => `${commentOf({ description })}${inCamelCase(name)}?: string | undefined;`,
  );
  return `${base} & {\n${fields.join("\n")}\n}`;
}

function writeArgument({ parameters, requestBody }: Operation): string {
  const sent = parameters.filter((one) => one.in !== "header");
  const fields = sent.map(
    ({ name, required, description, schema }) =>
      `${commentOf({ description })}${name}${required ? "" : "?"}: ${typeOf(schema)}${required ? "" : " | undefined"};`,
  );
  if (requestBody !== undefined)
    fields.push(
      `body${requestBody.required ? "" : "?"}: ${typeOf(requestBody.content["application/json"].schema)};`,
    );
  if (fields.length === 0) return "";
  const optional = requestBody?.required !== true && sent.every(({ required }) => !required);
  return `request: {\n${fields.join("\n")}\n}${optional ? " = {}" : ""}`;
}

type Answer = {
  readonly generic?: string;
  readonly options: string;
  readonly type: string;
  readonly read: (sent: string) => string;
};

function answerOf(operation: Operation): Answer {
  const [, success] = Object.entries(operation.responses).find(([status]) => status.startsWith("2")) ?? [];
  const [mediaType, content] = Object.entries(success?.content ?? {})[0] ?? [];
  const options = `options?: ${optionsOf(operation)}`;
  if (mediaType === undefined || content === undefined)
    return { options, type: "void", read: (sent) => `${sent};` };
  if (mediaType !== "application/json")
    return { options, type: "Response", read: (sent) => `return ${sent};` };
  const type = typeOf(content.schema);
  if (!operation.parameters.some(({ name }) => name === "If-None-Match"))
    return { options, type, read: (sent) => `return await json(${sent});` };
  return {
    generic: `<Options extends ${optionsOf(operation)} = {}>`,
    options: "options?: Options",
    type: `${type} | Unchanged<Options>`,
    read: (sent) => `return await jsonUnlessSame<${type}, Options>(${sent});`,
  };
}

async function format(source: string): Promise<string> {
  const formatter = execFile("node_modules/.bin/biome", ["format", `--stdin-file-path=${CLIENT_FILE}`]);
  if (formatter.stdin === null || formatter.stdout === null)
    throw new Error("biome was started without pipes");
  formatter.stdin.end(source);
  const [formatted, [status]] = await Promise.all([text(formatter.stdout), once(formatter, "close")]);
  if (status !== 0) throw new Error("the generated client is not valid TypeScript");
  return formatted;
}

const HEAD =
  "// Generated from /openapi.json by npm run types:client. Change the service's schemas instead of this file.";

const CLIENT_START = `export { etagOf };

export type TorikomiClient = ReturnType<typeof createTorikomiClient>;

/**
 * Creates a client for the tenant of the token. Every method throws a \`TorikomiError\` if the service refuses or fails,
 * and the error of \`fetch\` if no answer arrives.
 */
export function createTorikomiClient(options: TorikomiOptions) {
  const send = createSend(options);

  const calls = {`;

const CLIENT_END = `};

  type Filter = Omit<NonNullable<Parameters<typeof calls.listContracts>[0]>, "cursor">;

  return {
    ...calls,

    /** All contracts that match, newest import first. Fetches further pages as they are read. */
    listAllContracts: (filter: Filter = {}, { signal }: CallOptions = {}): AsyncGenerator<Contract, void, undefined> =>
      allItems(async (request: Filter) => await calls.listContracts(request, { signal }), filter),

    /**
     * Pages of the change feed, without end: each change once, in order. Store \`next\` of a page in the same transaction
     * as your work on its items, and pass it as \`after\` after a restart. Retries with exponential backoff if the
     * service is unavailable or overloaded, and throws all other errors.
     */
    followChanges: (following: Following = {}): AsyncGenerator<ChangePage, never, undefined> =>
      followChanges(calls.listChanges, following, options.sleep ?? sleep),
  };
}
`;
