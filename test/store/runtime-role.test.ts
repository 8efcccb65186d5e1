import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { runMigrations } from "graphile-worker";
import { Kysely, PostgresDialect } from "kysely";
import { type OpenDatabase, openDatabase } from "../../src/store/database.ts";
import { migrateTo } from "../../src/store/migrate.ts";
import { type Privilege, privilegesFor } from "../../src/store/privileges.ts";
import { grantRuntimeRole, listRelations, RuntimeRoleUnfit } from "../../src/store/runtime-role.ts";
import type { DB } from "../../src/store/schema.ts";
import { createSharedDatabase, createUnsharedDatabase, migrateTestDatabase } from "../support/postgres.ts";
import { silentWorkerLog } from "../support/silent-worker-log.ts";
import { until } from "../support/waiting.ts";

test("the runtime role has exactly its privileges on every table, view and sequence", async () => {
  await using shared = await createSharedDatabase();
  await using owner = open(shared.ownerUrl);

  const relations = await listRelations(owner.db, shared.runtimeRole);

  assert.ok(relations.length > 20);
  for (const relation of relations) {
    const wanted = privilegesFor(relation);
    const name = `${relation.schema}.${relation.name}`;
    assert.ok(
      wanted,
      `${name} has no entry in src/store/privileges.ts: list what serving and working do with it`,
    );
    assert.deepEqual(relation.held, [...wanted].sort(), name);
    assert.equal(relation.isGuarded && wanted.length > 0, false, `row-level security hides ${name}`);
  }
});

test("while a migration builds indexes, processes of the previous version already use its new tables", async () => {
  await using shared = await createUnsharedDatabase();
  await using owner = open(shared.ownerUrl);
  await using runtime = open(shared.runtimeUrl);
  await runMigrations({ pgPool: owner.pool, logger: silentWorkerLog });
  for (const name of (await readdir(new URL("../../migrations/", import.meta.url))).sort())
    if (name < "0007") await migrateTo(owner.db, name.replace(/\.ts$/, ""));
  await grantRuntimeRole(owner.db, shared.runtimeRole);
  await owner.pool.query(await readFile(new URL("../fixtures/migrations/0001.sql", import.meta.url), "utf8"));
  const old = await owner.pool.connect();
  // An index that is built concurrently waits for older transactions that wrote.
  await old.query("begin isolation level repeatable read; select txid_current(), count(*) from link");

  const migrating = migrateTestDatabase(shared.ownerUrl, shared.runtimeRole);
  const isBuilding = `select from pg_stat_activity
    where pid <> pg_backend_pid() and query like 'create index concurrently%' and datname = current_database()`;
  await until(async () => (await owner.pool.query(isBuilding)).rowCount === 1, "the index");
  await runtime.pool.query("update link set cause = 'group-missing', state = 'error' where state <> 'ended'");
  await old.query("commit");
  old.release();
  await migrating;

  const { rows } = await owner.pool.query("select from feed_note where note ->> 'cause' = 'group-missing'");
  assert.ok(rows.length > 0);
  const defaults = await owner.pool.query("select from pg_default_acl");
  assert.equal(defaults.rowCount, 0);
});

test("another run grants what is missing, revokes what is needless, and then changes nothing", async () => {
  await using shared = await createSharedDatabase();
  await using owner = open(shared.ownerUrl);
  const before = await listRelations(owner.db, shared.runtimeRole);
  const role = `"${shared.runtimeRole}"`;
  await owner.pool.query(`
    create table of_the_operator ();
    grant select on of_the_operator to ${role};
    grant all on contract, kysely_migration_lock to ${role};
    grant all on sequence change_sequence to ${role};
    grant create on schema graphile_worker to ${role};
    revoke all on link, graphile_worker._private_jobs from ${role};
    drop policy ${role} on graphile_worker._private_jobs`);
  const statements: string[] = [];
  const listening = new Kysely<DB>({
    dialect: new PostgresDialect({ pool: owner.pool }),
    log: ({ query }) => void statements.push(query.sql),
  });

  await grantRuntimeRole(listening, shared.runtimeRole);
  const after = await listRelations(owner.db, shared.runtimeRole);
  const changes = statements.splice(0).filter(isChange);
  await grantRuntimeRole(listening, shared.runtimeRole);

  assert.deepEqual(
    after.filter(({ name }) => name !== "of_the_operator"),
    before,
  );
  assert.deepEqual(after.find(({ name }) => name === "of_the_operator")?.held, ["SELECT"]);
  assert.equal(changes.length, 7, changes.join("\n"));
  assert.deepEqual(statements.filter(isChange), []);
});

test("a role that does not exist or cannot be limited is refused before anything changes", async () => {
  await using shared = await createUnsharedDatabase();
  await using admin = open(shared.adminUrl);
  await using owner = open(shared.ownerUrl);
  const role = `"${shared.runtimeRole}"`;
  const ownerRole = new URL(shared.ownerUrl).username;
  const refused = async (name: string): Promise<string> => {
    const error = await migrateTestDatabase(shared.ownerUrl, name).catch((fault: unknown) => fault);
    assert.ok(error instanceof RuntimeRoleUnfit, String(error));
    return error.message;
  };

  assert.equal(
    await refused("nobody"),
    'DATABASE_RUNTIME_ROLE: the role "nobody" does not exist: create it, then migrate again',
  );
  assert.match(
    await refused(ownerRole),
    /is the role that migrates, or a member of it: use a different one$/,
  );
  await admin.pool.query(`grant "${ownerRole}" to ${role}`);
  assert.match(await refused(shared.runtimeRole), /is the role that migrates, or a member of it/);
  await admin.pool.query(`revoke "${ownerRole}" from ${role}; alter role ${role} bypassrls`);
  assert.match(await refused(shared.runtimeRole), /is a superuser or bypasses row-level security/);
  await admin.pool.query(`alter role ${role} nobypassrls superuser`);
  assert.match(await refused(shared.runtimeRole), /is a superuser or bypasses row-level security/);
  const { rows } = await owner.pool.query("select 1 from pg_tables where schemaname = 'public'");
  assert.deepEqual(rows, []);
});

test("functions that run with their owner's rights find temporary objects last, since any role may create those", async () => {
  await using shared = await createSharedDatabase();
  await using owner = open(shared.ownerUrl);

  const { rows } = await owner.pool.query<{ name: string; path: string | null }>(`
    select proname as name,
      (select setting from unnest(proconfig) as setting where setting like 'search_path=%') as path
    from pg_proc where prosecdef and pronamespace <> 'pg_catalog'::regnamespace`);

  for (const { name, path } of rows) assert.match(path ?? "", /, pg_temp$/, name);
});

test("each table that the program writes in a way has the privilege for it", async () => {
  const source = new URL("../../src/", import.meta.url);
  const files = (await readdir(source, { recursive: true })).filter((name) => name.endsWith(".ts"));
  const found = new Set<string>();
  for (const file of files) {
    const text = await readFile(new URL(file, source), "utf8");
    for (const [privilege, pattern] of WRITES) {
      for (const [, name = ""] of text.matchAll(pattern)) {
        const wanted = privilegesFor({ schema: "public", name, partitionOf: null, isIdentity: false });
        if (wanted === null) continue;
        assert.ok(
          wanted.includes(privilege),
          `${file} needs ${privilege} on ${name}: add it to src/store/privileges.ts`,
        );
        found.add(name);
      }
    }
  }
  assert.ok(found.size > 15);
});

const WRITES: readonly (readonly [Privilege, RegExp])[] = [
  ["INSERT", /insertInto\("(\w+)"\)/g],
  ["INSERT", /\binsert into (\w+)/g],
  ["UPDATE", /updateTable\("(\w+)"\)/g],
  ["UPDATE", /\bupdate (\w+)\s+(?:as \w+\s+)?set\b/g],
  ["DELETE", /deleteFrom\("(\w+)"\)/g],
  ["DELETE", /\bdelete from (\w+)/g],
];

const FORBIDDEN = [
  "create table stray ()",
  "create temporary table stray ()",
  "create schema stray",
  "create function stray() returns void language sql as ''",
  "alter table link add column stray text",
  "drop table link",
  "truncate contract",
  "delete from contract",
  "delete from audit",
  "update audit set subject = ''",
  "delete from change",
  "insert into kysely_migration values ('stray', '')",
  "create policy stray on graphile_worker._private_jobs",
  "alter table graphile_worker._private_jobs disable row level security",
  "create table graphile_worker.stray ()",
  "create function torikomi_queue.stray() returns void language sql as ''",
  "create role stray",
];

test("the runtime role can change neither the schema nor what must never go", async () => {
  await using shared = await createSharedDatabase();
  await using runtime = open(shared.runtimeUrl);

  for (const statement of FORBIDDEN)
    await assert.rejects(runtime.pool.query(statement), { code: "42501" }, statement);
});

function open(connectionString: string): OpenDatabase & AsyncDisposable {
  const database = openDatabase(connectionString, { max: 2 });
  return { ...database, [Symbol.asyncDispose]: () => database.close() };
}

function isChange(statement: string): boolean {
  return /^\s*(grant|revoke|create|alter)/.test(statement);
}
