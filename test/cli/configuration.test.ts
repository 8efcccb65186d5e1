import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Config, ConfigError, parseConfig } from "../../src/config.ts";
import { README_FILE, withConfigurationTable } from "../support/configuration-table.ts";
import { runProgram } from "./commands.ts";

const KEY = Buffer.alloc(32, 7).toString("base64");
/** Its last character holds bits beyond the last byte. */
const LOOSE_KEY = KEY.replace(/.=$/, "d=");
const KEY_LIST = "must be a comma-separated list of id:base64(32 bytes)";
const wrongKey = (entry: number): string => `ENCRYPTION_KEYS ${KEY_LIST}; entry ${entry}`;
const NEEDED = {
  DOCUSIGN_CLIENT_ID: "torikomi",
  DOCUSIGN_CLIENT_SECRET: "secret",
  CONNECT_HMAC_KEYS: "GGmL7C9i1tHhpcLOZF3hUvWjXa8bE0nqRsTuVwXyZ01=",
  ENCRYPTION_KEYS: `one:${KEY}`,
};

const RANDOM_KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString("base64");
const PRODUCTION = {
  ...NEEDED,
  NODE_ENV: "production",
  DATABASE_URL: "postgres://torikomi@db.example/torikomi",
  PUBLIC_URL: "https://torikomi.example",
  ENCRYPTION_KEYS: `one:${RANDOM_KEY}`,
  CABINET_ISSUER: "https://cabinet.example",
  CABINET_CLIENT_ID: "page",
  CABINET_CLIENT_SECRET: "secret",
};

/** Returns the problems; empty if the configuration is accepted. */
function problemsOf(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    parseConfig(environment);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
}

type Wrong = { readonly [name: string]: string };

const MEMORY = "must be a size of at least 1mb, such as 64mb or 1gb";
const ONE_HOST =
  "must name one host and no target_session_attrs; use an address that leads to the primary: a proxy such as HAProxy, PgBouncer in session mode, or a DNS name that follows the primary";
const ROLE = "must be the name of a PostgreSQL role: at most 63 bytes, and not public, none or pg_…";
const ORIGINS = "must be a list of https origins such as https://cabinet.example (http on loopback only)";
const HOSTS = "must be a list of domains such as docusign.net";

function wrong(given: Wrong, problem: string): readonly [given: Wrong, problem: string] {
  return [given, `${Object.keys(given).join()} ${problem}`];
}

const WRONG: readonly (readonly [given: Wrong, problem: string])[] = [
  [
    { DATABASE_URL: "postgres://u:p@host:99999/db" },
    "DATABASE_URL must be an address such as postgres://user:password@host:5432/database",
  ],
  [
    { DATABASE_URL: "postgres://" },
    "DATABASE_URL must be an address such as postgres://user:password@host:5432/database",
  ],
  ...[
    "postgres://u:p@a,b/db",
    "postgres://u:p@a:5432,b:5432/db",
    "postgres://u@/db?host=a,b",
    "postgres://u:p@a/db?target_session_attrs=read-write",
  ].map((address) => wrong({ DATABASE_URL: address }, ONE_HOST)),
  [{ ENCRYPTION_KEYS: "," }, `ENCRYPTION_KEYS ${KEY_LIST}`],
  [{ ENCRYPTION_KEYS: KEY }, `${wrongKey(1)} is not an id and a key separated by one colon`],
  [
    { ENCRYPTION_KEYS: `one:${KEY},two:${KEY}:zzz` },
    `${wrongKey(2)} is not an id and a key separated by one colon`,
  ],
  [
    { ENCRYPTION_KEYS: `an id:${KEY}` },
    `${wrongKey(1)} has an id that is not 1 to 40 letters, digits, - and _`,
  ],
  [{ ENCRYPTION_KEYS: `one:!!!${KEY}` }, `${wrongKey(1)} has a key that is not base64`],
  [{ ENCRYPTION_KEYS: `one:${KEY}==` }, `${wrongKey(1)} has a key that is not base64`],
  [{ ENCRYPTION_KEYS: `one:${LOOSE_KEY}` }, `${wrongKey(1)} has a key that is not base64`],
  [{ ENCRYPTION_KEYS: "one:c2hvcnQ=" }, `${wrongKey(1)} has a key of 5 bytes`],
  [{ CONNECT_HMAC_KEYS: ", ," }, "CONNECT_HMAC_KEYS must hold at least one key"],
  [
    { DOCUSIGN_ADMIN_PROFILES: "," },
    "DOCUSIGN_ADMIN_PROFILES must name at least one permission profile, or be * for any",
  ],
  [{ ENCRYPTION_KEYS: `one:${KEY},one:${KEY}` }, "ENCRYPTION_KEYS must not hold two keys with the same id"],
  [{ PORT: "65536" }, "PORT must be an integer between 0 and 65535"],
  [{ PUBLIC_URL: "torikomi.example" }, "PUBLIC_URL must be an http or https address"],
  [{ CABINET_CLIENT_ID: "page" }, "CABINET_CLIENT_ID and CABINET_CLIENT_SECRET must be set together"],
  [{ DOCUMENT_STORE_ENCRYPTION: "DES" }, "DOCUMENT_STORE_ENCRYPTION must be AES256 or aws:kms"],
  [
    { SHUTDOWN_TIMEOUT: "soon" },
    "SHUTDOWN_TIMEOUT must be a number of seconds between 0 and 9999, such as 25",
  ],
  [
    { FIRST_IMPORT_RESERVE: "1" },
    "FIRST_IMPORT_RESERVE must be a number from 0 to less than 1, such as 0.25",
  ],
  [{ DOCUMENT_STORE: "s3://Bad_Bucket/x" }, "DOCUMENT_STORE must be file or s3://bucket/prefix"],
  [{ DOCUMENT_STORE: "s3://bucket/../x" }, "DOCUMENT_STORE must be file or s3://bucket/prefix"],
  [{ OPERATIONS_PORT: "-1" }, "OPERATIONS_PORT must be an integer between 0 and 65535"],
  [{ FEED_WAITERS: "0" }, "FEED_WAITERS must be an integer between 1 and 100000"],
  ...["1", "128", "0mb", "1023kb", "64 mb", "1tb"].map((size) => wrong({ RECEIVER_MEMORY: size }, MEMORY)),
  ...["public", "none", "pg_monitor", "r".repeat(64), "a\nb"].map((role) =>
    wrong({ DATABASE_RUNTIME_ROLE: role }, ROLE),
  ),
  ...[
    "cabinet.example",
    "https://cabinet.example/contracts",
    "https://cabinet.example?a",
    "https://cabinet.example,https://somebody@cabinet.example",
    "http://cabinet.example",
    "ftp://localhost",
  ].map((origins) => wrong({ CABINET_ORIGINS: origins }, ORIGINS)),
  ...[",", "net", ".docusign.net", "*.docusign.net", "docusign.net/x", "https://docusign.net"].map((hosts) =>
    wrong({ DOCUSIGN_API_HOSTS: hosts }, HOSTS),
  ),
  [{ SUPPORT_URL: "javascript:alert(1)" }, "SUPPORT_URL must be an http or https address"],
  ...["https://cabinet.example/contracts", "javascript:{id}", "contracts/{id}"].map((template) =>
    wrong({ CONTRACT_URL: template }, "must be an http or https address that contains {id}"),
  ),
  ...["契約\t書", "契".repeat(101)].map((name) =>
    wrong({ PRODUCT_NAME: name }, "must be 1 to 100 characters without control characters"),
  ),
  [{ DATA_DIR: import.meta.filename }, "DATA_DIR must be a directory or a path that can be created"],
  [
    { DATA_DIR: join(import.meta.filename, "a", "b") },
    "DATA_DIR must be a directory or a path that can be created",
  ],
];

for (const [given, problem] of WRONG) {
  test(`${JSON.stringify(given)} is rejected in one line`, () => {
    assert.throws(() => parseConfig({ ...NEEDED, ...given }), { name: "ConfigError", problems: [problem] });
  });
}

/** Quotation marks that a pasted key may have in an environment file. */
const QUOTATION_MARKS = ['""', "''", "“”", "‘’", "„“", "«»", "「」", "＂＂", "``"];

for (const marks of QUOTATION_MARKS) {
  test(`Connect keys with ${marks} around them are always rejected`, () => {
    const [open = "", close = ""] = marks;
    const key = NEEDED.CONNECT_HMAC_KEYS;
    const quoted = [`${open}${key}${close}`, `${key},${open}${key}${close}`, `${open}${key},${key}${close}`];
    for (const text of [...quoted, `${open}${key}`, `${key}${close}`])
      for (const environment of [NEEDED, PRODUCTION])
        assert.deepEqual(problemsOf({ ...environment, CONNECT_HMAC_KEYS: text }), [
          "CONNECT_HMAC_KEYS must hold keys without quotation marks",
        ]);
  });
}

const PLAIN_HTTP = "must be an https address in production, except on loopback";
const UNIFORM = "ENCRYPTION_KEYS must hold random keys in production, not one byte repeated";

const INSECURE: readonly (readonly [given: Wrong, problem: string])[] = [
  [{ PUBLIC_URL: "http://torikomi.example" }, `PUBLIC_URL ${PLAIN_HTTP}`],
  [{ PUBLIC_URL: "HTTP://torikomi.example/" }, `PUBLIC_URL ${PLAIN_HTTP}`],
  [{ PUBLIC_URL: "http://127.0.0.1.example" }, `PUBLIC_URL ${PLAIN_HTTP}`],
  [{ DOCUSIGN_OAUTH_URL: "http://account.docusign.com" }, `DOCUSIGN_OAUTH_URL ${PLAIN_HTTP}`],
  [{ CABINET_ISSUER: "http://cabinet.example/" }, `CABINET_ISSUER ${PLAIN_HTTP}`],
  [{ CONNECT_HMAC_KEYS: "a" }, "CONNECT_HMAC_KEYS must hold keys of at least 16 characters in production"],
  [
    { CONNECT_HMAC_KEYS: `${"k".repeat(16)},${"k".repeat(15)}` },
    "CONNECT_HMAC_KEYS must hold keys of at least 16 characters in production",
  ],
  [{ ENCRYPTION_KEYS: `one:${Buffer.alloc(32).toString("base64")}` }, UNIFORM],
  [{ ENCRYPTION_KEYS: `new:${RANDOM_KEY},old:${KEY}` }, UNIFORM],
  [
    { CABINET_ORIGINS: "https://cabinet.example,http://localhost:8080" },
    "CABINET_ORIGINS must hold https origins only in production",
  ],
  [{ CABINET_CLIENT_ID: "torikomi" }, "CABINET_CLIENT_ID must differ from CABINET_AUDIENCE in production"],
  [{ CABINET_AUDIENCE: "page" }, "CABINET_CLIENT_ID must differ from CABINET_AUDIENCE in production"],
];

for (const [given, problem] of INSECURE) {
  test(`${JSON.stringify(given)} is rejected in production only`, () => {
    assert.deepEqual(problemsOf({ ...PRODUCTION, ...given }), [problem]);
    assert.deepEqual(problemsOf({ ...PRODUCTION, ...given, NODE_ENV: "" }), []);
  });
}

for (const host of ["localhost", "127.0.0.1", "127.1", "[::1]"]) {
  test(`production accepts plain http on ${host}`, () => {
    const address = `http://${host}:3000`;
    const addresses = { PUBLIC_URL: address, DOCUSIGN_OAUTH_URL: address, CABINET_ISSUER: address };

    assert.deepEqual(problemsOf({ ...PRODUCTION, ...addresses }), []);
  });
}

test("insecure, wrong and missing values are reported together", () => {
  const environment = {
    ...PRODUCTION,
    DATABASE_URL: "",
    PUBLIC_URL: "http://torikomi.example",
    PORT: "high",
  };

  assert.deepEqual(problemsOf(environment), [
    "PORT must be an integer between 0 and 65535",
    "DATABASE_URL is required in production",
    `PUBLIC_URL ${PLAIN_HTTP}`,
  ]);
});

test("a wrong configuration stops the program with exit code 78 and one line for each value", async () => {
  const environment = { ...NEEDED, CONNECT_HMAC_KEYS: ",", DATA_DIR: import.meta.filename };

  const { exit, out, err } = await runProgram(["doctor"], environment);

  const lines = [
    "FAIL configuration: CONNECT_HMAC_KEYS must hold at least one key",
    "FAIL configuration: DATA_DIR must be a directory or a path that can be created",
  ];
  assert.deepEqual({ exit, lines: out.trim().split("\n").sort(), err }, { exit: 78, lines, err: "" });
});

test("a directory that cannot hold the generated key stops the program with exit code 78 and one line", async () => {
  const folder = await mkdtemp(join(tmpdir(), "torikomi-configuration-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => await rm(folder, { recursive: true }));
  await symlink("nowhere", join(folder, "data"));
  const environment = { ...NEEDED, ENCRYPTION_KEYS: "", DATA_DIR: join(folder, "data", "below") };

  const { exit, err } = await runProgram(["reconcile"], environment);

  assert.equal(exit, 78);
  assert.match(err, /^torikomi: DATA_DIR cannot be used \([^\n]+\)\n$/);
});

test("a value whose file cannot be read is not also reported as missing", async () => {
  const files = ["DATABASE_URL", "DOCUSIGN_CLIENT_SECRET", "ENCRYPTION_KEYS", "CABINET_CLIENT_SECRET"];
  const environment = {
    ...PRODUCTION,
    ...Object.fromEntries(files.map((name) => [name, ""])),
    ...Object.fromEntries(files.map((name) => [`${name}_FILE`, "/nowhere"])),
  };

  const { exit, err } = await runProgram(["serve"], environment);

  const lines = files.map(
    (name) => `torikomi: ${name}_FILE cannot be read (ENOENT: no such file or directory, open '/nowhere')\n`,
  );
  assert.deepEqual({ exit, err }, { exit: 78, err: lines.join("") });
});

test("database addresses have the forms that PostgreSQL's own programs accept", () => {
  for (const address of [
    "postgres://user:p%40ss@db.example:5432/torikomi?sslmode=require",
    "postgresql://db.example",
    "postgres://[::1]/torikomi",
    "postgres:///torikomi",
    "postgres://user@/torikomi?host=/run/postgresql",
    "postgres://user@%2Frun%2Fpostgresql/torikomi",
  ])
    assert.equal(parseConfig({ DATABASE_URL: address }, "database").databaseUrl, address);
});

test("a key is the same with or without padding", () => {
  const keysOf = (text: string) => parseConfig({ ...NEEDED, ENCRYPTION_KEYS: text }).encryptionKeys;

  assert.deepEqual(keysOf(`one:${KEY.replace("=", "")}`), keysOf(`one:${KEY}`));
  assert.deepEqual(keysOf(`one:${KEY}`), [{ id: "one", key: Buffer.alloc(32, 7) }]);
});

test("each wrong key gets its own line", () => {
  assert.throws(() => parseConfig({ ...NEEDED, ENCRYPTION_KEYS: `${KEY},one:${KEY},two:c2hvcnQ=` }), {
    problems: [
      `${wrongKey(1)} is not an id and a key separated by one colon`,
      `${wrongKey(3)} has a key of 5 bytes`,
    ],
  });
});

/** The place of a setting's value in the configuration. */
const READ: readonly (readonly [given: Wrong, read: (config: Config) => unknown, expected: unknown])[] = [
  [{}, ({ databaseRuntimeRole }) => databaseRuntimeRole, null],
  [{ DATABASE_RUNTIME_ROLE: "app@example.iam" }, (config) => config.databaseRuntimeRole, "app@example.iam"],
  [{}, ({ receiverMemory }) => receiverMemory, 128 * 1024 * 1024],
  [{ RECEIVER_MEMORY: "1GB" }, ({ receiverMemory }) => receiverMemory, 1024 * 1024 * 1024],
  [{ RECEIVER_MEMORY: "2048kb" }, ({ receiverMemory }) => receiverMemory, 2 * 1024 * 1024],
  [{}, ({ feedWaiters }) => feedWaiters, 100],
  [{}, ({ cabinet }) => cabinet.serviceTokenSubjects, []],
  [
    { SERVICE_TOKEN_SUBJECTS: "search, archive" },
    (config) => config.cabinet.serviceTokenSubjects,
    ["search", "archive"],
  ],
  [{}, ({ cabinet }) => cabinet.origins, []],
  [
    { CABINET_ORIGINS: "https://Cabinet.example/, http://127.0.0.1:8080" },
    ({ cabinet }) => cabinet.origins,
    ["https://cabinet.example", "http://127.0.0.1:8080"],
  ],
  [{}, ({ docusign }) => docusign.apiHosts, ["docusign.net", "docusign.com"]],
  [{ DOCUSIGN_API_HOSTS: "DocuSign.mil" }, ({ docusign }) => docusign.apiHosts, ["docusign.mil"]],
  [{ PORT: "80" }, ({ operationsPort }) => operationsPort, null],
  [{ PORT: "80", OPERATIONS_PORT: "80" }, ({ operationsPort }) => operationsPort, null],
  [{ PORT: "80", OPERATIONS_PORT: "81" }, ({ operationsPort }) => operationsPort, 81],
  [{}, ({ page }) => page, { productName: "契約書キャビネ", supportUrl: null, contractUrl: null }],
  [
    {
      SUPPORT_URL: "https://help.example/",
      CONTRACT_URL: "https://cabinet.example/c/{id}",
      PRODUCT_NAME: "書庫",
    },
    ({ page }) => page,
    {
      productName: "書庫",
      supportUrl: "https://help.example/",
      contractUrl: "https://cabinet.example/c/{id}",
    },
  ],
];

for (const [given, read, expected] of READ) {
  test(`${JSON.stringify(given)} is read as ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(read(parseConfig({ ...NEEDED, ...given })), expected);
  });
}

test("README describes every setting as the program reads it", async () => {
  const readme = await readFile(README_FILE, "utf8");

  assert.equal(readme, withConfigurationTable(readme), "run npm run docs:configuration");
});
