import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { sql } from "kysely";
import { findTokens } from "../../src/store/links/link-tokens.ts";
import { type Browser, createBrowser } from "../support/browser.ts";
import {
  type Companies,
  CUSTOMER,
  createLinkedCompanies,
  endLink,
  linkIdOf,
} from "../support/linked-world.ts";
import { begin } from "../support/linking-steps.ts";
import { EVERY_SCOPE, HMAC_KEYS, type World } from "../support/world.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Part of the address that an open sign-in returns to. Return addresses may hold DocuSign's codes. */
const RETURN_MARK = "code-in-a-return-address";

/** Each secret that the story has brought about, by its name. */
type Secrets = Map<string, string>;
type Cell = { readonly column: string; readonly value: unknown };

type Story = Pick<Companies, "world"> & {
  readonly secrets: Secrets;
  /** The challenges whose verifiers only the service knows. */
  readonly challenges: readonly string[];
  readonly emails: readonly string[];
  readonly cells: readonly Cell[];
};

const opened = new AsyncDisposableStack();
let story: Story | null = null;

before(async () => {
  const companies = opened.use(await createLinkedCompanies());
  story = await playStory(companies);
});

after(async () => await opened.disposeAsync());

test("after a full story no table holds a token, verifier, return address, session id or key in plain text", () => {
  const { secrets, cells } = told();
  const found: string[] = [];

  for (const [name, secret] of secrets) {
    assert.ok(secret.length >= 12, `${name}: ${secret}`);
    for (const { column, value } of cells)
      if (textOf(value).includes(secret)) found.push(`${name} in ${column}`);
  }

  assert.deepEqual(found, []);
});

test("no column holds the verifier of an open sign-in or linking in plain text", () => {
  const { challenges, cells } = told();

  const found = cells.filter(({ value }) =>
    challenges.includes(createHash("sha256").update(textOf(value)).digest("base64url")),
  );

  assert.equal(challenges.length, 3);
  assert.deepEqual(found, []);
});

test("e-mail addresses are only in the columns that the threat model lists", async () => {
  const { emails, cells } = told();
  const listed = await columnsIn("### Personal data");

  const holding = cells.filter(({ value }) => emails.some((email) => textOf(value).includes(email)));

  assert.ok(holding.length > 0);
  assert.deepEqual(
    [...new Set(holding.map(({ column }) => column))].filter((column) => !listed.includes(column)),
    [],
  );
});

test("the threat model lists each column that holds an encrypted or hashed value, and no others", async () => {
  const { world, cells } = told();
  const listed = await columnsIn("### Secrets");
  const existing = await listColumns(world);

  const holding = cells.filter(({ value }) => isSealed(value) || isHash(value));

  assert.deepEqual(
    [...new Set(holding.map(({ column }) => column))].filter((column) => !listed.includes(column)),
    [],
  );
  assert.deepEqual(
    listed.filter((column) => !existing.includes(column)),
    [],
  );
});

function told(): Story {
  return story ?? assert.fail("the story was not told");
}

/**
 * Links, ends and links again; imports with events and a forwarding; refreshes tokens; works on the page. Leaves a session,
 * a sign-in and a linking open.
 */
async function playStory(companies: Companies): Promise<Story> {
  const { world, admin, colleague, partner } = companies;
  const secrets: Secrets = new Map();
  await noteTokens(world, secrets, "of the first link");
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  const sent = await world.docusign.sendEnvelope({ from: partner, to: [admin] });
  await world.docusign.reassign(sent, admin, colleague);
  await world.docusign.completeEnvelope(sent);
  await world.runJobs();
  world.clock.pass(8 * HOUR_MS);
  await world.runHour();
  await noteTokens(world, secrets, "after a refresh");
  assert.equal((await endLink(world)).status, 204);
  assert.equal(await world.link(admin), "linked");
  await world.runHour();
  await noteTokens(world, secrets, "of the second link");
  await noteApi(world, secrets);
  const challenges = [...(await usePage(world, secrets)), await beginLinking(world, secrets)];
  noteExchanges(world, secrets);
  noteConfiguration(world, secrets);
  const emails = [admin, colleague, partner, CUSTOMER].map(({ email }) => email ?? assert.fail("no address"));
  return { world, secrets, challenges, emails, cells: await readCells(world) };
}

async function noteTokens(world: World, secrets: Secrets, when: string): Promise<void> {
  const { db, vault } = world.service.foundation.tasks;
  const tokens = await findTokens(db, vault, await linkIdOf(world));
  secrets.set(`access token ${when}`, tokens?.accessToken ?? "");
  secrets.set(`refresh token ${when}`, tokens?.refreshToken ?? "");
}

async function noteApi(world: World, secrets: Secrets): Promise<void> {
  const token = await world.cabinet.token({ tenant: "tenant-1", scope: EVERY_SCOPE, sub: "service" });
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await fetch(`${world.url}/v1/contracts`, { headers })).status, 200);
  secrets.set("API token", token);
}

/** Works in a session that the issuer confirms. Begins two sign-ins in the same browser and returns their challenges. */
async function usePage(world: World, secrets: Secrets): Promise<string[]> {
  const browser = createBrowser();
  world.cabinet.nextSignIn(world.owner());
  await browser.get(`${world.url}/links`);
  world.clock.pass(15 * MINUTE_MS);
  const page = await browser.get(`${world.url}/links`);
  assert.equal(page.status, 200);
  secrets.set("token of forms", /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? "");
  const returnTo = `/links?${new URLSearchParams({ code: RETURN_MARK }).toString()}`;
  const challenges: string[] = [];
  for (const prompt of ["login", "none"]) {
    const query = new URLSearchParams({ return_to: returnTo, prompt });
    const { headers } = await browser.peek(`${world.url}/sign-in?${query.toString()}`);
    const { searchParams } = new URL(headers.get("location") ?? "");
    secrets.set(`state of the sign-in with ${prompt}`, searchParams.get("state") ?? "");
    challenges.push(searchParams.get("code_challenge") ?? "");
  }
  secrets.set("return address", RETURN_MARK);
  noteCookies(world, browser, secrets);
  return challenges;
}

function noteCookies({ url }: World, browser: Browser, secrets: Secrets): void {
  for (const [name, value] of browser.cookies(url))
    if (name.startsWith("torikomi_")) secrets.set(`cookie ${name}`, value);
}

async function beginLinking(world: World, secrets: Secrets): Promise<string> {
  const { searchParams } = new URL(await begin(world, { tenant: "tenant-2" }));
  secrets.set("state of a linking", searchParams.get("state") ?? "");
  return searchParams.get("code_challenge") ?? "";
}

/** The verifiers of finished sign-ins and all tokens of the cabinet, which the stand-in has seen. */
function noteExchanges({ cabinet }: World, secrets: Secrets): void {
  assert.ok(cabinet.exchanges.some(({ codeVerifier, idToken }) => codeVerifier === null && idToken !== null));
  for (const [index, exchange] of cabinet.exchanges.entries()) {
    for (const [name, value] of Object.entries(exchange))
      if (value !== null) secrets.set(`${name} of exchange ${index + 1} with the cabinet`, value);
  }
}

function noteConfiguration({ config }: World, secrets: Secrets): void {
  for (const [index, key] of HMAC_KEYS.entries()) secrets.set(`Connect key ${index + 1}`, key);
  for (const { id, key } of config.encryptionKeys)
    secrets.set(`encryption key ${id}`, key.toString("base64"));
}

/** All values of all tables of ours and of the queue, with the names of their columns. Partitions count as their table. */
async function readCells(world: World): Promise<Cell[]> {
  const { db } = world.service.foundation.working;
  const { rows: tables } = await sql<{ schema: string; name: string }>`
    select relnamespace::regnamespace::text as schema, relname as name from pg_class
    where relnamespace::regnamespace::text not in ('pg_catalog', 'pg_toast', 'information_schema')
      and relkind in ('r', 'p') and not relispartition`.execute(db);
  const cells: Cell[] = [];
  for (const { schema, name } of tables) {
    const prefix = schema === "public" ? name : `${schema}.${name}`;
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.id(schema, name)}`.execute(db);
    for (const row of rows)
      for (const [column, value] of Object.entries(row)) cells.push({ column: `${prefix}.${column}`, value });
  }
  return cells;
}

async function listColumns(world: World): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select format('%s.%s', table_name, column_name) as name from information_schema.columns
    where table_schema = 'public'`.execute(world.service.foundation.working.db);
  return rows.map(({ name }) => name);
}

function textOf(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString("utf8");
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function isSealed(value: unknown): boolean {
  return typeof value === "string" && /^v[12]\.[\w-]+\.[\w-]{39,}$/.test(value);
}

function isHash(value: unknown): boolean {
  return Buffer.isBuffer(value) && value.length === 32;
}

/** The columns in the table of a section of docs/security.md: the code spans of the first cells. */
async function columnsIn(heading: string): Promise<string[]> {
  const page = await readFile(new URL("../../docs/security.md", import.meta.url), "utf8");
  const [, section = ""] = page.split(`\n${heading}\n`);
  const [table = ""] = section.split("\n#");
  return [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([a-z_]+\.[a-z_]+)`/g)].map(([, column = ""]) => column),
  );
}
