import { z } from "zod";
import { Refusal } from "../../domain/refusal.ts";

const MAX_NAME = 40;

/** `limit` of a list: 1 to 200, 50 by default (service.md, settled details). */
export const limitParameter = z
  .string()
  .regex(/^\d{1,3}$/, "must be an integer between 1 and 200")
  .transform(Number)
  .refine((limit) => limit >= 1 && limit <= 200, "must be an integer between 1 and 200")
  .default(50);

/** A valid calendar date `YYYY-MM-DD`. It stays text, since a date has no time zone. */
export const dateParameter = z.iso
  .date("must be a valid date in the form YYYY-MM-DD")
  // PostgreSQL has no year 0.
  .refine((date) => !date.startsWith("0000"), "must be a valid date in the form YYYY-MM-DD");

/**
 * Parses a request's query with a `z.strictObject`. Refuses unknown, repeated and invalid parameters with `malformed`
 * and names them.
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
  return `query parameter ${quote(name)} ${isRepeated(query, name) ? "must not be repeated" : issue.message}`;
}

function isRepeated(query: unknown, name: string): boolean {
  return typeof query === "object" && query !== null && Array.isArray(Reflect.get(query, name));
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, MAX_NAME));
}
