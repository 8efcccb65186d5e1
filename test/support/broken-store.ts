import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { World } from "./world.ts";

/** From now on the document store of the world refuses writes with ENOTDIR. */
export async function breakStore({ config }: Pick<World, "config">): Promise<void> {
  await rename(folderOf(config.dataDir), `${folderOf(config.dataDir)}-away`);
  await writeFile(folderOf(config.dataDir), "in the way");
}

/** The store accepts writes again, with the documents that it had. */
export async function repairStore({ config }: Pick<World, "config">): Promise<void> {
  await rm(folderOf(config.dataDir));
  await rename(`${folderOf(config.dataDir)}-away`, folderOf(config.dataDir));
}

function folderOf(dataDir: string): string {
  return join(dataDir, "documents");
}
