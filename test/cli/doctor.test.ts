import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openDatabase } from "../../src/store/database.ts";
import { isCurrent } from "../../src/store/migrate.ts";
import { createVault } from "../../src/store/vault.ts";
import { createLinkedCompanies } from "../support/linked-world.ts";
import { createEmptyDatabase } from "../support/postgres.ts";
import { createWorld } from "../support/world.ts";
import { depsOf, runCommand } from "./commands.ts";

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

test("where all is well each check says ok in a line of its own", async () => {
  await using companies = await createLinkedCompanies();

  const { exit, out } = await runCommand(companies.world, "doctor");

  const lines = out.trimEnd().split("\n");
  assert.equal(exit, 0, out);
  assert.deepEqual(
    lines.map((line) => /^ok {3}([^:]+): ./.exec(line)?.[1]),
    CHECKS,
  );
});

test("a database that is not migrated is found, and left as it is", async () => {
  await using world = await createWorld();
  await using empty = await createEmptyDatabase();
  await using opened = new AsyncDisposableStack();
  const database = opened.adopt(openDatabase(empty.connectionString), async (one) => await one.close());

  const { exit, out } = await runCommand(world, "doctor", { deps: { db: database.db } });

  assert.equal(exit, 1);
  assert.match(out, /^ok {3}database: PostgreSQL/m);
  assert.match(out, /^FAIL migrations: the database is not current: run torikomi migrate$/m);
  assert.match(out, /^FAIL queue: .*: run torikomi migrate$/m);
  assert.match(out, /^FAIL encryption keys: /m);
  assert.equal(await isCurrent(database.db), false);
});

test("a database that can't be reached is said once, what needs it is not looked at", async () => {
  await using world = await createWorld();
  await using opened = new AsyncDisposableStack();
  const nowhere = "postgres://torikomi:hidden@127.0.0.1:1/torikomi";
  const database = opened.adopt(openDatabase(nowhere), async (one) => await one.close());

  const { exit, out } = await runCommand(world, "doctor", { deps: { db: database.db } });

  assert.equal(exit, 1);
  assert.match(out, /^FAIL database: .*ECONNREFUSED.*: check DATABASE_URL/m);
  assert.match(out, /^FAIL migrations: not checked: the database comes first$/m);
  assert.match(out, /^ok {3}document store/m);
  assert.doesNotMatch(out, /hidden/);
});

test("tokens that no key opens are counted, those of an older key are pointed out", async () => {
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
    /^FAIL encryption keys: the tokens of 1 of 1 links can't be opened: add the missing key/m,
  );
  assert.equal(rotated.exit, 0);
  assert.match(rotated.out, /^ok {3}encryption keys: .*1 sealed with an older key: torikomi reencrypt$/m);
});

test("a document store that can't be written to is found", async () => {
  await using world = await createWorld();
  const folder = join(world.config.dataDir, "documents");
  await rm(folder, { recursive: true });
  await writeFile(folder, "");

  const { exit, out } = await runCommand(world, "doctor");

  assert.equal(exit, 1);
  assert.match(out, /^FAIL document store: documents can't be stored in .*: check DOCUMENT_STORE/m);
});

test("a DocuSign that is down is found, one that answers with an error is there", async () => {
  await using world = await createWorld();
  world.docusign.failNext(1, { status: 503 }, "/oauth/auth");
  const ill = await runCommand(world, "doctor");
  world.docusign.goDown();

  const down = await runCommand(world, "doctor");

  assert.equal(ill.exit, 0);
  assert.equal(down.exit, 1);
  assert.match(down.out, /^FAIL DocuSign: fetch failed .*: check DOCUSIGN_OAUTH_URL/m);
});

test("a cabinet that is another, silent or none is told apart", async () => {
  await using world = await createWorld();
  const { settings } = depsOf(world);
  const look = async (cabinetIssuer: string | null) =>
    await runCommand(world, "doctor", { deps: { settings: { ...settings, cabinetIssuer } } });

  const other = await look(world.cabinet.issuer.replace("127.0.0.1", "localhost"));
  const silent = await look("http://127.0.0.1:1");
  const none = await look(null);

  assert.match(other.out, /^FAIL cabinet: it calls itself .*: check CABINET_ISSUER/m);
  assert.match(silent.out, /^FAIL cabinet: fetch failed.*: check CABINET_ISSUER/m);
  assert.deepEqual([other.exit, silent.exit, none.exit], [1, 1, 0]);
});

test("a cabinet whose issuer is written with a slash at its end is the one it calls itself without", async () => {
  await using world = await createWorld();
  const { issuer } = world.cabinet;
  const settings = { ...depsOf(world).settings, cabinetIssuer: `${issuer}/` };

  const { exit, out } = await runCommand(world, "doctor", { deps: { settings } });

  assert.equal(exit, 0, out);
  assert.ok(out.includes(`ok   cabinet: ${issuer}/ answers\n`), out);
});

test("in production the public address has to be encrypted", async () => {
  await using world = await createWorld();
  const settings = { ...depsOf(world).settings, production: true };

  const plain = await runCommand(world, "doctor", { deps: { settings } });
  const encrypted = await runCommand(world, "doctor", {
    deps: { settings: { ...settings, publicUrl: "https://torikomi.example" } },
  });

  assert.equal(plain.exit, 1);
  assert.match(
    plain.out,
    /^FAIL public address: http:.* is not encrypted: set PUBLIC_URL to an https address$/m,
  );
  assert.equal(encrypted.exit, 0);
});
