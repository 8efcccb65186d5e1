import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { createVault, type Vault } from "../../src/store/links/vault.ts";

const RUNBOOK = await readFile(new URL("../../docs/operations.md", import.meta.url), "utf8");

const KEYS: Readonly<Record<string, Buffer>> = { OLDID: Buffer.alloc(32, 1), NEWID: Buffer.alloc(32, 2) };

/** The consecutive lists of key ids in ENCRYPTION_KEYS during the runbook's rotation. */
function listSteps(): string[][] {
  const [, section = ""] = /^### Encryption keys\n(.*?)^##/ms.exec(RUNBOOK) ?? [];
  const lists = [...section.matchAll(/`((?:\w+:KEY,?)+)`/g)].map(([, list = ""]) => list);
  return lists.map((list) => list.split(",").map((key) => key.replace(":KEY", "")));
}

test("at each rollout of the runbook's key rotation, old and new pods decrypt each other's secrets", () => {
  const steps = [["OLDID"], ...listSteps()];
  const vaults = steps.map((ids) => createVault(ids.map((id) => ({ id, key: KEYS[id] ?? Buffer.alloc(0) }))));

  const misunderstood = vaults.slice(1).flatMap((after, index) => {
    const before = vaults[index] ?? after;
    return opens(before, after) && opens(after, before) ? [] : [steps[index + 1]];
  });

  assert.deepEqual(misunderstood, []);
  assert.deepEqual(steps.at(-1), ["NEWID"]);
});

function opens(reader: Vault, sealer: Vault): boolean {
  try {
    return (
      reader.open(sealer.seal("token", ["test"]), ["test"]) === "token" &&
      reader.openUnbound(sealer.sealUnbound("token")) === "token"
    );
  } catch {
    return false;
  }
}
