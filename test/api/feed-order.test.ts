import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { recordChanges } from "../../src/store/contracts/changes.ts";
import { commitImports } from "../../src/store/contracts/commit-import.ts";
import type { NewContract } from "../../src/store/contracts/contracts.ts";
import { type FeedEntry, readFeed } from "../../src/store/contracts/feed.ts";
import { publishChanges } from "../../src/store/contracts/publication.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { claimEnvelope } from "../../src/store/ledger/claims.ts";
import { withSession } from "../../src/store/locks.ts";
import { storeContracts } from "../support/store-contracts.ts";
import { createWorld, type World } from "../support/world.ts";
import { id, storeTestLink } from "./stored.ts";

const ROUNDS = 25;
const WRITERS = 5;
const READERS = 3;

test("readers see each change once, all in the same order, in whatever order writers commit", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.serving;
  const linkId = await storeTestLink(world);
  const random = createRandom(20_310_115);
  const readers = Array.from({ length: READERS }, () => createReader(db));
  const written: string[] = [];

  for (let round = 0; round < ROUNDS; round += 1) {
    const open: OpenWrite[] = [];
    for (let writer = 0; writer < WRITERS; writer += 1) open.push(await beginWrite(world, linkId));
    // The last writer may commit first, and one rolls back.
    const shuffled = open.toSorted(() => random() - 0.5);
    const [abandoned, ...committed] = shuffled;
    await abandoned?.end("rollback");
    for (const write of committed) {
      // Nobody has to publish the changes of most imports.
      if (random() < 0.5) written.push(await importContract(world, linkId));
      const reading = readers.map(async (reader) => await reader.read(1 + Math.floor(random() * 3)));
      await write.end("commit");
      written.push(write.contractId);
      await Promise.all(reading);
    }
  }
  for (const reader of readers) while ((await reader.read(200)) > 0);

  const [first, ...others] = readers.map((reader) => reader.seen);
  assert.deepEqual(first?.map((one) => one.contractId).sort(), written.sort());
  for (const other of others) assert.deepEqual(other, first);
  const sequences = first?.map((one) => one.sequence) ?? [];
  assert.ok(sequences.every((sequence, index) => index === 0 || sequence > (sequences[index - 1] ?? 0)));
});

test("concurrent publications neither reorder nor hide any change", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.serving;
  const linkId = await storeTestLink(world);
  await using writing = openWriters(world, 8);
  const writes = await Promise.all(
    Array.from({ length: 8 }, async () => await beginWrite(world, linkId, writing)),
  );

  await Promise.all(writes.flatMap((write) => [write.end("commit"), publishChanges(db), publishChanges(db)]));
  await publishChanges(db);

  const changes = await listContractChanges(db, 0, 200);
  assert.deepEqual(new Set(changes.map(readContractId)), new Set(writes.map((write) => write.contractId)));
  assert.equal(changes.length, writes.length);
});

test("a publication waits until the running one ends", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.serving;
  const linkId = await storeTestLink(world);
  await (await beginWrite(world, linkId)).end("commit");
  const held = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const holding = db.transaction().execute(async (tx) => {
    await sql`lock table change in share mode`.execute(tx);
    held.resolve();
    await release.promise;
  });
  await held.promise;

  const publications = [publishChanges(db), publishChanges(db)];
  let waits = await listWaits(db);
  while (waits.length < 2) waits = await listWaits(db);
  release.resolve();
  await Promise.all([holding, ...publications]);

  assert.deepEqual(waits, ["advisory", "relation"]);
});

test("an import publishes its changes in its own commit, with nobody else's help", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.serving;
  const linkId = await storeTestLink(world);
  await publishChanges(db);

  const imported = [await importContract(world, linkId), await importContract(world, linkId)];

  assert.deepEqual((await listContractChanges(db, 0, 200)).map(readContractId), imported);
});

test("the positions of imports follow the last one, and imports publish nothing while the clock is wrong", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.serving;
  const linkId = await storeTestLink(world);
  await publishChanges(db);
  const setLast = async (minutesAhead: number): Promise<number> => {
    const last = (Date.now() + minutesAhead * 60_000) * 1_000;
    await sql`select setval('change_sequence', ${last})`.execute(db);
    return last;
  };

  const last = await setLast(4);
  await importContract(world, linkId);
  const contract = await prepare(world, linkId);
  await commitImport(db, contract, {
    ...contract,
    id: id(),
    source: { ...contract.source, documentId: "2" },
  });
  await setLast(6);
  await importContract(world, linkId);

  const sequences = (await listContractChanges(db, 0, 200)).map(({ sequence }) => sequence);
  assert.deepEqual(sequences, [last + 1, last + 2, last + 3]);
});

test("imports do not overtake what others are publishing or have yet to publish", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.serving;
  const linkId = await storeTestLink(world);
  // The link's entry waits.
  const first = await importContract(world, linkId);
  const behindLink = await listContractChanges(db, 0, 200);
  await publishChanges(db);
  const open = await beginWrite(world, linkId, { write: commitImport });

  const meanwhile = await importContract(world, linkId);
  const whileOpen = await listContractChanges(db, 0, 200);
  await open.end("commit");
  const behind = await importContract(world, linkId);
  const beforePublication = await listContractChanges(db, 0, 200);
  await publishChanges(db);

  const changes = await listContractChanges(db, 0, 200);
  assert.deepEqual(behindLink, []);
  assert.deepEqual(whileOpen.map(readContractId), [first]);
  assert.deepEqual(beforePublication.map(readContractId), [first, open.contractId]);
  assert.deepEqual(changes.map(readContractId), [first, open.contractId, meanwhile, behind]);
});

async function listWaits(db: Database): Promise<string[]> {
  const { rows } = await sql<{ locktype: string }>`
    select locktype from pg_locks join pg_stat_activity using (pid)
    where not granted and datname = current_database() order by locktype`.execute(db);
  return rows.map((row) => row.locktype);
}

type OpenWrite = { readonly contractId: string; end: (how: "commit" | "rollback") => Promise<void> };

/** For more writers than a process that serves has connections for. */
function openWriters({ database }: World, max: number): AsyncDisposable & { readonly db: Database } {
  const { db, close } = openDatabase(database.connectionString, { max });
  return { db, [Symbol.asyncDispose]: close };
}

type Write = (db: Database, contract: NewContract) => Promise<void>;

async function writeChange(db: Database, contract: NewContract): Promise<void> {
  await storeContracts(db, [contract]);
  await recordChanges(db, "imported", [contract], contract.importedAt);
}

async function commitImport(db: Database, contract: NewContract, ...others: NewContract[]): Promise<void> {
  const { tenant, linkId, groupId, importedAt, source } = contract;
  const decision = { ...source, reason: "sent", facts: {}, block: "" };
  const envelopes = [{ ...decision, contracts: [contract, ...others], unrecorded: [] }];
  const { verdict } = await commitImports(db, { tenant, linkId, groupId, now: importedAt, envelopes });
  assert.equal(verdict, "imported");
}

async function importContract(
  world: World,
  linkId: Awaited<ReturnType<typeof storeTestLink>>,
): Promise<string> {
  const contract = await prepare(world, linkId);
  await commitImport(world.service.foundation.working.db, contract);
  return contract.id;
}

/** Begins a transaction that writes a contract and its change, and leaves it open. */
async function beginWrite(
  world: World,
  linkId: Awaited<ReturnType<typeof storeTestLink>>,
  {
    db = world.service.foundation.working.db,
    write = writeChange,
  }: { readonly db?: Database; readonly write?: Write } = {},
): Promise<OpenWrite> {
  const contract = await prepare(world, linkId);
  const wrote = Promise.withResolvers<void>();
  const end = Promise.withResolvers<"commit" | "rollback">();
  const transaction = db.transaction().execute(async (tx) => {
    await write(tx, contract);
    wrote.resolve();
    if ((await end.promise) === "rollback") throw new Error("given up");
  });
  await Promise.race([wrote.promise, transaction]);
  return {
    contractId: contract.id,
    async end(how) {
      end.resolve(how);
      await transaction.catch((error: unknown) => assert.equal(how, "rollback", String(error)));
    },
  };
}

async function prepare(
  world: World,
  linkId: Awaited<ReturnType<typeof storeTestLink>>,
): Promise<NewContract> {
  const now = world.clock.now;
  const envelopeId = id<NewContract["source"]["envelopeId"]>();
  const claim = { envelopeId, linkId, foundBy: "event", now, leaseUntil: now } as const;
  const { db } = world.service.foundation.serving;
  await withSession(db, async (session) => await claimEnvelope(session, claim));
  return {
    id: id(),
    tenant: "tenant-1",
    groupId: "group-1",
    linkId,
    fileName: "契約書.pdf",
    concludedOn: "2031-01-15",
    importedAt: now,
    certificate: null,
    pages: 1,
    bytes: 1,
    sha256: "0".repeat(64),
    documentKey: `contracts/${id()}`,
    source: { envelopeId, documentId: "1", accountId: id(), completedAt: now, subject: null, ...UNKNOWN },
  };
}

const UNKNOWN = { position: null, sender: null, recipients: null };

type Seen = { sequence: number; contractId: unknown };

/** Follows the feed as a service does and records what it saw. */
function createReader(db: Database): { seen: Seen[]; read: (limit: number) => Promise<number> } {
  const seen: Seen[] = [];
  return {
    seen,
    async read(limit) {
      await publishChanges(db);
      const changes = await listContractChanges(db, seen.at(-1)?.sequence ?? 0, limit);
      seen.push(...changes.map((one) => ({ sequence: one.sequence, contractId: readContractId(one) })));
      return changes.length;
    },
  };
}

async function listContractChanges(
  db: Database,
  after: number,
  limit: number,
): Promise<readonly FeedEntry[]> {
  const types = new Set(["imported", "deleted"] as const);
  return (await readFeed(db, { tenant: "tenant-1", after, limit, types })).entries;
}

function readContractId({ body }: Pick<FeedEntry, "body">): unknown {
  return typeof body === "object" && body !== null ? Reflect.get(body, "id") : null;
}

/** Mulberry32 returns the same numbers for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
