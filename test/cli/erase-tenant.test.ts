import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { sql } from "kysely";
import type { Database } from "../../src/store/database.ts";
import { createBrowser } from "../support/browser.ts";
import { copyDatabase } from "../support/database-copy.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  historyOf,
  subjects,
} from "../support/linked-world.ts";
import type { World } from "../support/world.ts";
import { runCommand } from "./commands.ts";

const ERASE = "erase-tenant tenant-1 --yes";
const OTHER = "tenant-2";

test("erase-tenant leaves neither a name, address, id nor byte of the tenant, except its tombstone", async () => {
  await using companies = await createBusyCompanies();
  const { world } = companies;
  const needles = await needlesOf(companies);
  assert.ok(needles.length > 20);
  const before = await world.contracts(OTHER);

  const { exit, out } = await runCommand(world, ERASE);

  assert.deepEqual([exit, out.split("\n")[0]], [0, "erased tenant-1"]);
  assert.match(out, /documents +6\n/);
  assert.match(out, /rows .*contract 4/);
  const { db } = world.service.foundation.working;
  assert.deepEqual(await findInTables(db, needles), ["erased_tenant: tenant-1"]);
  assert.deepEqual(await findInStore(world, needles), ["deleted/2031-01-15/tenant: tenant-1"]);
  assert.deepEqual(companies.world.docusign.configurations(companies.account), []);
  assert.deepEqual(await world.contracts(OTHER), before);
  assert.equal((await (await world.api(OTHER)).get(`/v1/contracts/${before[0].id}/document`)).status, 200);
});

test("the id of an erased tenant can be used again", async () => {
  await using companies = await createBusyCompanies();
  const { world, admin } = companies;
  assert.equal((await runCommand(world, ERASE)).exit, 0);

  assert.equal(await world.link(admin), "linked");
  await world.runJobs();
  await world.runHour();

  assert.equal((await historyOf(world)).length, 1);
  assert.deepEqual(await subjects(world), ["deleted", "heard", "received", "unheard"]);
  assert.equal((await runCommand(world, ERASE)).exit, 0);
  assert.equal((await runCommand(world, ERASE)).out, "there is no data of tenant-1\n");
});

test("while DocuSign cannot be reached erase-tenant erases nothing, unless it is forced", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "kept" });
  await world.runJobs();
  world.docusign.goDown();

  const refused = await runCommand(world, ERASE);

  assert.equal(refused.exit, 75);
  assert.match(refused.out, /^nothing was erased: DocuSign .*--force/);
  assert.deepEqual(await subjects(world), ["kept"]);
  assert.deepEqual(await keysOf(world, "deleted"), []);
  assert.equal((await runCommand(world, `${ERASE} --force`)).exit, 0);
  world.docusign.comeUp();
  assert.deepEqual(await world.contracts(), []);
  assert.equal(world.docusign.configurations(account).length, 2);
});

test("an interrupted erasure is continued by the next run", async () => {
  await using companies = await createBusyCompanies();
  const { world } = companies;
  const needles = await needlesOf(companies);
  const { db } = world.service.foundation.working;
  await refuseDeletions(db);
  await assert.rejects(runCommand(world, ERASE), /interrupted/);
  assert.equal((await keysOf(world, "contracts")).length, 2, "documents go first");
  await allowDeletions(db);

  const { exit } = await runCommand(world, ERASE);

  assert.equal(exit, 0);
  assert.deepEqual(await findInTables(db, needles), ["erased_tenant: tenant-1"]);
});

test("an erasure is repeated within the hour after the database was set back, except for a tenant that is in use again", async () => {
  await using companies = await createBusyCompanies({ expectErrors: true });
  const { world, admin } = companies;
  const needles = await needlesOf(companies);
  const { db } = world.service.foundation.working;
  const copy = await copyDatabase(db);
  assert.equal((await runCommand(world, ERASE)).exit, 0);

  await copy.restore();
  await world.runHour();
  assert.deepEqual(await findInTables(db, needles), ["erased_tenant: tenant-1"]);

  await sql`delete from erased_tenant`.execute(db);
  assert.equal(await world.link(admin), "linked");
  await world.runHour();
  assert.equal((await historyOf(world)).length, 1);
});

for (const [line, message] of [
  ["erase-tenant tenant-1", /needs --yes/],
  ["erase-tenant --yes", /needs the id of a tenant/],
  ["erase-tenant tenant-1 tenant-2 --yes", /too many arguments/],
] as const)
  test(`a usage error erases nothing: ${line}`, async () => {
    await using companies = await createLinkedCompanies();

    await assert.rejects(runCommand(companies.world, line), message);

    assert.equal((await historyOf(companies.world)).length, 1);
  });

/** A tenant with something in every table that a customer fills, and another tenant that stays. */
async function createBusyCompanies(options: { expectErrors?: boolean } = {}): Promise<Companies> {
  const companies = await createLinkedCompanies(options);
  const { world, admin, colleague, partner } = companies;
  const { docusign } = world;
  const api = await world.api();
  assert.equal((await api.send("PATCH", "/v1/link", { certificates: true })).status, 200);
  await docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    subject: "heard",
    documents: [{ name: "一.pdf" }],
  });
  await docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "deleted" });
  const forwarded = await docusign.sendEnvelope({ from: partner, to: [admin], subject: "received" });
  await docusign.reassign(forwarded, admin, colleague);
  await docusign.completeEnvelope(forwarded);
  await world.runJobs();
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "unheard" });
  await world.runHour();
  const deleted = (await world.contracts()).find(({ source }) => source.subject === "deleted");
  assert.equal((await api.send("DELETE", `/v1/contracts/${deleted.id}`)).status, 204);
  await world.runJobs();
  world.cabinet.nextSignIn(world.owner());
  await createBrowser().get(`${world.url}/links`);
  await api.get("/v1/envelopes/0f8fad5b-d9cb-469f-a165-70867728950e");
  await api.get("/v1/changes");
  world.clock.now = new Date("2031-01-15T05:00:00Z");

  const account = docusign.addAccount({ name: "株式会社乙" });
  const other = docusign.addUser(account, { name: "田中", role: "DS Admin" });
  assert.equal(await world.link(other, { tenant: OTHER }), "linked");
  await world.runJobs();
  await docusign.concludeEnvelope({ from: other, to: [CUSTOMER], subject: "other" });
  await docusign.concludeEnvelope({ from: other, to: [CUSTOMER], subject: "another" });
  await world.runJobs();
  return companies;
}

/** Whatever would give the tenant away: its ids, those of its account, users and envelopes, names and addresses. */
async function needlesOf({ world, account, admin, colleague }: Companies): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id::text from link where tenant = 'tenant-1' union all
    select id::text from contract where tenant = 'tenant-1' union all
    select sha256 from contract where tenant = 'tenant-1' union all
    select document_key from contract where tenant = 'tenant-1' union all
    select envelope_id::text from envelope where tenant = 'tenant-1'`.execute(
    world.service.foundation.working.db,
  );
  const people = [admin, colleague].flatMap(({ userId, name, email }) => [userId, name, email]);
  return ["tenant-1", account.accountId, "株式会社甲", "一.pdf", ...people, ...rows.map(({ id }) => id)].map(
    (needle) => needle.toLowerCase(),
  );
}

/** `table: needle` for each table that holds one, in any schema. */
async function findInTables(db: Database, needles: readonly string[]): Promise<string[]> {
  const { rows: tables } = await sql<{ schema: string; name: string }>`
    select nspname as schema, relname as name from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'm') and nspname not in ('pg_catalog', 'information_schema')
      and nspname not like 'pg_toast%' and nspname <> 'before'`.execute(db);
  const found: string[] = [];
  for (const { schema, name } of tables) {
    const { rows } = await sql<{ row: string }>`
      select row_to_json(t)::text as row from ${sql.id(schema, name)} as t`.execute(db);
    found.push(...matches(name, rows.map(({ row }) => decodeBytes(row)).join("\n"), needles));
  }
  return found;
}

/** PostgreSQL shows bytes in hexadecimal. */
function decodeBytes(row: string): string {
  return row.replace(/\\\\x([0-9a-f]*)/g, (_all, hex: string) => Buffer.from(hex, "hex").toString());
}

async function findInStore(world: World, needles: readonly string[]): Promise<string[]> {
  const { documents } = world.service.foundation.tasks;
  const found: string[] = [];
  for (const key of await keysOf(world)) {
    const stream = await documents.open(key);
    assert.ok(stream);
    const name = key.replace(/\/[0-9a-f]{32}\//, "/");
    found.push(...matches(name, `${key}\n${await text(stream)}`, needles));
  }
  return found;
}

function matches(place: string, content: string, needles: readonly string[]): string[] {
  const lower = content.toLowerCase();
  return needles.filter((needle) => lower.includes(needle)).map((needle) => `${place}: ${needle}`);
}

async function keysOf({ service }: World, under?: string): Promise<string[]> {
  const listed = await Array.fromAsync(service.foundation.tasks.documents.list(under));
  return listed.map(({ key }) => key).sort();
}

async function refuseDeletions(db: Database): Promise<void> {
  await sql`create function interrupt() returns trigger language plpgsql as $$ begin raise 'interrupted'; end $$`.execute(
    db,
  );
  await sql`create trigger interrupt before delete on link for each row execute function interrupt()`.execute(
    db,
  );
}

async function allowDeletions(db: Database): Promise<void> {
  await sql`drop function interrupt() cascade`.execute(db);
}
