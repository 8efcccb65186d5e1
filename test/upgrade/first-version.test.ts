import assert from "node:assert/strict";
import { test } from "node:test";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { environmentOf, runProgram } from "../cli/commands.ts";
import { createBrowser } from "../support/browser.ts";
import type { Envelope } from "../support/docusign/state.ts";
import { type Companies, CUSTOMER, concludeUnheard, createCompanies } from "../support/linked-world.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { strikeHour } from "../support/strike-hour.ts";
import { type Api, createApi, EVERY_SCOPE, type World } from "../support/world.ts";
import { adoptRows, TENANT } from "./adopt-rows.ts";
import { type FirstVersion, startRole, unpackFirstVersion } from "./first-version.ts";
import { createFilledDatabase } from "./previous.ts";

const UNAVAILABLE = "this is not a clone with the commit of version 0.1";

test("version 0.1 works beside this version, alone after a roll-back, and hands over to it again", async (context) => {
  await using first = await unpackFirstVersion();
  if (first === null) return context.skip(UNAVAILABLE);
  const database = await createFilledDatabase({ without: 0 });
  await using companies = await createCompanies({ at: new Date().toISOString(), database });
  await adoptRows(companies.world, companies.admin);
  await using ground = openGround(companies, first);

  try {
    await workSideBySide(ground);
    await workAfterRollBack(ground);
    await workAgain(ground);
    await assertOnce(ground);
  } catch (error) {
    throw new Error(`version 0.1 or this one failed, and logged: ${ground.errors.join("\n")}`, {
      cause: error,
    });
  }

  assert.deepEqual(ground.errors, []);
});

for (const command of ["all", "migrate"]) {
  test(`version 0.1 refuses ${command} on a database that a newer version has migrated`, async (context) => {
    await using first = await unpackFirstVersion();
    if (first === null) return context.skip(UNAVAILABLE);
    await using database = await createTestDatabase();
    const { pool, close } = openDatabase(database.connectionString);
    await pool.query("insert into kysely_migration values ('9999-newer', '2999-01-01')");
    await close();

    const { exit, err } = await runProgram([command], minimalFor(database), first.program);

    assert.equal(exit, 1);
    assert.match(err, /holds migrations this program does not know: .*9999-newer; run the newer program/);
  });
}

/** The companies and version 0.1, with what happens to them. */
type Ground = Companies & {
  readonly old: FirstVersion;
  /** Outlives the service of either version. */
  readonly db: Database;
  readonly concluded: Envelope[];
  readonly deleted: Envelope[];
  readonly errors: string[];
};

function openGround(companies: Companies, old: FirstVersion): Ground {
  const { db, close } = openDatabase(companies.world.database.connectionString);
  const events = { concluded: [], deleted: [], errors: [] };
  return { ...companies, old, db, ...events, [Symbol.asyncDispose]: close };
}

async function workSideBySide(ground: Ground): Promise<void> {
  const { world, old, errors } = ground;
  const installed = { environment: productionOf(world, old), program: old.program, errors };
  await using serving = await startRole("serve", installed);
  await using _working = await startRole("work", installed);
  await using _newer = await startRole("work", { environment: developmentOf(world), errors });
  await spendHour(ground, serving.url, "0.1");
  await spendHour(ground, world.url, "this");
}

async function workAfterRollBack(ground: Ground): Promise<void> {
  await ground.world.service[Symbol.asyncDispose]();
  try {
    await workAlone(ground);
  } finally {
    await ground.world.restart();
  }
}

/** Version 0.1 at the public address, where this version was. */
async function workAlone(ground: Ground): Promise<void> {
  const { world, old, admin, errors } = ground;
  const environment = productionOf(world, old);
  const reachable = { ...environment, PORT: new URL(world.url).port };
  await using serving = await startRole("serve", { environment: reachable, program: old.program, errors });
  await using _working = await startRole("work", { environment, program: old.program, errors });
  await spendHour(ground, serving.url, "0.1");
  assert.equal(await world.link(admin, { tenant: "tenant-2" }), "linked");
  await runCommands(ground);
}

async function workAgain(ground: Ground): Promise<void> {
  const { world, errors } = ground;
  await using _working = await startRole("work", { environment: developmentOf(world), errors });
  await spendHour(ground, world.url, "this");
}

const HOUR_MS = 3_600_000;

/** Everything that an installation does within an hour, asked of the version at this address. */
async function spendHour(ground: Ground, url: string, version: "0.1" | "this"): Promise<void> {
  const { world, admin, db, concluded, deleted } = ground;
  world.clock.now = new Date();
  const token = await world.cabinet.token({ tenant: TENANT, scope: EVERY_SCOPE, sub: "owner" });
  const api = createApi(url, token, { isDescribed: version === "this" });
  const heard = await concludeHeard(ground, url);
  await awaitImport(api, heard);
  const hour = new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS);
  const completedAt = new Date(hour.getTime() - 1);
  const unheard = await concludeUnheard(world, { from: admin, to: [CUSTOMER], completedAt });
  await strikeHour(db, hour);
  const { id } = await awaitImport(api, unheard);
  concluded.push(heard, unheard);

  for (const path of READABLE) assert.equal((await api.get(path)).status, 200, path);
  assert.equal((await api.get(`/v1/contracts/${id}/document`)).status, 200);
  assert.equal((await api.get(`/v1/envelopes/${unheard.envelopeId}`)).body.outcome, "imported");
  assert.equal((await api.send("PATCH", "/v1/link", { groupId: "contracts" })).status, 200);
  await assertPage(world, url);
  assert.equal((await api.send("DELETE", `/v1/contracts/${id}`)).status, 204);
  deleted.push(unheard);
}

const READABLE = [
  "/v1/changes",
  "/v1/contracts",
  "/v1/groups",
  "/v1/link",
  "/v1/links",
  "/v1/reconciliations",
];

/** Concludes an envelope and posts its events to the receiver at this address. */
async function concludeHeard({ world, admin }: Ground, url: string): Promise<Envelope> {
  const { docusign } = world;
  docusign.holdDeliveries();
  const envelope = await docusign.concludeEnvelope({ from: admin, to: [CUSTOMER] });
  const messages = docusign.held.splice(0);
  docusign.held.push(...messages.map((one) => ({ ...one, url: one.url.replace(world.url, url) })));
  const delivered = await docusign.deliver("all");
  assert.notEqual(delivered.length, 0);
  for (const { status } of delivered) assert.equal(status, 200);
  return envelope;
}

const WAIT_S = 30;

/** The contract of an envelope as the feed reports its import; the feed is read from its start. */
async function awaitImport(api: Api, { envelopeId }: Envelope): Promise<{ id: string }> {
  for (let after = 0; ; ) {
    const { status, body } = await api.get(`/v1/changes?after=${after}&wait=${WAIT_S}&limit=200`);
    assert.equal(status, 200);
    assert.notEqual(body.items.length, 0, `${envelopeId} was not imported`);
    const found = body.items.find((one: any) => one.contract?.source?.envelopeId === envelopeId);
    if (found !== undefined) return found.contract;
    after = body.next;
  }
}

async function assertPage(world: World, url: string): Promise<void> {
  const browser = createBrowser();
  world.cabinet.nextSignIn(world.owner(TENANT));
  await browser.get(`${url}/links`);
  const page = await browser.get(`${url}/links`);
  assert.deepEqual([page.status, page.url], [200, `${url}/links`]);
  assert.match(page.text, /山田/);
}

/** The commands of operators; they change nothing that is not already so. */
async function runCommands({ world, old, concluded }: Ground): Promise<void> {
  const [envelope] = concluded;
  const commands = [
    ["explain", envelope?.envelopeId ?? "", "--tenant", TENANT],
    ["reconcile"],
    ["reconcile", "--dry-run"],
    ["replay"],
    ["reencrypt"],
  ];
  for (const command of commands) {
    const { exit, err } = await runProgram(command, productionOf(world, old), old.program);
    assert.deepEqual({ command, exit, err }, { command, exit: 0, err: "" });
  }
  const doctor = await runProgram(["doctor"], developmentOf(world), old.program);
  assert.equal(doctor.exit, 0, doctor.out);
}

/** Each envelope was imported once, by either version, and deleted contracts stay deleted. */
async function assertOnce({ world, concluded, deleted }: Ground): Promise<void> {
  const { body } = await (await world.api(TENANT)).get("/v1/changes?limit=200");
  const countOf = (type: string, { envelopeId }: Envelope): number =>
    body.items.filter((one: any) => one.type === type && one.contract.source?.envelopeId === envelopeId)
      .length;
  for (const envelope of concluded) assert.equal(countOf("imported", envelope), 1);
  const contracts = await world.contracts(TENANT);
  const present = (envelope: Envelope): boolean =>
    contracts.some(({ source }) => source.envelopeId === envelope.envelopeId);
  assert.deepEqual(deleted.filter(present), []);
}

/** As installations run: they migrate by `torikomi migrate` only. */
function productionOf(world: World, { compiled }: FirstVersion): Record<string, string> {
  const keys = world.config.encryptionKeys.map(({ id, key }) => `${id}:${key.toString("base64")}`);
  return {
    ...developmentOf(world),
    NODE_ENV: "production",
    ENCRYPTION_KEYS: keys.join(","),
    NODE_COMPILE_CACHE: compiled,
  };
}

function developmentOf(world: World): Record<string, string> {
  return {
    ...environmentOf(world),
    HOST: "127.0.0.1",
    PORT: "0",
    CABINET_CLIENT_ID: world.config.cabinet.clientId ?? "",
    CABINET_CLIENT_SECRET: world.config.cabinet.clientSecret ?? "",
  };
}

function minimalFor({ connectionString }: TestDatabase): Record<string, string> {
  return {
    DATABASE_URL: connectionString,
    DOCUSIGN_CLIENT_ID: "torikomi",
    DOCUSIGN_CLIENT_SECRET: "secret",
    CONNECT_HMAC_KEYS: "key",
    PORT: "0",
  };
}
