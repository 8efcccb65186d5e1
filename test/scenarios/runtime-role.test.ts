import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { test } from "node:test";
import pg from "pg";
import { pino } from "pino";
import type { Config } from "../../src/config.ts";
import { writeTombstone } from "../../src/documents/tombstones.ts";
import { type ContractId, type EnvelopeId, parseUuid } from "../../src/domain/identifiers.ts";
import { startService } from "../../src/service.ts";
import { openDatabase } from "../../src/store/database.ts";
import type { Relation } from "../../src/store/privileges.ts";
import { required } from "../../src/store/rows.ts";
import { listRelations } from "../../src/store/runtime-role.ts";
import { tidy } from "../../src/usecases/keeping/housekeeping.ts";
import { runCommand } from "../cli/commands.ts";
import { breakStore, repairStore } from "../support/broken-store.ts";
import { createBrowser } from "../support/browser.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  endLink,
  fateOf,
  subjects,
} from "../support/linked-world.ts";
import { createSharedDatabase, type SharedDatabase, startTestServer } from "../support/postgres.ts";
import { until } from "../support/waiting.ts";
import type { World } from "../support/world.ts";

/** Debian's PostgreSQL 15, the oldest version that is supported. */
const OLDEST = "/usr/lib/postgresql/15/bin";

/** Repeated updates change nothing, so that the trigger would not write. */
const LINK_CHANGED = {
  text: "update link set ended_at = ended_at + interval '1 second' -- uses feed_note, change_id_seq",
  values: [],
};

test("with the runtime role the service lives its whole life, and needs each of its privileges", async () => {
  await using shared = await createSharedDatabase();

  const statements = await recordStatements(async () => await liveWholeLife(shared));

  assert.deepEqual(await listNeedless(shared, [...statements, LINK_CHANGED]), []);
});

test("with the runtime role the service lives its whole life on PostgreSQL 15", {
  skip: existsSync(OLDEST) ? false : `Debian's postgresql-15 is not installed: no ${OLDEST}`,
}, async () => {
  await using server = await startTestServer({ programs: OLDEST });
  await using shared = await createSharedDatabase(server.adminUrl);

  await liveWholeLife(shared);
});

/** Linking, events, imports, forwarding, hours, page, API, commands, deletions, housekeeping and a worker's start. */
async function liveWholeLife(shared: SharedDatabase): Promise<void> {
  await using companies = await createCompanies({
    database: { connectionString: shared.runtimeUrl, [Symbol.asyncDispose]: async () => {} },
    config: { largeImport: 1 },
    // The document store fails for a while.
    expectErrors: true,
  });
  const { world, admin, colleague, partner } = companies;
  const { docusign } = world;
  await docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "old" });
  assert.equal(await world.link(admin, { wish: { certificates: true } }), "awaiting-approval");
  const api = await world.api();
  assert.equal((await api.send("POST", "/v1/link/approve")).status, 200);
  await world.runJobs();
  await docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "heard" });
  await world.runJobs();
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "unheard" });
  await world.runHour();
  assert.deepEqual(await subjects(world), ["heard", "old", "unheard"]);
  const forwarded = await docusign.sendEnvelope({ from: partner, to: [admin] });
  await docusign.reassign(forwarded, admin, colleague);
  await docusign.completeEnvelope(forwarded);
  await world.runJobs();
  assert.equal(await fateOf(world, forwarded), "imported received");
  docusign.failNext(
    4,
    { status: 404, body: { errorCode: "ENVELOPE_DOES_NOT_EXIST" } },
    "/envelopes/{envelopeId}",
  );
  await docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "unknown" });
  for (let minute = 0; minute < 5; minute += 1) {
    await world.runJobs();
    world.clock.pass(60_000);
  }
  await breakStore(world);
  const late = await docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "late" });
  await world.runJobs();
  await repairStore(world);
  world.clock.pass(60_000);
  await world.runJobs();
  assert.equal(await fateOf(world, late), "imported sent");
  await readEverything(world);
  const changed = await runCommands(world);
  const [contract] = await world.contracts();
  assert.equal((await (await world.api()).send("DELETE", `/v1/contracts/${contract.id}`)).status, 204);
  await world.runJobs();
  await work({ ...world.config, ...changed, port: 0 }, world, shared);
  await importLost(companies);
  assert.equal((await endLink(world)).status, 204);
  world.clock.pass(500 * 24 * 60 * 60 * 1_000);
  await addLateBody(shared, world.clock.now);
  const { reconciliations, slots, bodies } = await tidy(world.service.foundation.tasks);
  assert.ok(reconciliations > 0 && slots > 0 && bodies > 0);
  await eraseTenant(world);
  assert.deepEqual(
    world.logged.filter((line) => line.includes("42501")),
    [],
  );
}

/** Adds an old body and a new one to one slot, as when no worker ran in time. */
async function addLateBody({ ownerUrl }: SharedDatabase, now: Date): Promise<void> {
  const { pool, close } = openDatabase(ownerUrl, { max: 1 });
  for (const receivedAt of [new Date(0), now])
    await pool.query("insert into event_body (slot, event_id, received_at, body) values (31, 1, $1, '')", [
      receivedAt,
    ]);
  await close();
}

/** Imports an envelope whose contract was deleted before the database was set back. */
async function importLost({ world, colleague }: Companies): Promise<void> {
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "lost" });
  await writeTombstone(world.service.foundation.tasks.documents, {
    kind: "contract",
    id: required(parseUuid<ContractId>(randomUUID())),
    tenant: "tenant-1",
    envelopeId: required(parseUuid<EnvelopeId>(envelope.envelopeId)),
    documentId: "1",
    deletedAt: world.clock.now,
  });
  await world.runHour();
  assert.equal(await fateOf(world, envelope), "deleted deleted-in-cabinet");
}

/** Tries while the document store fails, and again. */
async function eraseTenant(world: World): Promise<void> {
  await breakStore(world);
  assert.equal((await runCommand(world, "erase-tenant tenant-2 --yes")).exit, 75);
  await repairStore(world);
  assert.equal((await runCommand(world, "erase-tenant tenant-2 --yes")).exit, 0);
}

async function readEverything(world: World): Promise<void> {
  const api = await world.api();
  for (const path of ["/v1/link", "/v1/links", "/v1/groups", "/v1/reconciliations", "/v1/changes"])
    assert.equal((await api.get(path)).status, 200, path);
  assert.equal((await api.get(`/v1/envelopes/${randomUUID()}`)).status, 404);
  const [contract] = await world.contracts();
  assert.equal((await api.get(`/v1/contracts/${contract.id}/document`)).status, 200);
  world.cabinet.nextSignIn(world.owner());
  const browser = createBrowser();
  await browser.get(`${world.url}/links`);
  // The issuer is asked again.
  world.clock.pass(20 * 60_000);
  const page = await browser.get(`${world.url}/links`);
  assert.equal(page.status, 200);
  await browser.submit(page, "ログアウト");
  for (const path of ["/readyz", "/metrics"])
    assert.equal((await fetch(`${world.url}${path}`)).status, 200, path);
}

/** Returns what the configuration changed. */
async function runCommands(world: World): Promise<Pick<Config, "encryptionKeys">> {
  const api = await world.api("tenant-2");
  assert.equal((await api.send("PUT", "/v1/groups/group-2", { name: "契約書" })).status, 200);
  assert.equal((await api.send("POST", "/v1/link", { groupId: "group-2" })).status, 201);
  assert.equal((await api.send("DELETE", "/v1/groups/group-2")).status, 204);
  const newer = { id: "newer", key: Buffer.alloc(32, 7) };
  const changed = { encryptionKeys: [newer, ...world.config.encryptionKeys] };
  await world.restart(changed);
  for (const command of ["reencrypt", "replay", "reconcile", "doctor"]) {
    // The doctor compares clocks with the database's.
    const now = command === "doctor" ? () => new Date() : () => new Date(world.clock.now);
    const { exit, out } = await runCommand(world, command, { deps: { now } });
    assert.equal(exit, 0, `${command}: ${out}`);
  }
  return changed;
}

/** Runs a worker, and again after an hour in which none ran. */
async function work(config: Config, world: World, shared: SharedDatabase): Promise<void> {
  const log = pino({ level: "warn" }, { write: (line) => void world.logged.push(line) });
  const owner = openDatabase(shared.ownerUrl, { max: 1 });
  const isSo = async (condition: string): Promise<boolean> =>
    ((await owner.pool.query(`select from graphile_worker._private_known_crontabs where ${condition}`))
      .rowCount ?? 0) > 0;
  for (const condition of ["known_since is not null", "last_execution is not null"]) {
    await using _ = await startService(config, "work", {
      log,
      now: () => new Date(world.clock.now),
    });
    await until(async () => await isSo(condition), condition);
    await owner.pool.query(
      "update graphile_worker._private_known_crontabs set known_since = now() - interval '1 day'",
    );
  }
  await owner.close();
}

type Statement = { readonly text: string; readonly values: unknown[] };

/** The different statements that this process sends to PostgreSQL while it does the work, each with some values. */
async function recordStatements(work: () => Promise<void>): Promise<Statement[]> {
  const found = new Map<string, Statement>();
  const { query } = pg.Client.prototype;
  const record = (given: unknown, values: unknown): void => {
    const config = typeof given === "string" ? { text: given, values } : Object(given);
    if (typeof config.text !== "string") return;
    found.set(config.text, {
      text: config.text,
      values: config.values ?? (Array.isArray(values) ? values : []),
    });
  };
  Object.assign(pg.Client.prototype, {
    query(...args: unknown[]): unknown {
      record(args[0], args[1]);
      return Reflect.apply(query, this, args);
    },
  });
  await work();
  Object.assign(pg.Client.prototype, { query });
  return [...found.values()];
}

/** The privileges without which each of the statements is still permitted. */
async function listNeedless(shared: SharedDatabase, statements: readonly Statement[]): Promise<string[]> {
  await using opened = new AsyncDisposableStack();
  const { db, pool } = opened.adopt(
    openDatabase(shared.adminUrl, { max: 2 }),
    async (one) => await one.close(),
  );
  const client = await pool.connect();
  opened.defer(() => client.release());
  await client.query("set statement_timeout = '5s'");
  const needs = new Map<string, boolean>();
  for (const relation of await listRelations(db, shared.runtimeRole)) {
    const relevant = statements.filter(({ text }) => mayUse(text, relation));
    for (const privilege of relation.held) {
      // Housekeeping empties only partitions that hold rows.
      const what = `${privilege} on ${relation.partitionOf === null ? relation.name : `a partition of ${relation.partitionOf}`}`;
      const isKnown = needs.get(what) === true;
      needs.set(what, isKnown || (await isNeeded(client, { ...shared, relation, privilege }, relevant)));
    }
  }
  return [...needs].filter(([, isNeeded]) => !isNeeded).map(([what]) => what);
}

/** Relations of the function that publishes the feed's entries. */
const PUBLISHED: readonly string[] = ["change", "change_sequence", "feed_note"];

/** The queue's tables are used within its functions too. */
function mayUse(text: string, { schema, name }: Relation): boolean {
  if (PUBLISHED.includes(name) && text.includes("publish_changes")) return true;
  if (/^\s*(begin|commit|rollback|listen|set|savepoint)\b/i.test(text)) return false;
  return schema === "graphile_worker"
    ? /graphile_worker|torikomi_queue/.test(text)
    : new RegExp(`\\b${name}\\b`).test(text);
}

/** Runs the statements without the privilege until PostgreSQL denies one. Changes nothing. */
async function isNeeded(
  client: pg.PoolClient,
  what: {
    readonly runtimeRole: string;
    readonly relation: Relation & { readonly isSequence: boolean };
    readonly privilege: string;
  },
  statements: readonly Statement[],
): Promise<boolean> {
  const { runtimeRole, relation, privilege } = what;
  const kind = relation.isSequence ? "sequence" : "table";
  await client.query("begin");
  // Gives the statement that publishes something to do.
  await client.query(LINK_CHANGED);
  await client.query(
    `revoke ${privilege} on ${kind} ${relation.schema}.${relation.name} from "${runtimeRole}"`,
  );
  await client.query(`set local role "${runtimeRole}"`);
  try {
    for (const statement of statements) {
      await client.query("savepoint before");
      const code = await client.query({ ...statement }).then(
        () => null,
        (error: pg.DatabaseError) => error.code,
      );
      if (code === "42501") return true;
      await client.query("rollback to before");
    }
    return false;
  } finally {
    await client.query("rollback");
  }
}
