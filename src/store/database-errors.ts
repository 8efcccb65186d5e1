import pg from "pg";

/** The connection failed or broke; PostgreSQL is starting, ending, or has no room for one more. */
const UNAVAILABLE =
  /^(08\d{3}|57P0[1-3]|53300|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)$/;
/** What pg says without a code, and PostgreSQL, with a code of many meanings, while operators let nobody in. */
const UNAVAILABLE_MESSAGES =
  /^(timeout exceeded when trying to connect|Connection terminated)|is not currently accepting connections$/;
/** Classes 08 (connection exception) and 57P (operator intervention). */
const CONNECTION_ENDED = /^(08|57P)/;
/** Classes 22 (data exception) and 23 (integrity constraint violation). */
const DATA_REJECTED = /^2[23]/;
const UNIQUE_VIOLATION = "23505";
const SERIALIZATION_FAILURE = "40001";

/** True if the database cannot be reached now: the same may succeed later. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return UNAVAILABLE.test(codeOf(error)) || UNAVAILABLE_MESSAGES.test(error.message);
}

/** True if the statement's connection is lost. An error that the server did not report is the connection's own. */
export function isConnectionLost(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || CONNECTION_ENDED.test(codeOf(error));
}

/** True if the database rejected the data: the same fails again. */
export function isDataRejected(error: unknown): boolean {
  return DATA_REJECTED.test(codeOf(error));
}

/** True if the write would have broken the unique constraint or index of this name. */
export function isUniqueViolation(error: unknown, constraint: string): boolean {
  return (
    error instanceof Error &&
    codeOf(error) === UNIQUE_VIOLATION &&
    "constraint" in error &&
    error.constraint === constraint
  );
}

/** An error that callers take for `serialization_failure`, after which they repeat their transaction. */
export function serializationFailure(message: string, cause: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code: SERIALIZATION_FAILURE });
}

/** The error's SQLSTATE or the system's own code; empty if it has none. */
function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
