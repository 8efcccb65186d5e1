import { createHash } from "node:crypto";
import { type RawBuilder, sql } from "kysely";

/** The name of a statement; null for one that is sent without a name. */
export type StatementNames = (text: string) => string | null;

/** A connection keeps the plans of all its named statements in memory. */
const MOST_NAMES = 300;
/** Texts that were seen once. More of them are texts that vary, such as lists of values. */
const MOST_SEEN = 3_000;
const PLANNED = /^\s*(select|with|insert|update|delete)\b/i;
const MARK = "/* planned once */";

/** Part of a statement whose one plan serves all values, for connections that only plan these once. */
export const PLANNED_ONCE: RawBuilder<unknown> = sql.raw(MARK);

/**
 * Names statements that are used again, so that each connection parses and plans them once. Equal texts have equal names
 * in all processes.
 */
export function createStatementNames(which: "all" | "marked"): StatementNames {
  const isMeant = (text: string): boolean => PLANNED.test(text) && (which === "all" || text.includes(MARK));
  const names = new Map<string, string | null>();
  let named = 0;
  return (text) => {
    const known = names.get(text);
    if (known !== undefined && known !== null) return known;
    if (known === undefined) {
      if (names.size < MOST_SEEN && isMeant(text)) names.set(text, null);
      return null;
    }
    if (named === MOST_NAMES) return null;
    named += 1;
    const name = createHash("sha256").update(text).digest("hex").slice(0, 32);
    names.set(text, name);
    return name;
  };
}
