import assert from "node:assert/strict";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { sql } from "kysely";
import { createDocuSignOAuth } from "../../src/docusign/oauth.ts";
import { type OpenDatabase, openDatabase } from "../../src/store/database.ts";
import { createVault } from "../../src/store/links/vault.ts";
import { isCurrent } from "../../src/store/migrate.ts";
import { leaveMark } from "../../src/usecases/operating/store-marks.ts";
import { createSignInIssuer } from "../../src/web/auth/issuer.ts";
import { startCabinet } from "../support/cabinet/cabinet.ts";
import type { Failure } from "../support/docusign/faults.ts";
import { interceptPool } from "../support/intercept-pool.ts";
import { CUSTOMER, createLinkedCompanies } from "../support/linked-world.ts";
import { createEmptyDatabase, createSharedDatabase } from "../support/postgres.ts";
import { startTransactionPooler } from "../support/transaction-pooler.ts";
import { until } from "../support/waiting.ts";
import { createWorld, type World } from "../support/world.ts";
import { type CommandOptions, runCommand as run, type Said } from "./commands.ts";

/** Clocks are compared with the database's, so that the world's does not do. */
async function runCommand(world: World, command: "doctor", options: CommandOptions = {}): Promise<Said> {
  return await run(world, command, { ...options, deps: { now: () => new Date(), ...options.deps } });
}

const CHECKS = [
  "configuration",
  "database",
  "primary",
  "sessions",
  "clock",
  "migrations",
  "database role",
  "queue",
  "receiver",
  "feed",
  "encryption keys",
  "shared documents",
  "document store",
  "DocuSign",
  "integration key",
  "cabinet",
  "cabinet client",
  "public address",
];

test("if all is well, each check prints ok on its own line", async () => {
  await using companies = await createLinkedCompanies();

  const { exit, out } = await runCommand(companies.world, "doctor");

  const lines = out.trimEnd().split("\n");
  assert.equal(exit, 0, out);
  assert.deepEqual(
    lines.map((line) => /^ok {3}([^:]+): ./.exec(line)?.[1]),
    CHECKS,
  );
  assert.ok(lines.includes("ok   encryption keys: all stored tokens can be decrypted (links: 1)"), out);
});

/** The newest unsupported server version, and the oldest supported one. */
const VERSIONS = [
  { name: "14.19", number: 140_019, isGood: false },
  { name: "15.0", number: 150_000, isGood: true },
];

test("a PostgreSQL version that is too old is found", async () => {
  await using world = await createWorld();
  await using empty = await createEmptyDatabase();
  await using opened = new AsyncDisposableStack();
  const address = new URL(empty.connectionString);
  // The first current_setting() on the search path returns the version.
  address.searchParams.set("options", "-c search_path=told,pg_catalog,public");
  const { db } = opened.adopt(openDatabase(address.toString()), async (one) => await one.close());
  await sql`create schema told`.execute(db);
  for (const { name, number, isGood } of VERSIONS) {
    await sql`create or replace function told.current_setting(setting text) returns text language sql as
      ${sql.lit(`select case setting when 'server_version' then '${name}' else '${number}' end`)}`.execute(
      db,
    );

    const { out } = await runCommand(world, "doctor", { deps: { db } });

    const expected = isGood
      ? `ok   database: PostgreSQL ${name}\n`
      : `FAIL database: PostgreSQL ${name} is too old: check that PostgreSQL 15 or newer runs at DATABASE_URL\n`;
    assert.ok(out.includes(expected), out);
  }
});

test("a database without migrations is reported and left unchanged", async () => {
  await using world = await createWorld();
  await using empty = await createEmptyDatabase();
  await using opened = new AsyncDisposableStack();
  const database = opened.adopt(openDatabase(empty.connectionString), async (one) => await one.close());

  const { exit, out } = await runCommand(world, "doctor", { deps: { db: database.db } });

  assert.equal(exit, 1);
  assert.match(out, /^ok {3}database: PostgreSQL/m);
  assert.match(out, /^FAIL migrations: the database is not current: run torikomi migrate$/m);
  assert.match(out, /^FAIL queue: the queue's schema is missing: run torikomi migrate$/m);
  assert.match(out, /^FAIL encryption keys: /m);
  assert.equal(await isCurrent(database.db), false);
});

test("an unreachable database is reported once, and checks that need it are skipped", async () => {
  await using world = await createWorld();
  await using opened = new AsyncDisposableStack();
  const nowhere = "postgres://torikomi:hidden@127.0.0.1:1/torikomi";
  const database = opened.adopt(openDatabase(nowhere), async (one) => await one.close());

  const { exit, out } = await runCommand(world, "doctor", { deps: { db: database.db } });

  assert.equal(exit, 1);
  assert.match(
    out,
    /^FAIL database: .*ECONNREFUSED.*: check that PostgreSQL 15 or newer runs at DATABASE_URL/m,
  );
  assert.match(out, /^FAIL migrations: not checked: fix the database first$/m);
  assert.match(out, /^ok {3}document store/m);
  assert.doesNotMatch(out, /hidden/);
});

test("tokens that no key decrypts are counted, and tokens of an older key are pointed out", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const [current] = world.config.encryptionKeys;
  assert.ok(current !== undefined);
  const newer = { id: "newer", key: Buffer.alloc(32, 7) };

  const lost = await runCommand(world, "doctor", { deps: { vault: createVault([newer]) } });
  const rotated = await runCommand(world, "doctor", { deps: { vault: createVault([newer, current]) } });

  assert.equal(lost.exit, 1);
  assert.match(
    lost.out,
    /^FAIL encryption keys: the tokens of 1 of 1 links cannot be decrypted: add the missing key/m,
  );
  assert.equal(rotated.exit, 0);
  assert.match(
    rotated.out,
    /^ok {3}encryption keys: .*1 encrypted with an older key: run torikomi reencrypt$/m,
  );
});

test("a standby is reported, since nothing can be written there", async () => {
  await using world = await createWorld();
  await using told = await openWith(world, "pg_is_in_recovery() returns boolean", "select true");

  const { exit, out } = await runCommand(world, "doctor", { deps: { db: told.db } });

  assert.equal(exit, 1);
  assert.match(
    out,
    /^FAIL primary: the database is a standby and accepts no writes: set DATABASE_URL to the address of the primary$/m,
  );
});

test("a pooler in transaction mode is found", async () => {
  await using world = await createWorld();
  await using server = await startTransactionPooler(world.database.connectionString);
  await using pooled = open(server.connectionString);

  const { out } = await runCommand(world, "doctor", { deps: { db: pooled.db } });

  assert.match(
    out,
    /^FAIL sessions: a pooler in transaction mode changes sessions between statements: connect to PostgreSQL directly/m,
  );
});

test("a clock that differs from the database's by more than a minute is found", async () => {
  await using world = await createWorld();
  const shifted = async (ms: number): Promise<string> =>
    (await runCommand(world, "doctor", { deps: { now: () => new Date(Date.now() + ms) } })).out;

  assert.match(await shifted(50_000), /^ok {3}clock: \d+\.\d s ahead of the database's$/m);
  assert.match(
    await shifted(70_000),
    /^FAIL clock: this machine's clock is \d+\.\d s ahead of the database's: synchronize the clocks of both machines$/m,
  );
  assert.match(
    await shifted(-70_000),
    /^FAIL clock: this machine's clock is \d+\.\d s behind the database's/m,
  );
});

/** The privilege that the role loses, the check that finds it, and the cause that it names. */
const LOST = [
  ["insert on graphile_worker._private_jobs", "queue", "permission denied for table _private_jobs"],
  ["insert on connect_event", "receiver", "permission denied for table connect_event"],
  ["insert on event_body", "receiver", "permission denied for table event_body"],
  ["select on change", "feed", "permission denied for table change"],
] as const;

test("the doctor and /readyz try what serving needs, so that missing privileges show", async () => {
  await using shared = await createSharedDatabase();
  await using world = await createWorld({
    database: { connectionString: shared.runtimeUrl, [Symbol.asyncDispose]: async () => {} },
  });
  await using owner = open(shared.ownerUrl);
  const policy = `policy "${shared.runtimeRole}" on graphile_worker._private_jobs`;
  const look = async (): Promise<string> => (await runCommand(world, "doctor")).out;
  // An answer of /readyz is shared for up to a second.
  const isSaid = async (cause: string): Promise<unknown> =>
    await until(
      async () => (await (await fetch(`${world.url}/readyz`)).text()).includes(cause),
      cause,
      5_000,
    );

  assert.match(await look(), /^ok {3}database role: .* Runtime may not change the schema$/m);
  await isSaid("ready");
  for (const [privilege, check, cause] of LOST) {
    await sql`revoke ${sql.raw(privilege)} from ${sql.id(shared.runtimeRole)}`.execute(owner.db);
    const out = await look();
    assert.ok(out.includes(`FAIL ${check}: ${cause}: run torikomi migrate\n`), out);
    await isSaid(cause);
    await sql`grant ${sql.raw(privilege)} to ${sql.id(shared.runtimeRole)}`.execute(owner.db);
  }
  await sql.raw(`drop ${policy}`).execute(owner.db);
  assert.match(
    await look(),
    /^FAIL queue: new row violates row-level security policy for table "_private_jobs"/m,
  );
  await isSaid("row-level security");
  assert.equal((await sql`select from graphile_worker.jobs`.execute(owner.db)).rows.length, 0);
});

test("many requests for /readyz at once try the database once", async () => {
  await using world = await createWorld();
  let tried = 0;
  interceptPool(world.service.foundation.serving.pool, async (statement, act) => {
    if (statement.includes("torikomi_queue.add_jobs(")) tried += 1;
    return await act();
  });

  const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(`${world.url}/readyz`)));

  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.ok(tried > 0 && tried < 10, String(tried));
});

test("a document store that cannot be written to is found", async () => {
  await using world = await createWorld();
  const folder = join(world.config.dataDir, "documents");
  await rm(folder, { recursive: true });
  await writeFile(folder, "");

  const { exit, out } = await runCommand(world, "doctor");

  assert.equal(exit, 1);
  assert.match(out, /^FAIL document store: documents can't be stored in .*: check DOCUMENT_STORE/m);
});

test("a document store that does not list its documents is found", async () => {
  await using world = await createWorld();
  const { documents } = world.service.foundation.tasks;
  const list = (): never => {
    throw new Error("AccessDenied");
  };

  const { exit, out } = await runCommand(world, "doctor", { deps: { documents: { ...documents, list } } });

  assert.equal(exit, 1);
  assert.match(
    out,
    /^FAIL document store: documents can't be listed \(AccessDenied\): check DOCUMENT_STORE/m,
  );
});

test("serve and work that do not share their documents are found", async () => {
  await using world = await createWorld();
  const { tasks } = world.service.foundation;
  const look = async (): Promise<string> => (await runCommand(world, "doctor")).out;

  const before = await look();
  await leaveMark(tasks, "work");
  const alone = await look();
  await leaveMark(tasks, "serve");
  const both = await look();

  assert.match(before, /^ok {3}shared documents: not checked: nothing is stored yet$/m);
  assert.match(
    alone,
    /^FAIL shared documents: nothing that serve stored can be read here: give serve and work the same/m,
  );
  assert.match(
    both,
    /^ok {3}shared documents: can be read: what serve stored at 2031-01-15T03:10:00.000Z, what work stored at 2031-/m,
  );
});

test("a document store that lacks the newest contract's bytes is found", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  const look = async (): Promise<string> => (await runCommand(world, "doctor")).out;

  const well = await look();
  await rm(join(world.config.dataDir, "documents"), { recursive: true });
  await world.restart();
  const empty = await look();

  assert.match(well, /^ok {3}shared documents: can be read: the newest contract$/m);
  assert.match(
    empty,
    /^FAIL shared documents: the document of the newest contract is missing or incomplete here: give serve and work/m,
  );
});

test("a wrong integration key or secret differs from a DocuSign that does not answer", async () => {
  await using world = await createWorld();
  const { docusign } = world.config;
  const oauth = createDocuSignOAuth({ ...docusign, clientSecret: "wrong", redirectUri: world.url });

  const wrong = await runCommand(world, "doctor", { deps: { oauth } });
  world.docusign.takeProblems();
  world.docusign.failNext(1, { status: 503 }, "/oauth/token");
  const silent = await runCommand(world, "doctor");

  assert.equal(wrong.exit, 1);
  assert.match(
    wrong.out,
    /^FAIL integration key: DocuSign rejects the integration key or its secret \(invalid_client\): check DOCUSIGN_CLIENT_ID/m,
  );
  assert.match(silent.out, /^FAIL integration key: DocuSign does not answer this \(DocuSign: http-503 /m);
});

test("a wrong secret of the page's client at the cabinet is found, whichever way it is sent", async () => {
  for (const clientAuth of ["client_secret_basic", "client_secret_post"] as const) {
    await using world = await createWorld();
    await using cabinet = await startCabinet({
      clientId: "page",
      clientSecret: "page-secret",
      redirectUris: [`${world.url}/sign-in/callback`],
      clientAuth,
    });
    const look = async (clientSecret: string): Promise<string> => {
      const client = createSignInIssuer({
        issuer: cabinet.issuer,
        clientId: "page",
        clientSecret,
        redirectUri: `${world.url}/sign-in/callback`,
        signedOutUrl: null,
        ...world.service.foundation,
      });
      const cabinetClient = { check: async () => await client.checkClient() };
      return (await runCommand(world, "doctor", { deps: { cabinetClient } })).out;
    };

    assert.match(await look("page-secret"), /^ok {3}cabinet client: the cabinet accepts it and its secret$/m);
    assert.match(
      await look("wrong"),
      /^FAIL cabinet client: the cabinet rejects the client or its secret .*: check CABINET_CLIENT_ID and CABINET_CLIENT_SECRET$/m,
      clientAuth,
    );
  }
});

test("without a client at the cabinet, the doctor says that there is no page", async () => {
  await using world = await createWorld();

  const { out } = await runCommand(world, "doctor", { deps: { cabinetClient: null } });

  assert.match(out, /^ok {3}cabinet client: not configured: nobody can sign in to the page$/m);
});

const NOWHERE = "http://127.0.0.1:1";
const LOGIN_ANSWERS: Failure[] = [
  { status: 503 },
  { status: 204 },
  { status: 302, headers: { Location: NOWHERE } },
];

test("a DocuSign that is down is found; one that answers with an error or a redirect is reachable", async () => {
  await using world = await createWorld();
  for (const answer of LOGIN_ANSWERS) {
    world.docusign.failNext(1, answer, "/oauth/auth");
    const { exit, out } = await runCommand(world, "doctor");
    assert.equal(exit, 0, out);
  }
  world.docusign.goDown();

  const down = await runCommand(world, "doctor");

  assert.equal(down.exit, 1);
  assert.match(down.out, /^FAIL DocuSign: fetch failed .*: check DOCUSIGN_OAUTH_URL/m);
});

test("a wrong issuer, an unreachable one and none are reported differently", async () => {
  await using world = await createWorld();
  const look = async (cabinetIssuer: string | null) =>
    await runCommand(world, "doctor", { deps: { cabinetIssuer } });

  const other = await look(world.cabinet.issuer.replace("127.0.0.1", "localhost"));
  const silent = await look(NOWHERE);
  const none = await look(null);

  assert.match(other.out, /^FAIL cabinet: its metadata names another issuer: .*: check CABINET_ISSUER/m);
  assert.match(silent.out, /^FAIL cabinet: fetch failed.*: check CABINET_ISSUER/m);
  assert.match(none.out, /^ok {3}cabinet: not configured: nobody can sign in to the API or the page$/m);
  assert.deepEqual([other.exit, silent.exit, none.exit], [1, 1, 0]);
});

test("a server at the cabinet's address that is not an issuer is found", async () => {
  await using world = await createWorld();
  let answer = { status: 404, body: "{}" };
  const server = createServer((_request, response) =>
    response.writeHead(answer.status, { "Content-Type": "application/json" }).end(answer.body),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  await using opened = new AsyncDisposableStack();
  opened.defer(async () => void (await once(server.close(), "close")));
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const cabinetIssuer = `http://127.0.0.1:${address.port}`;
  const look = async (): Promise<string> =>
    (await runCommand(world, "doctor", { deps: { cabinetIssuer } })).out;

  const missing = await look();
  answer = { status: 200, body: JSON.stringify({ issuer: cabinetIssuer }) };
  const other = await look();

  const advice = "check CABINET_ISSUER, and that this machine can reach it\n";
  assert.ok(
    missing.includes(
      `FAIL cabinet: ${cabinetIssuer} returned status 404 for its OpenID Connect metadata: ${advice}`,
    ),
    missing,
  );
  assert.ok(
    other.includes(`FAIL cabinet: ${cabinetIssuer} returned invalid OpenID Connect metadata: ${advice}`),
    other,
  );
});

test("trailing slashes in the configured issuer do not matter", async () => {
  await using world = await createWorld();
  const { issuer } = world.cabinet;
  for (const slashes of ["/", "//"]) {
    const cabinetIssuer = `${issuer}${slashes}`;

    const { exit, out } = await runCommand(world, "doctor", { deps: { cabinetIssuer } });

    assert.equal(exit, 0, out);
    assert.ok(out.includes(`ok   cabinet: ${issuer}${slashes} answers\n`), out);
  }
});

/** The world's database, where a function of the server answers differently. */
async function openWith(
  { database }: World,
  signature: string,
  body: string,
): Promise<OpenDatabase & AsyncDisposable> {
  const address = new URL(database.connectionString);
  address.searchParams.set("options", "-c search_path=told,pg_catalog,public");
  const opened = open(address.toString());
  await sql
    .raw(`create schema told; create function told.${signature} language sql as '${body}'`)
    .execute(opened.db);
  return opened;
}

function open(connectionString: string): OpenDatabase & AsyncDisposable {
  const database = openDatabase(connectionString);
  return { ...database, [Symbol.asyncDispose]: () => database.close() };
}

test("in production the public address must use https", async () => {
  await using world = await createWorld();
  const plain = await runCommand(world, "doctor", { deps: { production: true } });
  const encrypted = await runCommand(world, "doctor", {
    deps: { production: true, publicUrl: "https://torikomi.example" },
  });

  assert.equal(plain.exit, 1);
  assert.match(
    plain.out,
    /^FAIL public address: http:.* is not an https address: set PUBLIC_URL to an https address$/m,
  );
  assert.equal(encrypted.exit, 0);
});
