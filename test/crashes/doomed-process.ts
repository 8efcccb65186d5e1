import { pino } from "pino";
import type { DocumentStore } from "../../src/documents/documents.ts";
import { type Foundation, openFoundation } from "../../src/foundation.ts";
import { interceptPool } from "../support/intercept-pool.ts";
import type { World } from "../support/world.ts";
import { type Fate, Struck } from "./fate.ts";

/**
 * A second process of the world's service with its own foundation. Each of its statements, document store writes and calls
 * to DocuSign is a step that can fail. No other process may call DocuSign meanwhile.
 */
export async function startDoomed(world: World, fate: Fate): Promise<Foundation> {
  const foundation = await openFoundation(world.config, {
    log: pino({ level: "silent" }),
    now: () => new Date(world.clock.now),
  });
  doomPool(foundation.working, fate);
  doomDocuments(foundation.tasks.documents, fate);
  world.docusign.cutWhere(({ method, template }) => {
    const met = fate.meet(`${method} ${template}`);
    if (met === "done") return null;
    return met === "undone" ? "before" : "after";
  });
  const close = foundation[Symbol.asyncDispose].bind(foundation);
  return {
    ...foundation,
    [Symbol.asyncDispose]: async () => {
      world.docusign.cutWhere(null);
      await close();
    },
  };
}

/** A failure ends the connection, as a network or server failure does. The session's locks are released. */
function doomPool({ pool }: Foundation["working"], fate: Fate): void {
  interceptPool(pool, async (statement, act, endSession) => {
    try {
      return await fate.take(nameOf(statement), act);
    } catch (error) {
      if (error instanceof Struck) await endSession();
      throw error;
    }
  });
}

function nameOf(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ").slice(0, 60);
}

function doomDocuments(documents: DocumentStore, fate: Fate): void {
  const { put, erase } = documents;
  const doomed: Pick<DocumentStore, "put" | "erase"> = {
    put: async (key, source) => {
      try {
        return await fate.take("store a document", async () => await put(key, source));
      } finally {
        // A reader that stops early closes the connection.
        await source[Symbol.asyncIterator]().return?.();
      }
    },
    erase: async (key) => await fate.take("erase a document", async () => await erase(key)),
  };
  Object.assign(documents, doomed);
}
