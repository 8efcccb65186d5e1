import {
  type ImportDeps,
  type ImportOutcome,
  importEnvelope,
} from "../../src/usecases/importing/import-envelope.ts";
import type { Envelope } from "./docusign/state.ts";
import { importRequestOf } from "./linked-world.ts";
import type { World } from "./world.ts";

/** Imports as a job does, and gives what it came to. */
export async function importNow(
  world: World,
  envelope: Envelope,
  tasks: ImportDeps = world.service.foundation.tasks,
): Promise<ImportOutcome> {
  return await importEnvelope(tasks, await importRequestOf(world, envelope));
}
