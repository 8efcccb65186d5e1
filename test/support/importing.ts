import type { Foundation } from "../../src/foundation.ts";
import { importEnvelope } from "../../src/usecases/importing/import-envelope.ts";
import type { ImportOutcome } from "../../src/usecases/importing/outcome.ts";
import type { Envelope } from "./docusign/state.ts";
import { importRequestOf } from "./linked-world.ts";
import type { World } from "./world.ts";

/** Imports as a job does, and gives what it came to. */
export async function importNow(
  world: World,
  envelope: Envelope,
  tasks: Foundation["tasks"] = world.service.foundation.tasks,
): Promise<ImportOutcome> {
  return await importEnvelope(tasks, await importRequestOf(world, envelope));
}
