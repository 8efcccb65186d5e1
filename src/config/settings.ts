import { z } from "zod";
import { CABINET, PAGE } from "./cabinet-settings.ts";
import { DOCUSIGN } from "./docusign-settings.ts";
import { encryptionKeys } from "./encryption-keys.ts";
import * as field from "./fields.ts";
import { plainHttp, shortKeys, uniformKeys } from "./refusals.ts";
import { listSettings, setting } from "./setting.ts";

/**
 * Every environment variable that the program reads: where its value goes in the configuration, how it is read, and
 * its row in README (`npm run docs:configuration`).
 */
export const SETTINGS = z.object({
  production: setting(
    z
      .string()
      .optional()
      .transform((text) => text === "production"),
    {
      name: "NODE_ENV",
      meaning: "`production` makes more settings required and refuses insecure values (see below)",
    },
  ),
  databaseUrl: setting(field.orNull(field.databaseAddress()), {
    name: "DATABASE_URL",
    otherwise: "embedded PostgreSQL under `DATA_DIR`",
    required: "in production",
    meaning: "PostgreSQL 15 or newer",
  }),
  databaseRuntimeRole: setting(field.orNull(field.databaseRole()), {
    name: "DATABASE_RUNTIME_ROLE",
    meaning: "PostgreSQL role to which `migrate` grants the rights that `serve` and `work` need",
  }),
  dataDir: setting(field.directory(), {
    name: "DATA_DIR",
    default: "./data",
    meaning: "directory of the embedded database and of documents stored as files",
  }),
  port: setting(field.integer(0, 65_535), { name: "PORT", default: "3000", meaning: "port for HTTP" }),
  operationsPort: setting(field.orNull(field.integer(0, 65_535)), {
    name: "OPERATIONS_PORT",
    otherwise: "`PORT`",
    meaning:
      "port for `/healthz`, `/readyz` and `/metrics`; unless it equals `PORT`, `PORT` answers 404 for them",
  }),
  host: setting(z.string(), { name: "HOST", default: "0.0.0.0", meaning: "address to listen on" }),
  publicUrl: setting(field.orNull(field.baseAddress()), {
    name: "PUBLIC_URL",
    refused: plainHttp,
    otherwise: "`http://localhost:PORT`",
    required: "in production",
    meaning:
      "address at which people and DocuSign reach the service; it may have a path, such as `https://example.com/cell-a`",
  }),
  trustProxy: setting(field.integer(0, 20), {
    name: "TRUST_PROXY",
    default: "0",
    meaning: "number of proxies in front of the service whose `X-Forwarded-*` headers are trusted",
  }),
  docusign: DOCUSIGN,
  hmacKeys: setting(field.hmacKeys().default([]), {
    name: "CONNECT_HMAC_KEYS",
    refused: shortKeys,
    required: "always",
    meaning:
      "comma-separated Connect keys of the account that owns the integration key; each is accepted. Only `serve` and `all` need them",
  }),
  receiverMemory: setting(field.bytes(), {
    name: "RECEIVER_MEMORY",
    default: "128mb",
    meaning: "memory for the Connect messages that one process holds, such as `64mb` or `1gb`",
  }),
  adminProfiles: setting(
    field
      .list()
      .refine((names) => names.length > 0, "must name at least one permission profile, or be * for any"),
    {
      name: "DOCUSIGN_ADMIN_PROFILES",
      default: "DS Admin,Account Administrator",
      meaning: "permission profiles that count as DS Admin; `*` for every profile with the rights",
    },
  ),
  encryptionKeys: setting(field.orNull(encryptionKeys()), {
    name: "ENCRYPTION_KEYS",
    refused: uniformKeys,
    otherwise: "created once under `DATA_DIR`",
    required: "in production",
    meaning: "comma-separated `id:base64(32 bytes)`; the first key encrypts, all keys decrypt",
  }),
  documentStore: setting(field.documentPlace(), {
    name: "DOCUMENT_STORE",
    default: "file",
    meaning:
      "`file`, or `s3://bucket/prefix` with endpoint, region and credentials from the AWS SDK's own variables",
  }),
  documentEncryption: z.object({
    serverSideEncryption: setting(field.orNull(field.oneOf("AES256", "aws:kms")), {
      name: "DOCUMENT_STORE_ENCRYPTION",
      otherwise: "the bucket's own",
      meaning: "server-side encryption of S3 objects: `AES256` or `aws:kms`",
    }),
    kmsKeyId: setting(field.orNull(z.string()), {
      name: "DOCUMENT_STORE_KMS_KEY",
      otherwise: "the bucket's own",
      meaning: "key for `aws:kms`",
    }),
    endpoint: setting(field.orNull(z.string()), { name: "AWS_ENDPOINT_URL" }),
    s3Endpoint: setting(field.orNull(z.string()), { name: "AWS_ENDPOINT_URL_S3" }),
  }),
  cabinet: CABINET,
  page: PAGE,
  feedWaiters: setting(field.integer(1, 100_000), {
    name: "FEED_WAITERS",
    default: "100",
    meaning: "limit of waiting change feed requests per tenant and process; further ones get 429",
  }),
  importTiming: setting(field.oneOf("immediate", "hourly"), {
    name: "IMPORT_TIMING",
    default: "immediate",
    meaning: "`immediate` imports when an event arrives; `hourly` on the next full hour",
  }),
  eventRetentionDays: setting(field.integer(1, 3650), {
    name: "EVENT_RETENTION_DAYS",
    default: "30",
    meaning: "days to keep the bodies of recorded events",
  }),
  largeImport: setting(field.integer(1, 999_999_999), {
    name: "LARGE_IMPORT",
    default: "10000",
    meaning: "a first import of this many envelopes or more waits for the owner's approval",
  }),
  firstImportReserve: setting(field.share(), {
    name: "FIRST_IMPORT_RESERVE",
    default: "0.25",
    meaning: "share of an account's hourly API calls that first imports leave to other integrations",
  }),
  workerConcurrency: setting(field.integer(1, 200), {
    name: "WORKER_CONCURRENCY",
    default: "10",
    meaning: "concurrent jobs in one worker process",
  }),
  shutdownTimeoutMs: setting(field.milliseconds(), {
    name: "SHUTDOWN_TIMEOUT",
    default: "25",
    meaning: "seconds between SIGTERM and the end of the process at the latest",
  }),
  logLevel: setting(field.oneOf("fatal", "error", "warn", "info", "debug", "trace", "silent"), {
    name: "LOG_LEVEL",
    default: "info",
    meaning: "lowest level to log: `fatal`, `error`, `warn`, `info`, `debug`, `trace`, or `silent`",
  }),
  tracing: z.object({
    endpoint: setting(field.orNull(field.address()), {
      name: "OTEL_EXPORTER_OTLP_ENDPOINT",
      meaning: "address of an OpenTelemetry collector; enables traces",
    }),
    tracesEndpoint: setting(field.orNull(field.address()), {
      name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
      meaning: "the same for traces only",
    }),
    exporter: setting(field.orNull(z.string()), {
      name: "OTEL_TRACES_EXPORTER",
      meaning: "name of an OpenTelemetry exporter; enables traces, `none` disables them",
    }),
    disabled: setting(field.orNull(z.string()), {
      name: "OTEL_SDK_DISABLED",
      meaning: "`true` disables traces",
    }),
    serviceName: setting(z.string(), {
      name: "OTEL_SERVICE_NAME",
      default: "torikomi",
      meaning: "name of the service in traces",
    }),
  }),
});

export type Settings = z.output<typeof SETTINGS>;

export const SETTING_LIST = listSettings(SETTINGS);
