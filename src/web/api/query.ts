import { z } from "zod";
import { Refusal } from "../../domain/refusal.ts";

const MAX_NAME = 40;

/** `limit` of a list: 1 to 200, 50 where left out (service.md, settled details). */
export const limitParameter = z
  .string()
  .regex(/^\d{1,3}$/, "has to be a whole number from 1 to 200")
  .transform(Number)
  .refine((limit) => limit >= 1 && limit <= 200, "has to be a whole number from 1 to 200")
  .default(50);

/** A calendar date `YYYY-MM-DD` that exists; kept as text, since a date has no time zone. */
export const dateParameter = z.iso
  .date("has to be a date that exists, as YYYY-MM-DD")
  // PostgreSQL knows no year 0.
  .refine((date) => !date.startsWith("0000"), "has to be a date that exists, as YYYY-MM-DD");

/**
 * The query of a request in the shape of a `z.strictObject`. A parameter that is unknown, repeated or wrong is a
 * Refusal `malformed` that names it.
 */
export function parseQuery<Output>(schema: z.ZodType<Output>, query: unknown): Output {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  throw new Refusal("malformed", parsed.error.issues.map((issue) => describe(issue, query)).join("; "));
}

function describe(issue: z.core.$ZodIssue, query: unknown): string {
  if (issue.code === "unrecognized_keys") {
    return `unknown query parameter ${issue.keys.slice(0, 5).map(quote).join(", ")}`;
  }
  const name = String(issue.path[0] ?? "query");
  return `query parameter ${quote(name)} ${isRepeated(query, name) ? "may be given only once" : issue.message}`;
}

function isRepeated(query: unknown, name: string): boolean {
  return typeof query === "object" && query !== null && Array.isArray(Reflect.get(query, name));
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, MAX_NAME));
}
