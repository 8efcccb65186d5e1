import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { sql } from "kysely";
import { type OpenDatabase, openDatabase } from "../../src/store/database.ts";
import { hasRows } from "../../src/store/upkeep/tenant-erasure.ts";
import { CUSTOMER, createLinkedCompanies, linkOf } from "../support/linked-world.ts";
import { createTestDatabase } from "../support/postgres.ts";
import type { World } from "../support/world.ts";

const MOVED = "tenant-1";
const NEIGHBOR = "tenant-2";

test("the statements of docs/scaling.md move a tenant into another database, where everything goes on", async () => {
  await using target = await createTestDatabase();
  await using place = await createLinkedCompanies();
  const { world, account, colleague } = place;
  const other = world.docusign.addAccount({ name: "株式会社乙" });
  const neighbor = world.docusign.addUser(other, { name: "田中", role: "DS Admin" });
  const conclude = async (from = colleague): Promise<void> => {
    await world.docusign.concludeEnvelope({ from, to: [CUSTOMER] });
    await world.runJobs();
  };
  for (let count = 0; count < 3; count += 1) await conclude();
  const api = await world.api(MOVED);
  const [first] = await world.contracts();
  assert.equal((await api.send("DELETE", `/v1/contracts/${first.id}`)).status, 204);
  await world.runJobs();
  const old = openDatabase(world.database.connectionString);
  const inNew = openDatabase(target.connectionString);
  const { databaseUrl } = world.config;

  // The new cell has a tenant of its own, whose rows have the same numbers.
  await world.restart({ databaseUrl: target.connectionString });
  assert.equal(await world.link(neighbor, { tenant: NEIGHBOR }), "linked");
  await world.runJobs();
  await conclude(neighbor);
  await world.restart({ databaseUrl });

  const { id } = await linkOf(world);
  assert.equal((await api.send("POST", "/v1/link/pause")).status, 200);
  const before = await observe(world);
  const statements = await readStatements({ TENANT: MOVED, LINK: id, ...oldCell(world) });
  await run(inNew, statements, "prepare");
  assert.equal((await run(inNew, statements, "objects")).length, 2);
  assert.deepEqual(await run(old, statements, "wait"), []);
  await run(inNew, statements, "copy");
  const counts = [await countRows(old), await countRows(inNew)];
  await run(old, statements, "forget");

  await world.restart({ databaseUrl: target.connectionString, publicUrl: `${world.url}/cell-b` });
  const after = await observe(world);
  assert.deepEqual(after["/v1/link"].connect, { sent: "pending", received: "pending" });
  before["/v1/link"].connect = after["/v1/link"].connect;
  assert.deepEqual(after, before);
  assert.deepEqual(counts[1], counts[0]);
  assert.equal(await hasRows(old.db, MOVED), false);
  const { next } = await changesAfter(world, 0);
  assert.equal((await api.send("POST", "/v1/link/resume")).status, 200);
  await world.runJobs();
  const addresses = world.docusign.configurations(account).map(({ urlToPublishTo }) => urlToPublishTo);
  assert.deepEqual(addresses, Array(2).fill(`${world.url}/cell-b/connect/${id}`));
  await conclude();
  await conclude(neighbor);
  const { items } = await changesAfter(world, next);
  assert.deepEqual(
    items.map(({ type }: { type: string }) => type).filter((type: string) => type !== "link"),
    ["imported"],
  );
  await world.runHour();
  assert.equal((await world.contracts()).length, 3);
  assert.equal((await world.contracts(NEIGHBOR)).length, 2);
  assert.equal((await linkOf(world)).state, "active");
  await old.close();
  await inNew.close();
});

/** Everything that the tenant's services can read. */
async function observe(world: World): Promise<any> {
  const api = await world.api(MOVED);
  const paths = ["/v1/link", "/v1/groups", "/v1/contracts?limit=200", "/v1/changes?after=0"];
  const answers = await Promise.all(paths.map(async (path) => (await api.get(path)).body));
  return Object.fromEntries(paths.map((path, index) => [path, answers[index]]));
}

async function changesAfter(world: World, after: number): Promise<any> {
  return (await (await world.api(MOVED)).get(`/v1/changes?after=${after}`)).body;
}

async function countRows({ db }: OpenDatabase): Promise<Record<string, number>> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
      and exists (select from pg_attribute where attrelid = pg_class.oid and attname in ('tenant', 'link_id'))`.execute(
    db,
  );
  const counts: Record<string, number> = {};
  for (const { name } of rows) {
    const found = await sql<{ count: number }>`
      select count(*)::int as count from ${sql.table(name)} as one where coalesce(
        to_jsonb(one) ->> 'tenant', (select tenant from link where id::text = to_jsonb(one) ->> 'link_id')
      ) = ${MOVED}`.execute(db);
    counts[name] = found.rows[0]?.count ?? 0;
  }
  const bodies = await sql<{ count: number }>`
    select count(*)::int as count from event_body join connect_event on connect_event.id = event_id
    join link on link.id = link_id where tenant = ${MOVED}`.execute(db);
  return { ...counts, event_body: bodies.rows[0]?.count ?? 0 };
}

function oldCell({ database }: World): Record<string, string> {
  const { hostname, port, pathname, username, password } = new URL(database.connectionString);
  return {
    OLD_HOST: hostname,
    OLD_PORT: port,
    OLD_DATABASE: pathname.slice(1),
    OLD_USER: username,
    OLD_PASSWORD: password,
  };
}

type Statements = ReadonlyMap<string, string>;

/** The blocks of the document by their names, with values in place of the words in capitals. */
async function readStatements(values: Readonly<Record<string, string>>): Promise<Statements> {
  const text = await readFile(new URL("../../docs/scaling.md", import.meta.url), "utf8");
  const blocks = text.matchAll(/```sql (\w+)\n(.*?)```/gs);
  const fill = (block: string): string =>
    Object.entries(values).reduce((filled, [word, value]) => filled.replaceAll(word, value), block);
  return new Map([...blocks].map(([, name = "", block = ""]) => [name, fill(block)]));
}

async function run({ pool }: OpenDatabase, statements: Statements, name: string): Promise<unknown[]> {
  const { rows } = await pool.query(statements.get(name) ?? assert.fail(`no block ${name}`));
  return rows;
}
