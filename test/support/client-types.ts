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
  description: z.string().optional(),
});
type Schema = z.infer<typeof SCHEMA>;

/** The TypeScript of a JSON Schema as the description has them; throws where it would have to guess. */
export function typeOf(raw: unknown): string {
  const schema = SCHEMA.parse(raw);
  if (schema.$ref !== undefined) return schema.$ref.replace("#/components/schemas/", "");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
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

function recordType({ additionalProperties }: Schema): string {
  return `Record<string, ${typeOf(additionalProperties ?? {})}>`;
}

function objectType({ properties = {}, required }: Schema): string {
  const fields = Object.entries(properties).map(([name, raw]) => {
    const { description } = SCHEMA.parse(raw);
    const comment = description === undefined ? "" : `/** ${description} */\n`;
    return `${comment}${name}${required.includes(name) ? "" : "?"}: ${typeOf(raw)};`;
  });
  return `{\n${fields.join("\n")}\n}`;
}
