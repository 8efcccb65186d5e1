import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { parseDocumentPlace } from "./documents/open-store.ts";
import { describeFault } from "./domain/fault-text.ts";
import type { EncryptionKey } from "./store/links/vault.ts";

/** Everything that the environment settles, read once; see the table in README.md. */
export type Config = {
  readonly production: boolean;
  /** Null: the embedded PostgreSQL under `dataDir`. */
  readonly databaseUrl: string | null;
  readonly dataDir: string;
  readonly port: number;
  readonly host: string;
  /** Without slash at the end. */
  readonly publicUrl: string;
  readonly trustProxy: number;
  readonly docusign: { readonly oauthUrl: string; readonly clientId: string; readonly clientSecret: string };
  readonly hmacKeys: readonly string[];
  readonly adminProfiles: readonly string[];
  readonly encryptionKeys: readonly EncryptionKey[];
  readonly documentStore: string;
  readonly documentEncryption: {
    readonly serverSideEncryption?: "AES256" | "aws:kms";
    readonly kmsKeyId?: string;
    readonly forcePathStyle: boolean;
  };
  readonly cabinet: {
    readonly issuer: string | null;
    readonly audience: string;
    readonly clientId: string | null;
    readonly clientSecret: string | null;
  };
  readonly importTiming: "immediate" | "hourly";
  readonly eventRetentionDays: number;
  readonly largeImport: number;
  readonly firstImportReserve: number;
  readonly workerConcurrency: number;
  readonly shutdownTimeoutMs: number;
  readonly logLevel: string;
  /** Null: nothing is traced. Where spans go is OpenTelemetry's to read from its own variables. */
  readonly tracing: { readonly serviceName: string } | null;
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** Which values a command needs: `migrate` runs before anybody holds DocuSign's secrets. */
export type Need = "everything" | "database";

/** One line for each wrong or missing value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/**
 * Reads the environment, `NAME_FILE` variants included; an empty value is a missing one. Outside production an
 * encryption key is made once under `DATA_DIR`. Throws a `ConfigError` that names every problem.
 */
export function parseConfig(environment: Environment, need: Need = "everything"): Config {
  const { values, unread } = withFiles(environment);
  const production = values["NODE_ENV"] === "production";
  const isGiven = (name: string): boolean => values[name] !== undefined || unread.has(name);
  const parsed = schemaFor(need).safeParse(values);
  const problems = [
    ...unread.values(),
    ...(parsed.error?.issues ?? [])
      .filter(({ path }) => !unread.has(String(path[0])))
      .map(({ path, message }) => `${String(path[0])}: ${message}`),
    ...checkTogether(isGiven, production, need),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError([...new Set(problems)]);
  return toConfig(parsed.data, production, need);
}

type Given = {
  readonly values: Record<string, string>;
  /** What is wrong with the file of each value that has one which cannot be read; it isn't missing as well. */
  readonly unread: Map<string, string>;
};

const FILE_SUFFIX = "_FILE";

function withFiles(environment: Environment): Given {
  const given: Given = { values: {}, unread: new Map() };
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || value === "") continue;
    const target = name.endsWith(FILE_SUFFIX) ? name.slice(0, -FILE_SUFFIX.length) : name;
    if (target === name) given.values[name] ??= value;
    else if (NAMES.has(target)) readSecret(given, target, value);
  }
  return given;
}

function readSecret({ values, unread }: Given, name: string, path: string): void {
  try {
    const text = readFileSync(path, "utf8").replace(/\r?\n$/, "");
    if (text !== "") values[name] = text;
  } catch (error) {
    unread.set(name, `${name}${FILE_SUFFIX}: cannot be read (${describeFault(error)})`);
  }
}

const url = z
  .url({ protocol: /^https?$/, error: "has to be an http or https address" })
  .transform((text) => text.replace(/\/+$/, ""));
const list = z.string().transform((text) =>
  text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== ""),
);
const required = (text = "is required") => ({
  error: (issue: { input?: unknown }) => (issue.input === undefined ? text : "is wrong"),
});
const secret = z.string(required());

function whole(fallback: number, { min, max }: { min: number; max: number }) {
  const message = `has to be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message)
    .default(fallback);
}

const KEY_LIST = "has to be a comma-separated list of id:base64(32 bytes)";

const encryptionKeys = list
  .refine((entries) => entries.length > 0, { error: KEY_LIST, abort: true })
  .superRefine((entries, context) => {
    for (const [index, entry] of entries.entries()) {
      const problem = problemOfKey(entry);
      // By its number: what stands where the id belongs may be the key.
      if (problem !== null) context.addIssue(`${KEY_LIST}; entry ${index + 1} ${problem}`);
    }
  })
  .transform((entries) => entries.map(readEncryptionKey))
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, "holds two keys under one id");

function problemOfKey(entry: string): string | null {
  const [id = "", encoded = "", ...more] = entry.split(":");
  if (encoded === "" || more.length > 0) return "is not an id and a key with one colon between them";
  if (!/^[A-Za-z0-9_-]{1,40}$/.test(id)) return "has an id that is not 1 to 40 letters, digits, - and _";
  const key = Buffer.from(encoded, "base64");
  // Buffer.from passes over what is no base64, and would make another key of a damaged one.
  const exact = key.toString("base64");
  if (encoded !== exact && encoded !== exact.replace(/=+$/, "")) return "has a key that is not base64";
  return key.byteLength === 32 ? null : `has a key of ${key.byteLength} bytes`;
}

function readEncryptionKey(entry: string): EncryptionKey {
  const [id = "", encoded = ""] = entry.split(":");
  return { id, key: Buffer.from(encoded, "base64") };
}

/** A folder that is not there yet is made when it is needed. */
function mayBeFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    return !hasCode(error, "ENOTDIR");
  }
}

/** `postgres:///database` and `postgres://user@/database` mean the socket or host that `?host=` or the default names. */
function isDatabaseAddress(text: string): boolean {
  const address = URL.parse(text) ?? URL.parse(text.replace("@/", "@localhost/"));
  if (address === null || !/^postgres(ql)?:$/.test(address.protocol)) return false;
  return address.host !== "" || address.pathname.length > 1 || address.searchParams.has("host");
}

const values = {
  DATABASE_URL: z
    .string()
    .refine(isDatabaseAddress, "has to be an address such as postgres://user:password@host:5432/database")
    .optional(),
  DATA_DIR: z.string().refine(mayBeFolder, "is no folder, or lies under what is none").default("./data"),
  PORT: whole(3000, { min: 0, max: 65535 }),
  HOST: z.string().default("0.0.0.0"),
  PUBLIC_URL: url.optional(),
  TRUST_PROXY: whole(0, { min: 0, max: 20 }),
  DOCUSIGN_OAUTH_URL: url.default("https://account.docusign.com"),
  DOCUSIGN_CLIENT_ID: secret,
  DOCUSIGN_CLIENT_SECRET: secret,
  CONNECT_HMAC_KEYS: z
    .string(required())
    .transform((text) =>
      text
        .split(",")
        .map((one) => one.trim())
        .filter((one) => one !== ""),
    )
    .refine((keys) => keys.length > 0, "has to hold a key"),
  DOCUSIGN_ADMIN_PROFILES: list
    .refine((names) => names.length > 0, "has to name a permission profile, or be * for any")
    .default(["DS Admin", "Account Administrator"]),
  ENCRYPTION_KEYS: encryptionKeys.optional(),
  DOCUMENT_STORE: z
    .string()
    .refine((text) => parseDocumentPlace(text) !== null, "has to be `file` or s3://bucket/prefix")
    .default("file"),
  DOCUMENT_STORE_ENCRYPTION: z
    .enum(["AES256", "aws:kms"], { error: "has to be AES256 or aws:kms" })
    .optional(),
  DOCUMENT_STORE_KMS_KEY: z.string().optional(),
  // As the issuer writes itself, slash at the end included: it is compared.
  CABINET_ISSUER: z.url({ protocol: /^https?$/, error: "has to be an http or https address" }).optional(),
  CABINET_AUDIENCE: z.string().default("torikomi"),
  CABINET_CLIENT_ID: z.string().optional(),
  CABINET_CLIENT_SECRET: z.string().optional(),
  IMPORT_TIMING: z
    .enum(["immediate", "hourly"], { error: "has to be immediate or hourly" })
    .default("immediate"),
  EVENT_RETENTION_DAYS: whole(30, { min: 1, max: 3650 }),
  LARGE_IMPORT: whole(10_000, { min: 1, max: 999_999_999 }),
  FIRST_IMPORT_RESERVE: z
    .string()
    .regex(/^(0(\.\d+)?|0?\.\d+)$/, "has to be a share from 0 to below 1, such as 0.25")
    .transform(Number)
    .default(0.25),
  WORKER_CONCURRENCY: whole(10, { min: 1, max: 200 }),
  SHUTDOWN_TIMEOUT: z
    .string()
    .regex(/^\d{1,4}( ?s)?$/, "has to be a number of seconds, such as 25")
    .transform((text) => Number.parseInt(text, 10) * 1000)
    .default(25_000),
  LOG_LEVEL: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"], {
      error: "has to be a level of pino",
    })
    .default("info"),
  AWS_ENDPOINT_URL: z.string().optional(),
  AWS_ENDPOINT_URL_S3: z.string().optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: url.optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url.optional(),
  OTEL_TRACES_EXPORTER: z.string().optional(),
  OTEL_SDK_DISABLED: z.string().optional(),
  OTEL_SERVICE_NAME: z.string().default("torikomi"),
};

const NAMES: ReadonlySet<string> = new Set(Object.keys(values));
const REQUIRED_IN_PRODUCTION = ["DATABASE_URL", "PUBLIC_URL", "ENCRYPTION_KEYS", "CABINET_ISSUER"] as const;
const FOR_THE_DATABASE: ReadonlySet<string> = new Set(["DATABASE_URL"]);

function schemaFor(need: Need) {
  return z.object(need === "everything" ? values : { ...values, ...SPARED });
}

/** What depends on where we run and on each other; looked at beside the schema, so that every problem is named at once. */
function checkTogether(isGiven: (name: string) => boolean, production: boolean, need: Need): string[] {
  const problems: string[] = [];
  for (const name of production ? REQUIRED_IN_PRODUCTION : []) {
    const needed = need === "everything" || FOR_THE_DATABASE.has(name);
    if (needed && !isGiven(name)) problems.push(`${name}: is required in production`);
  }
  if (isGiven("CABINET_CLIENT_ID") !== isGiven("CABINET_CLIENT_SECRET")) {
    problems.push("CABINET_CLIENT_SECRET: goes together with CABINET_CLIENT_ID");
  }
  return problems;
}

/** What only `everything` insists on. */
const SPARED = {
  DOCUSIGN_CLIENT_ID: z.string().default(""),
  DOCUSIGN_CLIENT_SECRET: z.string().default(""),
  CONNECT_HMAC_KEYS: list.default([]),
};

type Values = z.infer<ReturnType<typeof schemaFor>>;

function toConfig(given: Values, production: boolean, need: Need): Config {
  const dataDir = resolve(given.DATA_DIR);
  const makesKey = need === "everything" && given.ENCRYPTION_KEYS === undefined;
  return {
    production,
    databaseUrl: given.DATABASE_URL ?? null,
    dataDir,
    port: given.PORT,
    host: given.HOST,
    publicUrl: given.PUBLIC_URL ?? `http://localhost:${given.PORT}`,
    trustProxy: given.TRUST_PROXY,
    docusign: {
      oauthUrl: given.DOCUSIGN_OAUTH_URL,
      clientId: given.DOCUSIGN_CLIENT_ID,
      clientSecret: given.DOCUSIGN_CLIENT_SECRET,
    },
    hmacKeys: given.CONNECT_HMAC_KEYS,
    adminProfiles: given.DOCUSIGN_ADMIN_PROFILES,
    encryptionKeys: makesKey ? [localKey(dataDir)] : (given.ENCRYPTION_KEYS ?? []),
    documentStore: given.DOCUMENT_STORE,
    documentEncryption: documentEncryptionOf(given),
    cabinet: cabinetOf(given),
    importTiming: given.IMPORT_TIMING,
    eventRetentionDays: given.EVENT_RETENTION_DAYS,
    largeImport: given.LARGE_IMPORT,
    firstImportReserve: given.FIRST_IMPORT_RESERVE,
    workerConcurrency: given.WORKER_CONCURRENCY,
    shutdownTimeoutMs: given.SHUTDOWN_TIMEOUT,
    logLevel: given.LOG_LEVEL,
    tracing: tracingOf(given),
  };
}

function documentEncryptionOf(given: Values): Config["documentEncryption"] {
  const { DOCUMENT_STORE_ENCRYPTION: encryption, DOCUMENT_STORE_KMS_KEY: kmsKeyId } = given;
  return {
    ...(encryption !== undefined && { serverSideEncryption: encryption }),
    ...(kmsKeyId !== undefined && { kmsKeyId }),
    // Servers that aren't AWS know buckets by path.
    forcePathStyle: (given.AWS_ENDPOINT_URL_S3 ?? given.AWS_ENDPOINT_URL) !== undefined,
  };
}

function cabinetOf(given: Values): Config["cabinet"] {
  return {
    issuer: given.CABINET_ISSUER ?? null,
    audience: given.CABINET_AUDIENCE,
    clientId: given.CABINET_CLIENT_ID ?? null,
    clientSecret: given.CABINET_CLIENT_SECRET ?? null,
  };
}

/** Asked for by any of the standard variables that say where spans go, unless one of them says no. */
function tracingOf(given: Values): Config["tracing"] {
  const {
    OTEL_TRACES_EXPORTER: exporter,
    OTEL_SDK_DISABLED: disabled,
    OTEL_SERVICE_NAME: serviceName,
  } = given;
  const endpoint = given.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? given.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (disabled?.toLowerCase() === "true" || exporter === "none") return null;
  return endpoint === undefined && exporter === undefined ? null : { serviceName };
}

/** Made once, by whichever process comes first; the others read it. */
function localKey(dataDir: string): EncryptionKey {
  const path = join(dataDir, "encryption-key");
  try {
    mkdirSync(dataDir, { recursive: true });
    writeOnce(path, randomBytes(32).toString("base64"));
    return { id: "local", key: Buffer.from(readFileSync(path, "utf8"), "base64") };
  } catch (error) {
    throw new ConfigError([`DATA_DIR: cannot be used (${describeFault(error)})`]);
  }
}

function writeOnce(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
