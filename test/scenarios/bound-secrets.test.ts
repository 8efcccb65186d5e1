import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { LinkId } from "../../src/domain/identifiers.ts";
import { findTokens } from "../../src/store/links/link-tokens.ts";
import { takeLinking } from "../../src/store/links/linkings.ts";
import { createVault, UnopenedSecret } from "../../src/store/links/vault.ts";
import { hashState } from "../../src/usecases/linking/begin-linking.ts";
import { runCommand } from "../cli/commands.ts";
import { createLinkedCompanies, linkIdOf } from "../support/linked-world.ts";
import { begin } from "../support/linking-steps.ts";
import type { World } from "../support/world.ts";

const HOUR_MS = 60 * 60 * 1000;

test("a sealed text is opened only for the purpose, tenant and row that it was sealed for", () => {
  const vault = createVault([{ id: "key", key: randomBytes(32) }]);
  const sealed = vault.seal("secret", ["purpose", "tenant", "row"]);

  assert.equal(vault.open(sealed, ["purpose", "tenant", "row"]), "secret");
  for (const place of [
    ["other", "tenant", "row"],
    ["purpose", "other", "row"],
    ["purpose", "tenant", "other"],
    ["purpose", "tenantrow"],
    ["purpose"],
  ] as const) {
    assert.throws(() => vault.open(sealed, place), UnopenedSecret);
  }
  assert.throws(() => vault.openUnbound(sealed), UnopenedSecret);
  assert.throws(() => vault.openUnbound(sealed.replace("v2.", "v1.")), UnopenedSecret);
  assert.throws(() => vault.open(vault.sealUnbound("secret"), ["purpose"]), UnopenedSecret);
});

test("tokens moved to another link or column, and verifiers moved to another linking, cannot be decrypted", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const other = world.docusign.addUser(world.docusign.addAccount({ name: "乙" }), {
    name: "高橋",
    role: "DS Admin",
  });
  assert.equal(await world.link(other, { tenant: "tenant-2" }), "linked");
  const states = [await stateOf(world, "tenant-3"), await stateOf(world, "tenant-4")];
  const { pool } = world.service.foundation.working;
  const { db, vault } = world.service.foundation.tasks;
  const links = [await linkIdOf(world), await linkIdOf(world, "tenant-2")];
  for (const link of links) assert.ok((await findTokens(db, vault, link)) !== null);

  await pool.query(
    `update link_token as a set (refresh_token, access_token, bound_refresh_token, bound_access_token, bound_at,
      renewed_at) = (select refresh_token, access_token, bound_refresh_token, bound_access_token, bound_at, renewed_at
      from link_token as b where b.link_id <> a.link_id)`,
  );
  for (const link of links) await assert.rejects(findTokens(db, vault, link), UnopenedSecret);

  await pool.query(
    `update linking as a set (code_verifier, bound_code_verifier) =
      (select code_verifier, bound_code_verifier from linking as b where b.state_hash <> a.state_hash)`,
  );
  for (const [index, state] of states.entries()) {
    const by = { tenant: `tenant-${index + 3}`, subject: `owner of tenant-${index + 3}` };
    await assert.rejects(takeLinking(db, vault, hashState(state), by), UnopenedSecret);
  }
});

test("a refresh token that is put where the access token belongs cannot be decrypted", async () => {
  await using companies = await createLinkedCompanies();
  const { db, vault } = companies.world.service.foundation.tasks;
  const link = await linkIdOf(companies.world);

  await companies.world.service.foundation.working.pool.query(
    "update link_token set bound_access_token = bound_refresh_token",
  );

  await assert.rejects(findTokens(db, vault, link), UnopenedSecret);
});

test("tokens that version 0.1 refreshed are read, shown by doctor, and bound by re-encryption", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { db, vault } = world.service.foundation.tasks;
  const link = await linkIdOf(world);
  await refreshAsFirstVersion(world, link);

  const read = await findTokens(db, vault, link);
  const doctor = await runCommand(world, "doctor");
  const { out } = await runCommand(world, "reencrypt");
  const again = await runCommand(world, "reencrypt");
  await spoilOldColumns(world);

  assert.deepEqual(read?.accessToken, "access of 0.1");
  assert.match(doctor.out, /^ok {3}encryption keys: .*; 1 stored by version 0\.1: run torikomi reencrypt$/m);
  assert.equal(out, "re-encrypted the tokens of 1 link and 0 pending linkings\n");
  assert.equal(again.out, "re-encrypted the tokens of 0 links and 0 pending linkings\n");
  assert.deepEqual(await findTokens(db, vault, link), read);
});

test("a pending linking of version 0.1 is bound by re-encryption and can be finished", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { db, vault } = world.service.foundation.tasks;
  const state = await stateOf(world, "tenant-2");
  const { pool } = world.service.foundation.working;
  await pool.query("update linking set bound_code_verifier = null");

  const { out } = await runCommand(world, "reencrypt");
  await pool.query("update linking set code_verifier = 'gone'");

  assert.equal(out, "re-encrypted the tokens of 0 links and 1 pending linking\n");
  const by = { tenant: "tenant-2", subject: "owner of tenant-2" };
  assert.match((await takeLinking(db, vault, hashState(state), by))?.codeVerifier ?? "", /^[\w-]{43}$/);
});

test("tokens stay readable if version 0.1 re-encrypted them after a roll-back and the older key is removed", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { db, vault } = world.service.foundation.tasks;
  const link = await linkIdOf(world);
  const before = await findTokens(db, vault, link);
  assert.ok(before !== null);
  const later = createVault([{ id: "later", key: randomBytes(32) }]);
  await db
    .updateTable("link_token")
    .set({
      refresh_token: later.sealUnbound(before.refreshToken),
      access_token: later.sealUnbound(before.accessToken),
    })
    .execute();

  assert.deepEqual(await findTokens(db, later, link), before);
});

/** Begins a linking and returns its state. */
async function stateOf(world: World, tenant: string): Promise<string> {
  return new URL(await begin(world, { tenant })).searchParams.get("state") ?? "";
}

/** Stores tokens as version 0.1 does: it knows only the old columns. */
async function refreshAsFirstVersion(world: World, linkId: LinkId): Promise<void> {
  const { db, vault } = world.service.foundation.tasks;
  world.clock.pass(HOUR_MS);
  await db
    .updateTable("link_token")
    .set({
      refresh_token: vault.sealUnbound("refresh of 0.1"),
      access_token: vault.sealUnbound("access of 0.1"),
      renewed_at: world.clock.now,
    })
    .where("link_id", "=", linkId)
    .execute();
}

async function spoilOldColumns(world: World): Promise<void> {
  const { db } = world.service.foundation.tasks;
  await db.updateTable("link_token").set({ refresh_token: "gone", access_token: "gone" }).execute();
}
