import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { copyDatabase } from "../support/database-copy.ts";
import type { World } from "../support/world.ts";

/** A state of a world that can be restored. */
export type Snapshot = { restore(): Promise<void> };

/** Saves database, documents, Connect configurations and clock. */
export async function takeSnapshot(world: World): Promise<Snapshot> {
  const { db } = world.service.foundation.working;
  const copy = await copyDatabase(db);
  const documents = join(world.config.dataDir, "documents");
  const kept = join(world.config.dataDir, "documents-before");
  await cp(documents, kept, { recursive: true });
  const accounts = [...world.docusign.state.accounts.values()];
  const configurations = accounts.map((account) => ({ account, kept: new Map(account.configurations) }));
  const now = new Date(world.clock.now);
  return {
    restore: async () => {
      await copy.restore();
      await rm(documents, { recursive: true });
      await cp(kept, documents, { recursive: true });
      for (const { account, kept: before } of configurations) {
        account.configurations.clear();
        for (const [id, configuration] of before) account.configurations.set(id, configuration);
      }
      world.clock.now = new Date(now);
    },
  };
}
