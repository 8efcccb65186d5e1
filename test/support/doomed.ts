import type { Database } from "../../src/store/database.ts";
import { openDatabase } from "../../src/store/database.ts";

/** A database as a process sees it that is killed: from its `last` statement on nothing is carried out any more. */
export type DoomedDatabase = AsyncDisposable & {
  readonly db: Database;
  /** Statements that were begun. */
  readonly statements: () => number;
  readonly isAlive: () => boolean;
  /** The process is killed now. */
  readonly kill: () => void;
};

/** Opens it with connections of its own, whose end frees what they hold, as a process's end does. */
export function openDoomed(connectionString: string, last: number): DoomedDatabase {
  const { db, close } = openDatabase(connectionString);
  let statements = 0;
  let killed = false;
  return {
    db: db.withPlugin({
      transformQuery: ({ node }) => {
        statements += 1;
        killed ||= statements >= last;
        if (killed) throw new Error("killed");
        return node;
      },
      transformResult: async ({ result }) => result,
    }),
    statements: () => statements,
    isAlive: () => !killed,
    kill: () => {
      killed = true;
    },
    [Symbol.asyncDispose]: close,
  };
}
