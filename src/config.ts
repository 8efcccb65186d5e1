import { resolve } from "node:path";
import { localKey } from "./config/encryption-keys.ts";
import { type Environment, type Given, readEnvironment } from "./config/environment.ts";
import { arrange } from "./config/setting.ts";
import { SETTING_LIST, SETTINGS, type Settings } from "./config/settings.ts";
import type { S3Options } from "./documents/s3-store.ts";
import { describeFault } from "./domain/fault-text.ts";
import type { EncryptionKey } from "./store/links/vault.ts";

/** Everything that the environment decides, read once. The settings are in src/config/settings.ts. */
export type Config = Immutable<ReturnType<typeof complete>>;

type Immutable<T> = {
  readonly [K in keyof T]: T[K] extends Record<string, unknown> ? Immutable<T[K]> : T[K];
};

/**
 * Which values a process needs. `migrate` can run before DocuSign's secrets exist. Workers and commands receive no
 * messages and sign nobody in, so their pods hold no secrets for that.
 */
type Need = "everything" | "work" | "database";

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
 * Reads the environment, `NAME_FILE` variants included. Outside production an encryption key is created once under
 * `DATA_DIR`. Throws a `ConfigError` that names every problem.
 */
export function parseConfig(environment: Environment, need: Need = "everything"): Config {
  const given = readEnvironment(environment, NAMES);
  const parsed = SETTINGS.safeParse(arrange(SETTINGS, given.values));
  const problems = [
    ...given.unread.values(),
    ...(parsed.error?.issues ?? []).map(({ path, message }) => `${nameOf(path)} ${message}`),
    ...listMissing(given, need),
    ...listRefused(given),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError([...new Set(problems)]);
  return complete(parsed.data, need, environment);
}

const NAMES: ReadonlySet<string> = new Set(SETTING_LIST.map(({ name }) => name));

function nameOf(place: readonly PropertyKey[]): string {
  const owner = SETTING_LIST.find(({ path }) => path.every((key, index) => key === place[index]));
  return owner?.name ?? place.join(".");
}

const IS_NEEDED: Readonly<Record<Need, (name: string) => boolean>> = {
  everything: () => true,
  work: (name) => name !== "CONNECT_HMAC_KEYS",
  database: (name) => name === "DATABASE_URL",
};

function isProduction(values: Given["values"]): boolean {
  return values["NODE_ENV"] === "production";
}

/** Checked beside the schema, so that all problems are reported at once. */
function listMissing({ values, unread }: Given, need: Need): string[] {
  const isGiven = (name: string): boolean => values[name] !== undefined || unread.has(name);
  const production = isProduction(values);
  const problems = SETTING_LIST.flatMap(({ name, required }) => {
    if (required === undefined || !IS_NEEDED[need](name) || isGiven(name)) return [];
    if (required === "always") return [`${name} is required`];
    return production ? [`${name} is required in production`] : [];
  });
  if (need === "everything" && isGiven("CABINET_CLIENT_ID") !== isGiven("CABINET_CLIENT_SECRET")) {
    problems.push("CABINET_CLIENT_ID and CABINET_CLIENT_SECRET must be set together");
  }
  return problems;
}

function listRefused({ values }: Given): string[] {
  if (!isProduction(values)) return [];
  const valueOf = (name: string): string | undefined =>
    values[name] ?? SETTING_LIST.find((setting) => setting.name === name)?.default;
  return SETTING_LIST.flatMap(({ name, refused }) => {
    const text = values[name];
    const problem = text === undefined ? null : (refused?.(text, valueOf) ?? null);
    return problem === null ? [] : [`${name} ${problem}`];
  });
}

/** Replaces what depends on other settings. */
function complete(settings: Settings, need: Need, environment: Environment) {
  const dataDir = resolve(settings.dataDir);
  return {
    ...settings,
    /** Read again for each new connection. */
    databaseUrlFile: environment["DATABASE_URL_FILE"] || null,
    dataDir,
    operationsPort: settings.operationsPort === settings.port ? null : settings.operationsPort,
    publicUrl: settings.publicUrl ?? `http://localhost:${settings.port}`,
    encryptionKeys: settings.encryptionKeys ?? (need === "database" ? [] : [openLocalKey(dataDir)]),
    documentEncryption: documentEncryptionOf(settings.documentEncryption),
    tracing: tracingOf(settings.tracing),
  };
}

function documentEncryptionOf(settings: Settings["documentEncryption"]): S3Options {
  const { serverSideEncryption, kmsKeyId, endpoint, s3Endpoint } = settings;
  return {
    ...(serverSideEncryption !== null && { serverSideEncryption }),
    ...(kmsKeyId !== null && { kmsKeyId }),
    // Servers other than AWS address buckets by path.
    forcePathStyle: (s3Endpoint ?? endpoint) !== null,
  };
}

/** Null unless a standard variable configures an exporter. OpenTelemetry reads its address from the environment. */
function tracingOf(settings: Settings["tracing"]): { readonly serviceName: string } | null {
  const { endpoint, tracesEndpoint, exporter, disabled, serviceName } = settings;
  if (disabled?.toLowerCase() === "true" || exporter === "none") return null;
  return (tracesEndpoint ?? endpoint ?? exporter) === null ? null : { serviceName };
}

function openLocalKey(dataDir: string): EncryptionKey {
  try {
    return localKey(dataDir);
  } catch (error) {
    throw new ConfigError([`DATA_DIR cannot be used (${describeFault(error)})`]);
  }
}
