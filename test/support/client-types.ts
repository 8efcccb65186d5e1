import { z } from "zod";

const SCHEMA = z.looseObject({
  $ref: z.string().optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  items: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).default([]),
  additionalProperties: z.unknown().optional(),
  propertyNames: z.unknown().optional(),
  "x-extensible-enum": z.array(z.string()).optional(),
  description: z.string().optional(),
});
type Schema = z.infer<typeof SCHEMA>;

/** Formats the description as a comment; empty if there is none. */
export function commentOf({ description }: { readonly description?: string | undefined }): string {
  if (description === undefined) return "";
  const lines = description.split("\n");
  if (lines.length === 1) return `/** ${description} */\n`;
  return `/**\n${lines.map((line) => ` * ${line}`.trimEnd()).join("\n")}\n */\n`;
}

/** The TypeScript of a JSON Schema as the description has them; throws if it would have to guess. */
export function typeOf(raw: unknown): string {
  const schema = SCHEMA.parse(raw);
  if (schema.$ref !== undefined) return schema.$ref.replace("#/components/schemas/", "");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const known = schema["x-extensible-enum"];
  // The last keeps the known ones among an editor's suggestions.
  if (known !== undefined) return `${known.map((code) => JSON.stringify(code)).join(" | ")} | (string & {})`;
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(" | ");
  const names = typeof schema.type === "string" ? [schema.type] : schema.type;
  if (names === undefined) return "unknown";
  return names.map((name) => namedType(name, schema)).join(" | ");
}

const PLAIN: Readonly<Record<string, string>> = {
  string: "string",
  integer: "number",
  number: "number",
  boolean: "boolean",
  null: "null",
};

function namedType(name: string, schema: Schema): string {
  if (name === "array") return `(${typeOf(schema.items)})[]`;
  if (name === "object") return schema.properties === undefined ? recordType(schema) : objectType(schema);
  const plain = PLAIN[name];
  if (plain === undefined) throw new Error(`no TypeScript is known for ${name}`);
  return plain;
}

function recordType({ additionalProperties, propertyNames }: Schema): string {
  const value = typeOf(additionalProperties ?? {});
  const key = typeOf(propertyNames ?? { type: "string" });
  return key === "string" ? `Record<string, ${value}>` : `Partial<Record<${key}, ${value}>>`;
}

function objectType({ properties = {}, required }: Schema): string {
  const fields = Object.entries(properties).map(([name, raw]) => {
    return `${commentOf(SCHEMA.parse(raw))}${name}${required.includes(name) ? "" : "?"}: ${typeOf(raw)};`;
  });
  return `{\n${fields.join("\n")}\n}`;
}
