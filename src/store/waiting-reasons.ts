import { type RawBuilder, sql } from "kysely";

/** Version 0.1 cannot explain these reasons. It reads them as `import-failed`, with the reason in front of the error. */
const NEW_REASONS: readonly string[] = ["document-store-unavailable", "on-another-site"];
const KNOWN_TO_ALL = "import-failed";

type Reason = { readonly reason: string; readonly error: string | null };

/** Returns the columns of a reason and its error. */
export function reasonColumns({ reason, error }: Reason): { reason: string; last_error: string | null } {
  if (!NEW_REASONS.includes(reason)) return { reason, last_error: error };
  return { reason: KNOWN_TO_ALL, last_error: `${reason}:${error ?? ""}` };
}

/** Reads a reason and its error from their columns. */
export function readReason(row: { readonly reason: string; readonly last_error: string | null }): Reason {
  const [reason = "", error = ""] = row.last_error?.split(/:(.*)/s) ?? [];
  if (row.reason !== KNOWN_TO_ALL || !NEW_REASONS.includes(reason))
    return { reason: row.reason, error: row.last_error };
  return { reason, error: error === "" ? null : error };
}

/** The reason of a row of `envelope`, in SQL. Without parameters, so that `group by` recognizes it. */
export const REASON: RawBuilder<string> = sql`
  case when reason = ${sql.lit(KNOWN_TO_ALL)} and split_part(last_error, ':', 1) in (${sql.join(NEW_REASONS.map(sql.lit))})
    then split_part(last_error, ':', 1) else reason end`;
