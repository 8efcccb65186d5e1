import assert from "node:assert/strict";
import { test } from "node:test";
import { findTokens } from "../../src/store/links/link-tokens.ts";
import { takeLinking } from "../../src/store/links/linkings.ts";
import { findCurrentLink } from "../../src/store/links/links.ts";
import { createVault } from "../../src/store/links/vault.ts";
import { hashState } from "../../src/usecases/linking/begin-linking.ts";
import { createLinkedCompanies } from "../support/linked-world.ts";
import { runCommand } from "./commands.ts";

test("after re-encryption the old key is no longer needed, for links and pending linkings", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { db } = world.service.foundation.tasks;
  const link = await findCurrentLink(db, "tenant-1");
  assert.ok(link !== null);
  await (await world.api("tenant-2")).send("PUT", "/v1/groups/group-1", { name: "契約書" });
  const begun = await (await world.api("tenant-2")).send("POST", "/v1/link", { groupId: "group-1" });
  const state = new URL(begun.body.authorizationUrl).searchParams.get("state");
  const newer = { id: "newer", key: Buffer.alloc(32, 7) };
  const vault = createVault([newer, ...world.config.encryptionKeys]);

  const first = await runCommand(world, "reencrypt", { deps: { vault } });
  const second = await runCommand(world, "reencrypt", { deps: { vault } });

  assert.deepEqual([first.exit, second.exit], [0, 0]);
  assert.equal(first.out, "re-encrypted the tokens of 1 link and 1 pending linking\n");
  assert.equal(second.out, "re-encrypted the tokens of 0 links and 0 pending linkings\n");
  const without = createVault([newer]);
  assert.ok((await findTokens(db, without, link.id)) !== null);
  const by = { tenant: "tenant-2", subject: "owner of tenant-2" };
  assert.ok((await takeLinking(db, without, hashState(state ?? ""), by)) !== null);
});

test("a secret that no key decrypts ends the command with the key's name", async () => {
  await using companies = await createLinkedCompanies();
  const vault = createVault([{ id: "newer", key: Buffer.alloc(32, 7) }]);

  await assert.rejects(
    runCommand(companies.world, "reencrypt", { deps: { vault } }),
    /no encryption key "local".*ENCRYPTION_KEYS/,
  );
});

test("a secret whose key was replaced by another ends the command with the key's name", async () => {
  await using companies = await createLinkedCompanies();
  const vault = createVault([
    { id: "newer", key: Buffer.alloc(32, 7) },
    { id: "local", key: Buffer.alloc(32, 8) },
  ]);

  await assert.rejects(
    runCommand(companies.world, "reencrypt", { deps: { vault } }),
    /encryption key "local" does not open.*ENCRYPTION_KEYS/,
  );
});
