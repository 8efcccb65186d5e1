import { z } from "zod";
import * as schemas from "../schemas.ts";

export type Json = Readonly<Record<string, unknown>>;

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

/** Where a schema is described: under its name, or on the spot. */
export function reference(schema: z.ZodType): Json {
  const name = Object.keys(NAMED).find((key) => NAMED[key] === schema);
  return name === undefined ? toJson(schema) : { $ref: addressOf(name) };
}

/** All schemas that have a name. */
export function describeSchemas(): Json {
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

export function toJson(schema: z.ZodType): Json {
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
