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
import {
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  endLink,
  fateOf,
  linkOf,
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
  // The first token call is always the login's.
  return world.docusign.callsTo("/oauth/token").length - 1;
}

test("an expired access token is refreshed once, however many imports in two processes ask at the same time", async () => {
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

test("an access token that DocuSign rejects before its expiry is refreshed once, however many imports ask", async () => {
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

test("an access token is refreshed five minutes before it expires, not earlier", async () => {
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

test("an ended link returns no token to any caller", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const linkId = await linkIdOf(world);
  assert.equal((await endLink(world)).status, 204);

  const asked = createAccessTokens(world.service.foundation.tasks).get(linkId);

  await assert.rejects(asked, { kind: "authorization-gone", code: "link-ended" });
});

test("a new refresh token is stored before the access token that came with it is used", async () => {
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

test("losing the database just as DocuSign issues new tokens loses no token", async () => {
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

test("single-use refresh tokens keep a link working for months", async () => {
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

test("a refresh that fails temporarily stops nothing permanently", async () => {
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

test("encryption keys rotate: the old key decrypts, the new key encrypts, and the old key can go after re-encryption", async () => {
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
