import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { sql } from "kysely";
import { pino } from "pino";
import type { Config } from "../../src/config.ts";
import { type EnvelopeId, type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { openFoundation } from "../../src/foundation.ts";
import { findTokens, type LinkTokens } from "../../src/store/links/link-tokens.ts";
import { createVault } from "../../src/store/links/vault.ts";
import { createAccessTokens } from "../../src/usecases/account/access-tokens.ts";
import { importEnvelope } from "../../src/usecases/importing/import-envelope.ts";
import { reencryptSecrets } from "../../src/usecases/operating/reencrypt.ts";
import type { Failure } from "../support/docusign/faults.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  endLink,
  fateOf,
  historyOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import type { World } from "../support/world.ts";

const HOUR_MS = 60 * 60 * 1000;
const ENVELOPE = "/envelopes/{envelopeId}";

async function linkIdOf(world: World): Promise<LinkId> {
  const id = parseUuid<LinkId>((await linkOf(world)).id);
  assert.ok(id !== null);
  return id;
}

async function tokensOf(world: World): Promise<LinkTokens> {
  const { db, vault } = world.service.foundation.tasks;
  const tokens = await findTokens(db, vault, await linkIdOf(world));
  assert.ok(tokens !== null);
  return tokens;
}

function refreshes(world: World): number {
  // The first of all token calls is the login's.
  return world.docusign.callsTo("/oauth/token").length - 1;
}

test("an access token that ran out is renewed once, however many imports of two processes ask at once", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  await using other = await openFoundation(world.config, {
    log: pino({ level: "silent" }),
    now: () => world.clock.now,
  });
  const linkId = await linkIdOf(world);
  world.clock.pass(8 * HOUR_MS);
  const requests = [];
  for (let count = 0; count < 6; count += 1) {
    const { envelopeId } = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
    requests.push({ linkId, envelopeId: parseUuid<EnvelopeId>(envelopeId)!, foundBy: "event" as const });
  }

  const outcomes = await Promise.all(
    requests.map(async (request, index) =>
      importEnvelope(index % 2 === 0 ? world.service.foundation.tasks : other.tasks, request),
    ),
  );

  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    requests.map(() => "imported"),
  );
  assert.equal(refreshes(world), 1);
  assert.deepEqual(
    world.docusign.calls.filter((call) => call.status === 401),
    [],
  );
});

test("an access token that DocuSign refuses before its time is renewed once, however many imports ask", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, colleague } = companies;
  const linkId = await linkIdOf(world);
  const requests = [];
  for (let count = 0; count < 4; count += 1) {
    const { envelopeId } = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
    requests.push({ linkId, envelopeId: parseUuid<EnvelopeId>(envelopeId)!, foundBy: "event" as const });
  }
  world.docusign.expireAccessTokens(admin);

  const { tasks } = world.service.foundation;
  await Promise.all(requests.map(async (request) => importEnvelope(tasks, request)));

  assert.equal((await world.contracts()).length, requests.length);
  assert.equal(refreshes(world), 1);
});

test("an access token is renewed five minutes before it runs out, and no sooner", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const linkId = await linkIdOf(world);
  const tokens = createAccessTokens(world.service.foundation.tasks);
  const first = await tokens.get(linkId);

  world.clock.pass(8 * HOUR_MS - 5 * 60 * 1000 - 1);
  const inTime = await tokens.get(linkId);
  world.clock.pass(1);
  const renewed = await tokens.get(linkId);

  assert.equal(inTime, first);
  assert.notEqual(renewed, first);
  assert.equal(refreshes(world), 1);
});

test("an ended link has a token for nobody", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const linkId = await linkIdOf(world);
  assert.equal((await endLink(world)).status, 204);

  const asked = createAccessTokens(world.service.foundation.tasks).get(linkId);

  await assert.rejects(asked, { kind: "authorization-gone", code: "link-ended" });
});

test("a renewed refresh token is stored before anything is done with what came with it", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const before = await tokensOf(world);
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  world.clock.pass(8 * HOUR_MS);
  let meanwhile: LinkTokens | null = null;
  world.docusign.onNext(ENVELOPE, async () => {
    meanwhile = await tokensOf(world);
  });

  await world.runJobs();

  const after = await tokensOf(world);
  assert.notEqual(after.refreshToken, before.refreshToken);
  assert.deepEqual(meanwhile, after);
});

test("a database that is lost just when DocuSign hands out new tokens loses none of them", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const { db } = world.service.foundation.working;
  const linkId = await linkIdOf(world);
  const before = await tokensOf(world);
  world.clock.pass(8 * HOUR_MS);
  world.docusign.onNext("/oauth/token", async () => {
    await sql`
      select pg_terminate_backend(pid, 10000) from pg_stat_activity
      where datname = current_database() and state = 'idle in transaction'`.execute(db);
  });

  const token = await createAccessTokens(world.service.foundation.tasks).get(linkId);

  const after = await tokensOf(world);
  assert.equal(after.accessToken, token);
  assert.notEqual(after.refreshToken, before.refreshToken);
  world.clock.pass(8 * HOUR_MS);
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  await world.runHour();
  assert.equal(await fateOf(world, envelope), "imported sent");
  assert.equal(refreshes(world), 2);
});

test("refresh tokens that work only once carry a link over months", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;

  for (let month = 0; month < 4; month += 1) {
    world.clock.pass(25 * 24 * HOUR_MS);
    await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
    await world.runJobs();
  }

  assert.equal((await world.contracts()).length, 4);
  assert.equal(refreshes(world), 4);
});

test("a renewal that fails for now stops nothing for good", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  world.clock.pass(8 * HOUR_MS);
  world.docusign.failNext(1, { status: 503, html: "<h1>503</h1>" }, "/oauth/token");

  await world.runJobs();
  assert.equal(await fateOf(world, envelope), "waiting docusign-unavailable");
  assert.equal((await linkOf(world)).state, "active");
  world.clock.pass(5_000);
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "imported sent");
});

test("a revoked authorisation stops the link visibly; imports wait, each hour asks once, and linking again mends it in place", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, colleague } = companies;
  const { id } = await linkOf(world);
  world.docusign.revokeConsent(admin);
  const heard = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "heard" });

  await world.runJobs();
  const broken = await linkOf(world);
  assert.equal(broken.state, "error");
  assert.equal(broken.cause.code, "authorization-revoked");
  assert.match(broken.cause.message, /もう一度連携/);
  assert.equal(await fateOf(world, heard), "waiting link-error");
  const asked = world.docusign.calls.length;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "unheard" });
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "heard later" });
  await world.runHour();
  assert.deepEqual(
    world.docusign.calls.slice(asked).map(({ template }) => template),
    ["/users/{userId}", "/oauth/token"],
  );
  assert.equal(await world.link(admin), "linked");
  await world.runJobs();

  const repaired = await linkOf(world);
  assert.deepEqual([repaired.id, repaired.state, repaired.cause], [id, "active", null]);
  assert.deepEqual(await subjects(world), ["heard", "heard later", "unheard"]);
  assert.equal((await historyOf(world)).length, 1);
});

test("a link whose tokens DocuSign refused though its authorisation stands goes on at the next hour", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.failNext(2, { status: 401 }, "/envelopes/{envelopeId}");
  world.docusign.failNext(2, { status: 401 }, "/users/{userId}");
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "kept" });
  await world.runJobs();
  const refused = await linkOf(world);

  await world.runHour();

  assert.equal(refused.cause.code, "authorization-revoked");
  assert.equal((await linkOf(world)).state, "active");
  assert.deepEqual(await subjects(world), ["kept"]);
});

test("a link that awaits its approval shows that its authorisation was revoked", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  assert.equal(await world.link(admin), "awaiting-approval");
  await world.runHour();
  const before = await linkOf(world);
  world.docusign.revokeConsent(admin);

  await world.runHour();

  assert.deepEqual([before.state, before.cause], ["awaiting-approval", null]);
  assert.equal((await linkOf(world)).cause.code, "authorization-revoked");
  assert.equal(await world.link(admin), "awaiting-approval");
});

for (const [status, errorCode] of [
  [400, "ACCOUNT_HAS_BEEN_SUSPENDED"],
  [404, "USER_NOT_FOUND"],
] as const) {
  test(`a user or account that DocuSign refuses with ${status} ${errorCode} stops the link, and can be unlinked`, async () => {
    await using companies = await createLinkedCompanies();
    const { world } = companies;
    world.docusign.failNext(1_000, { status, body: { errorCode, message: "x" } });

    await world.runHour();

    assert.equal((await linkOf(world)).state, "error");
    assert.equal((await endLink(world)).status, 204);
    const [{ state, cause, connect }] = await historyOf(world);
    assert.deepEqual([state, cause, connect], ["ended", null, { sent: null, received: null }]);
  });
}

test("a listing that DocuSign refuses, of a user who is admin still, stops no link", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  world.docusign.failNext(1, { status: 403 }, "/envelopes");

  await world.runHour();

  assert.equal((await linkOf(world)).state, "active");
});

test("a revoked authorisation is found by the hour where no event brings it to light", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  world.docusign.revokeConsent(admin);

  await world.runHour();

  assert.equal((await linkOf(world)).cause.code, "authorization-revoked");
});

test("a closed user stops the link", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, account, colleague } = companies;
  const elsewhere = world.docusign.addAccount();
  world.docusign.addMembership(elsewhere, admin, { role: "DS Sender" });
  world.docusign.closeUser(admin, account);

  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();

  assert.equal((await linkOf(world)).state, "error");
  assert.equal(await fateOf(world, envelope), "waiting link-error");
});

test("a user closed everywhere stops the link", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  world.docusign.closeUser(admin);

  await world.runHour();

  assert.equal((await linkOf(world)).cause.code, "authorization-revoked");
});

const REFUSED_REFRESHES: Readonly<Record<string, Failure>> = {
  "401 and nothing else": { status: 401 },
  "401 user_closed": { status: 401, body: { error: "user_closed" } },
  "400 access_denied": { status: 400, body: { error: "access_denied" } },
  "403 and nothing else": { status: 403 },
};

for (const [refusal, failure] of Object.entries(REFUSED_REFRESHES)) {
  test(`a closed user whom DocuSign refuses with ${refusal} stops the link, which can be ended`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, admin } = companies;
    world.docusign.closeUser(admin);
    world.docusign.failNext(1_000, failure, "/oauth/token");

    await world.runHour();

    assert.equal((await linkOf(world)).cause?.code, "authorization-revoked");
    assert.equal((await endLink(world)).status, 204);
  });
}

test("a link whose refresh was refused though its authorisation stands goes on at the next hour", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.clock.pass(8 * HOUR_MS);
  world.docusign.failNext(1, { status: 401, body: { error: "user_closed" } }, "/oauth/token");
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "kept" });
  await world.runJobs();
  const refused = await linkOf(world);

  await world.runHour();

  assert.equal(refused.cause.code, "authorization-revoked");
  assert.equal((await linkOf(world)).state, "active");
  assert.deepEqual(await subjects(world), ["kept"]);
});

test("while a link is in error another user or account is not linked in its place", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, account } = companies;
  const colleague = world.docusign.addUser(account, { name: "田中", role: "DS Admin" });
  const other = world.docusign.addAccount({ name: "別会社" });
  world.docusign.revokeConsent(admin);
  await world.runHour();
  const broken = await linkOf(world);

  assert.equal(await world.link(colleague), "already-linked");
  world.docusign.addMembership(other, admin, { role: "DS Admin" });
  world.docusign.setDefaultAccount(admin, other);
  assert.equal(await world.link(admin), "already-linked");

  assert.deepEqual(await linkOf(world), broken);
});

test("the lost right of an admin is noticed within the hour, before any import fails, and so is its return", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin, colleague, partner } = companies;
  await world.docusign.concludeEnvelope({
    from: colleague,
    to: [admin],
    subject: "from a colleague, to the admin",
  });
  await world.docusign.concludeEnvelope({ from: partner, to: [admin], subject: "received" });
  await world.runHour();
  world.docusign.setRole(admin, account, "DS Sender");

  await world.runHour();
  const broken = await linkOf(world);
  assert.equal(broken.state, "error");
  assert.equal(broken.cause.code, "not-admin");
  assert.match(broken.cause.message, /DS Adminではなくなっています/);
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "meanwhile" });
  const heard = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "heard" });
  await world.runHour();
  assert.equal(await fateOf(world, heard), "waiting link-error");
  world.docusign.setRole(admin, account, "DS Admin");
  await world.runHour();

  assert.equal((await linkOf(world)).state, "active");
  assert.deepEqual(await subjects(world), [
    "from a colleague, to the admin",
    "heard",
    "meanwhile",
    "received",
  ]);
});

test("an admin right that has come back is asked for again soon where DocuSign failed at the hour", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin, colleague } = companies;
  world.docusign.setRole(admin, account, "DS Sender");
  await world.runHour();
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "meanwhile" });
  world.docusign.setRole(admin, account, "DS Admin");
  world.docusign.failNext(1, { status: 503 }, "/users/{userId}");

  await world.runHour();
  assert.equal((await linkOf(world)).cause.code, "not-admin");
  world.clock.pass(60_000);
  await world.runJobs();

  assert.equal((await linkOf(world)).state, "active");
  assert.deepEqual(await subjects(world), ["meanwhile"]);
});

test("the right to see the account is proven anew each hour while colleagues' envelopes show it, and asked for otherwise", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin, colleague } = companies;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runHour();
  const askedFor = (): number => world.docusign.callsTo("/users/{userId}").length;
  const before = askedFor();

  await world.runHour();
  assert.equal(askedFor(), before);
  world.docusign.setRole(admin, account, "custom", { isAdmin: true, apiAccountWideAccess: false });
  await world.runHour();

  assert.equal((await linkOf(world)).cause?.code, "not-admin");
});

test("the database holds no token in the clear", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { accessToken, refreshToken } = await tokensOf(world);
  const { db } = world.service.foundation.working;

  await (await world.api()).send("DELETE", "/v1/link");
  await world.link(companies.admin);
  const later = await tokensOf(world);
  const { rows: tables } = await sql<{ name: string }>`
    select format('%I.%I', table_schema, table_name) as name from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`.execute(db);
  const dump: string[] = [];
  for (const { name } of tables) {
    const { rows } = await sql<{ row: string }>`select t::text as row from ${sql.raw(name)} as t`.execute(db);
    dump.push(...rows.map(({ row }) => row));
  }

  assert.ok(
    dump.some((row) => row.includes("v1.")),
    "sealed tokens are there",
  );
  for (const secret of [accessToken, refreshToken, later.accessToken, later.refreshToken]) {
    assert.ok(!dump.some((row) => row.includes(secret)));
  }
});

test("encryption keys are rotated: the old one still opens, the new one seals, and once all is sealed anew the old one can go", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const [old] = world.config.encryptionKeys;
  const fresh = { id: "fresh", key: randomBytes(32) };
  const runtime = { log: pino({ level: "silent" }), now: () => new Date(world.clock.now) };
  const opened = async (encryptionKeys: Config["encryptionKeys"]) =>
    await openFoundation({ ...world.config, encryptionKeys }, runtime);
  const linkId = await linkIdOf(world);
  const before = await tokensOf(world);

  const sealed = await (async () => {
    await using both = await opened([fresh, old!]);
    assert.deepEqual(await findTokens(both.tasks.db, both.tasks.vault, linkId), before);
    return await reencryptSecrets(both.tasks);
  })();
  await using alone = await opened([fresh]);
  const { envelopeId } = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  const outcome = await importEnvelope(alone.tasks, {
    linkId,
    envelopeId: parseUuid<EnvelopeId>(envelopeId)!,
    foundBy: "event",
  });

  assert.deepEqual(sealed, { links: 1, linkings: 0 });
  assert.equal(outcome.kind, "imported");
  await assert.rejects(findTokens(alone.tasks.db, createVault([old!]), linkId), /ENCRYPTION_KEYS/);
});
