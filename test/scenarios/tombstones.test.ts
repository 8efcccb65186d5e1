import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { json } from "node:stream/consumers";
import { test } from "node:test";
import { sql } from "kysely";
import { pino } from "pino";
import { startService } from "../../src/service.ts";
import { applyRecentTombstones } from "../../src/usecases/deletions/apply-tombstones.ts";
import { runCommand } from "../cli/commands.ts";
import { minimalEvent, post } from "../support/connect.ts";
import { copyDatabase } from "../support/database-copy.ts";
import { countTokens, isRemoval, UNNAMED } from "../support/link-changes.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  endLink,
  fateOf,
  historyOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { allowWrites, refuseWrites } from "../support/refused-writes.ts";
import type { World } from "../support/world.ts";

const HOUR_MS = 60 * 60 * 1000;

test("a deleted contract leaves a tombstone that holds ids and times only", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const contract = await importOne(companies, "契約");

  assert.equal(await remove(world, contract.id), 204);

  const [key = "", ...others] = await tombstones(world);
  assert.deepEqual(others, []);
  assert.match(key, new RegExp(`^deleted/2031-01-15/[0-9a-f]{32}/contract-${contract.id}$`));
  assert.deepEqual(await contentOf(world, key), {
    kind: "contract",
    id: contract.id,
    tenant: "tenant-1",
    envelopeId: contract.source.envelopeId,
    documentId: contract.source.documentId,
    deletedAt: "2031-01-15T03:10:00.000Z",
  });
});

test("an ended link leaves a tombstone with its windows, written before its configurations are removed", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { id } = await linkOf(world);
  let before: string[] = [];
  world.docusign.onNext(isRemoval, async () => {
    before = await tombstones(world);
  });

  assert.equal((await endLink(world)).status, 204);

  const [key = ""] = await tombstones(world);
  assert.deepEqual(before, [key]);
  const [ended] = await historyOf(world);
  const content = await contentOf(world, key);
  assert.deepEqual(Object.keys(content).sort(), [
    "accountId",
    "deletedAt",
    "id",
    "kind",
    "receivedFrom",
    "receivedUntil",
    "sentFrom",
    "sentUntil",
    "tenant",
    "userId",
  ]);
  assert.deepEqual([content.id, content.deletedAt], [id, ended.endedAt]);
  assert.equal(content.sentUntil, ended.endedAt);
});

test("if the document store takes no tombstone, a contract's deletion gets 503 and changes nothing", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { id } = await importOne(companies, "kept");
  const before = await stateOf(world);

  const allow = await refuseTombstones(world);
  assert.equal(await remove(world, id), 503);

  assert.deepEqual(await stateOf(world), before);
  assert.equal((await (await world.api()).get(`/v1/contracts/${id}/document`)).status, 200);
  await allow();
  assert.equal(await remove(world, id), 204);
});

test("if the document store takes no tombstone, the end of a link gets 503 and the link works on", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;
  const before = world.docusign.configurations(account);

  const allow = await refuseTombstones(world);
  assert.equal((await endLink(world)).status, 503);
  await allow();

  assert.deepEqual(world.docusign.configurations(account), before);
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "later" });
  await world.runHour();
  assert.deepEqual(await subjects(world), ["later"]);
  assert.equal((await linkOf(world)).state, "active");
});

test("a link whose deletion fails at DocuSign keeps no tombstone", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  world.docusign.failNext(1, { status: 400, ...UNNAMED }, isRemoval);

  assert.equal((await endLink(world)).status, 502);

  assert.deepEqual(await tombstones(world), []);
  await world.runHour();
  assert.equal((await linkOf(world)).state, "active");
});

test("a deletion whose commit fails is completed within the hour, and counts as no set-back", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world } = companies;
  const { id } = await importOne(companies, "half deleted");
  const { db } = world.service.foundation.working;
  await refuseWrites(db, "change");
  assert.equal(await remove(world, id), 500);
  await allowWrites(db, "change");
  assert.equal((await world.contracts()).length, 1);

  await world.runHour();

  assert.deepEqual(await world.contracts(), []);
  assert.deepEqual(await restoredEntries(world), []);
  assert.deepEqual(await bytesIn(world), []);
});

test("the end of a link whose process dies before the commit is completed within the hour", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world, account } = companies;
  const { db, documents } = world.service.foundation.tasks;
  let written: [string, unknown] = ["", null];
  world.docusign.onNext(isRemoval, async () => {
    const [key = ""] = await tombstones(world);
    written = [key, await contentOf(world, key)];
  });
  await refuseWrites(db, "audit");
  assert.equal((await endLink(world)).status, 500);
  await allowWrites(db, "audit");
  assert.deepEqual(await tombstones(world), [], "a living process withdraws it");
  const [key, content] = written;
  await documents.put(key, Readable.from([Buffer.from(JSON.stringify(content))]));

  await world.runHour();

  const [ended] = await historyOf(world);
  assert.equal(ended.state, "ended");
  assert.equal(ended.endedAt, "2031-01-15T03:10:00.000Z");
  assert.deepEqual(world.docusign.configurations(account), []);
  assert.deepEqual(await restoredEntries(world), []);
});

test("after the database was set back, deleted contracts stay deleted, also those that it has never seen", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world } = companies;
  const old = await importOne(companies, "old");
  const copy = await copyDatabase(world.service.foundation.working.db);
  const newestKnown = world.clock.now.toISOString();
  world.clock.pass(60_000);
  const young = await importOne(companies, "young");
  const kept = await importOne(companies, "kept");
  for (const { id } of [old, young]) assert.equal(await remove(world, id), 204);
  await copy.restore();

  await world.runHour();

  assert.deepEqual(await subjects(world), ["kept"]);
  assert.equal((await world.contracts())[0].id, kept.id);
  assert.equal(await fateOf(world, young.source), "deleted deleted-in-cabinet");
  for (const { id } of [old, young]) {
    assert.equal((await (await world.api()).get(`/v1/contracts/${id}`)).status, 404);
    assert.equal(await remove(world, id), 204);
  }
  assert.deepEqual(
    (await feed(world)).map(({ type, contract }: any) => `${type} ${contract.source.subject}`).sort(),
    ["deleted old", "deleted young", "imported kept", "imported old"],
  );
  assert.deepEqual(await restoredEntries(world), [newestKnown]);
  await world.runHour();
  assert.deepEqual(await restoredEntries(world), [newestKnown], "it is noticed once");
});

test("a tombstone that cannot be read keeps no other one from being applied", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world } = companies;
  const { id } = await importOne(companies, "gone");
  const copy = await copyDatabase(world.service.foundation.working.db);
  assert.equal(await remove(world, id), 204);
  const [key = ""] = await tombstones(world);
  const broken = key.replace(/.{36}$/, "00000000-0000-4000-8000-000000000000");
  await world.service.foundation.tasks.documents.put(broken, Readable.from([Buffer.from("{")]));
  await copy.restore();

  await world.runHour();

  assert.deepEqual(await world.contracts(), []);
  assert.match(world.logged.join(), /a tombstone could not be read.*|the object deleted/);
  const now = world.clock.now.toISOString();
  await assert.rejects(runCommand(world, `restored --to ${now}`), /is not a tombstone/);
});

test("torikomi reconcile imports nothing that was deleted before a restore", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world } = companies;
  const copy = await copyDatabase(world.service.foundation.working.db);
  const { id } = await importOne(companies, "gone");
  assert.equal(await remove(world, id), 204);
  await copy.restore();
  world.clock.pass(60_000);

  assert.equal((await runCommand(world, "reconcile")).exit, 0);

  assert.deepEqual(await world.contracts(), []);
  assert.deepEqual(
    (await feed(world)).map(({ type }) => type),
    ["deleted"],
  );
});

test("one document of an envelope can stay deleted while the others are imported again", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world, colleague } = companies;
  const copy = await copyDatabase(world.service.foundation.working.db);
  await world.docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    documents: [{ name: "one.pdf" }, { name: "two.pdf" }],
  });
  await world.runJobs();
  const [one, two] = await world.contracts();
  assert.equal(await remove(world, one.id), 204);
  await copy.restore();
  const downloads = world.docusign.calls.length;

  await world.runHour();

  assert.deepEqual(
    (await world.contracts()).map(({ id }) => id),
    [two.id],
  );
  assert.equal(await fateOf(world, two.source), "imported sent");
  const fetched = world.docusign.calls
    .slice(downloads)
    .filter(({ template }) => template.includes("/documents/"));
  assert.equal(fetched.length, 1, "the deleted document is not downloaded again");
});

test("after the database was set back, an ended link imports nothing, and the next one imports what was lost", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world, admin } = companies;
  await importOne(companies, "before");
  const { id } = await linkOf(world);
  const copy = await copyDatabase(world.service.foundation.working.db);
  world.clock.pass(60_000);
  await importOne(companies, "lost");
  world.clock.pass(60_000);
  assert.equal((await endLink(world)).status, 204);
  const endedAt = world.clock.now.toISOString();
  await concludeUnheard(world, { from: admin, to: [CUSTOMER], subject: "after" });
  await copy.restore();

  await world.runHour();

  assert.deepEqual(await subjects(world), ["before"]);
  assert.equal(await countTokens(world), 0);
  const [ended] = await historyOf(world);
  assert.deepEqual([ended.state, ended.endedAt], ["ended", endedAt]);
  assert.equal((await post(world, id, minimalEvent())).status, 410);
  assert.equal(await world.link(admin), "linked");
  await world.runJobs();
  assert.deepEqual(await subjects(world), ["after", "before", "lost"]);
});

test("a link that was created and ended after the moment of the set-back is remembered once", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world, admin } = companies;
  assert.equal((await endLink(world)).status, 204);
  const copy = await copyDatabase(world.service.foundation.working.db);
  world.clock.pass(60_000);
  assert.equal(await world.link(admin), "linked");
  assert.equal((await endLink(world)).status, 204);
  await copy.restore();

  await world.runHour();
  assert.equal((await historyOf(world)).length, 1);
  assert.equal(await world.link(admin), "linked");
  await world.runHour();

  assert.equal((await restoredEntries(world)).length, 1);
});

test("tombstones are applied before the workers start", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world } = companies;
  const { id } = await importOne(companies, "gone");
  const copy = await copyDatabase(world.service.foundation.working.db);
  assert.equal(await remove(world, id), 204);
  await copy.restore();

  const config = { ...world.config, port: 0, operationsPort: 0 };
  await using _worker = await startService(config, "work", {
    log: pino({ level: "silent" }),
    now: () => world.clock.now,
  });

  assert.deepEqual(await world.contracts(), []);
});

test("tombstones older than two days are left to torikomi restored", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { id } = await importOne(companies, "gone");
  const copy = await copyDatabase(world.service.foundation.working.db);
  assert.equal(await remove(world, id), 204);
  await copy.restore();
  world.clock.pass(73 * HOUR_MS);

  await applyRecentTombstones(world.service.foundation.tasks);

  assert.equal((await world.contracts()).length, 1);
});

test("contracts that version 0.1 deleted get their tombstones within an hour", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { id } = await importOne(companies, "old");
  assert.equal(await remove(world, id), 204);
  const [key = ""] = await tombstones(world);
  await world.service.foundation.tasks.documents.erase(key);
  await sql`update contract set tombstone_at = null`.execute(world.service.foundation.working.db);

  await world.runHour();

  assert.deepEqual(await tombstones(world), [key]);
});

async function importOne({ world, colleague }: Companies, subject: string): Promise<any> {
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject });
  await world.runJobs();
  const found = (await world.contracts()).find(({ source }) => source.subject === subject);
  assert.ok(found, `${subject} is not imported`);
  return found;
}

async function remove(world: World, id: string): Promise<number> {
  const { status } = await (await world.api()).send("DELETE", `/v1/contracts/${id}`);
  await world.runJobs();
  return status;
}

async function keysOf({ service }: World): Promise<string[]> {
  return (await Array.fromAsync(service.foundation.tasks.documents.list())).map(({ key }) => key).sort();
}

async function tombstones(world: World): Promise<string[]> {
  return (await keysOf(world)).filter((key) => key.startsWith("deleted/"));
}

async function bytesIn(world: World): Promise<string[]> {
  return (await keysOf(world)).filter((key) => !key.startsWith("deleted/"));
}

async function contentOf({ service }: World, key: string): Promise<any> {
  const stream = await service.foundation.tasks.documents.open(key);
  assert.ok(stream);
  return await json(stream);
}

/** Puts a file where the day's folder would be. Returns the way back. */
async function refuseTombstones({ config, clock }: World): Promise<() => Promise<void>> {
  const day = clock.now.toISOString().slice(0, 10);
  const path = join(config.dataDir, "documents", `deleted_${day}`);
  await writeFile(path, "");
  return async () => await rm(path);
}

async function stateOf(world: World): Promise<unknown> {
  const { rows } = await sql`
    select contract.*, envelope.state, (select count(*) from change) as changes
    from contract join envelope using (tenant, envelope_id)`.execute(world.service.foundation.working.db);
  return rows;
}

async function feed(world: World): Promise<any[]> {
  return (await (await world.api()).get("/v1/changes?limit=200")).body.items;
}

/** `since` of the feed's `restored` entries. */
async function restoredEntries({ service }: World): Promise<string[]> {
  const { rows } = await sql<{ since: string }>`
    select note ->> 'since' as since from feed_note where type = 'restored' order by id`.execute(
    service.foundation.working.db,
  );
  return rows.map(({ since }) => since);
}
