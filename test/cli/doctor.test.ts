import assert from "node:assert/strict";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { sql } from "kysely";
import { openDatabase } from "../../src/store/database.ts";
import { createVault } from "../../src/store/links/vault.ts";
import { isCurrent } from "../../src/store/migrate.ts";
import type { Failure } from "../support/docusign/faults.ts";
import { createLinkedCompanies } from "../support/linked-world.ts";
import { createEmptyDatabase } from "../support/postgres.ts";
import { createWorld } from "../support/world.ts";
import { runCommand } from "./commands.ts";

const CHECKS = [
  "configuration",
  "database",
  "migrations",
  "queue",
  "encryption keys",
  "document store",
  "DocuSign",
  "cabinet",
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

test("a document store that cannot be written to is found", async () => {
  await using world = await createWorld();
  const folder = join(world.config.dataDir, "documents");
  await rm(folder, { recursive: true });
  await writeFile(folder, "");

  const { exit, out } = await runCommand(world, "doctor");

  assert.equal(exit, 1);
  assert.match(out, /^FAIL document store: documents can't be stored in .*: check DOCUMENT_STORE/m);
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
