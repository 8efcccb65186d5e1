import { statSync } from "node:fs";
import { z } from "zod";
import { parseDocumentPlace } from "../documents/open-store.ts";
import { isLoopback } from "../domain/loopback.ts";

/** Null if the setting is absent. */
export function orNull<T>(schema: z.ZodType<T, string>): z.ZodType<T | null, string | undefined> {
  return schema.optional().transform((value) => value ?? null);
}

export function list(): z.ZodType<readonly string[], string> {
  return z.string().transform(splitList);
}

export function splitList(text: string): readonly string[] {
  return text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

/** Keys as DocuSign shows them. One that was pasted with quotation marks would verify no message. */
export function hmacKeys(): z.ZodType<readonly string[], string> {
  return list()
    .refine((keys) => keys.length > 0, "must hold at least one key")
    .refine((keys) => !keys.some((key) => QUOTED.test(key)), "must hold keys without quotation marks");
}

/** Straight, typographic and Japanese. */
const QUOTED = /^[\p{Quotation_Mark}`´]|[\p{Quotation_Mark}`´]$/u;

export function integer(min: number, max: number): z.ZodType<number, string> {
  const message = `must be an integer between ${min} and ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message);
}

export function oneOf<const T extends string>(...values: readonly T[]): z.ZodType<T, string> {
  const choices = `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
  return z.string().pipe(z.enum(values, { error: `must be ${choices}` }));
}

/** Kept as written: issuers are compared character by character. */
export function address(): z.ZodType<string, string> {
  return z.url({ protocol: /^https?$/, error: "must be an http or https address" });
}

/** Without trailing slashes. */
export function baseAddress(): z.ZodType<string, string> {
  return address().transform((text) => text.replace(/\/+$/, ""));
}

/** An address with a place for a contract's id. */
export function contractAddress(): z.ZodType<string, string> {
  const error = "must be an http or https address that contains {id}";
  return z.url({ protocol: /^https?$/, error }).refine((text) => text.includes("{id}"), error);
}

export function origins(): z.ZodType<readonly string[], string> {
  const message = "must be a list of https origins such as https://cabinet.example (http on loopback only)";
  return list()
    .refine((texts) => texts.every(isOrigin), { error: message, abort: true })
    .transform((texts) => texts.map((text) => new URL(text).origin));
}

function isOrigin(text: string): boolean {
  const parsed = URL.parse(text);
  if (parsed === null || parsed.href !== `${parsed.origin}/`) return false;
  return parsed.protocol === "https:" || (parsed.protocol === "http:" && isLoopback(parsed.hostname));
}

/** Domains in lower case. A single label would allow a whole top-level domain. */
export function hosts(): z.ZodType<readonly string[], string> {
  const label = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
  const domain = new RegExp(`^${label}(?:\\.${label})+$`);
  return list()
    .transform((texts) => texts.map((text) => text.toLowerCase()))
    .refine(
      (texts) => texts.length > 0 && texts.every((text) => domain.test(text)),
      "must be a list of domains such as docusign.net",
    );
}

/** A name that people read. */
export function label(): z.ZodType<string, string> {
  return z.string().regex(/^[^\p{Cc}]{1,100}$/u, "must be 1 to 100 characters without control characters");
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ["kb", 2 ** 10],
  ["mb", 2 ** 20],
  ["gb", 2 ** 30],
]);
const SMALLEST_MEMORY = 2 ** 20;

/** `64mb` or `1gb` in the environment, bytes in the program. */
export function bytes(): z.ZodType<number, string> {
  const message = "must be a size of at least 1mb, such as 64mb or 1gb";
  return z
    .string()
    .regex(/^\d{1,7}(kb|mb|gb)$/i, message)
    .transform((text) => Number.parseInt(text, 10) * (UNITS.get(text.slice(-2).toLowerCase()) ?? 1))
    .refine((size) => size >= SMALLEST_MEMORY, message);
}

/** Not `public`, which stands for every role even in quotation marks, nor names that PostgreSQL keeps for itself. */
export function databaseRole(): z.ZodType<string, string> {
  return z
    .string()
    .refine(
      (name) => Buffer.byteLength(name) <= 63 && /^(?!pg_|(public|none)$)[^\p{Cc}]+$/u.test(name),
      "must be the name of a PostgreSQL role: at most 63 bytes, and not public, none or pg_…",
    );
}

export function databaseAddress(): z.ZodType<string, string> {
  return z
    .string()
    .refine(namesOneHost, { error: ONE_HOST, abort: true })
    .refine(isDatabaseAddress, "must be an address such as postgres://user:password@host:5432/database");
}

const ONE_HOST =
  "must name one host and no target_session_attrs; use an address that leads to the primary: a proxy such as HAProxy, PgBouncer in session mode, or a DNS name that follows the primary";

/** pg connects to one host only, and would ignore `target_session_attrs`. */
function namesOneHost(text: string): boolean {
  const [, authority = "", query = ""] = /^[^:]*:\/\/([^/?]*)[^?]*\??(.*)$/s.exec(text) ?? [];
  const parameters = new URLSearchParams(query);
  const hosts = [authority.slice(authority.lastIndexOf("@") + 1), ...parameters.getAll("host")];
  return !hosts.some((host) => host.includes(",")) && !parameters.has("target_session_attrs");
}

/** `postgres:///database` and `postgres://user@/database` are valid: the host comes from `?host=` or a default. */
function isDatabaseAddress(text: string): boolean {
  const parsed = URL.parse(text) ?? URL.parse(text.replace("@/", "@localhost/"));
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) return false;
  return parsed.host !== "" || parsed.pathname.length > 1 || parsed.searchParams.has("host");
}

export function directory(): z.ZodType<string, string> {
  return z.string().refine(mayBeDirectory, "must be a directory or a path that can be created");
}

/** A directory that does not exist yet is created when it is needed. */
function mayBeDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    return !hasCode(error, "ENOTDIR");
  }
}

export function documentPlace(): z.ZodType<string, string> {
  return z.string().refine((text) => parseDocumentPlace(text) !== null, "must be file or s3://bucket/prefix");
}

export function share(): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^(0(\.\d+)?|0?\.\d+)$/, "must be a number from 0 to less than 1, such as 0.25")
    .transform(Number);
}

/** Seconds in the environment, milliseconds in the program. */
export function milliseconds(): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d{1,4}( ?s)?$/, "must be a number of seconds between 0 and 9999, such as 25")
    .transform((text) => Number.parseInt(text, 10) * 1000);
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
