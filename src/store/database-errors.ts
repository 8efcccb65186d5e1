import pg from "pg";

/**
 * The connection failed or broke; PostgreSQL is starting, ending or out of resources; it is a standby after a failover; or
 * a lock or load of a different session was in the way.
 */
const UNAVAILABLE =
  /^(08\d{3}|25006|26000|40001|40P01|42P05|53\d{3}|55P03|57014|57P0\d|58\d{3}|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)$/;
/** Messages of pg without a code, and of PostgreSQL with an ambiguous code, while connections are not accepted. */
const UNAVAILABLE_MESSAGES =
  /^(timeout exceeded when trying to connect|Query read timeout|Connection terminated|Client (has encountered a connection error|was closed) and is not queryable)|is not currently accepting connections$/;
/** The session cannot write; it lost its prepared statements, or has others under their names. */
const SESSION_UNFIT = /^(25006|26000|42P05)$/;
/** A prepared statement that a migration has outdated; its code is ambiguous. */
const STATEMENT_OUTDATED = "cached plan must not change result type";
/** Classes 0A (not supported), 21 and 22 (data), 23 (constraints), 42 (syntax and access), GW (graphile-worker). */
const STATEMENT_WRONG = /^(0A|2[123]|42|GW)/;
/** Classes 22 (data exception) and 23 (integrity constraint violation). */
const DATA_REJECTED = /^2[23]/;
const PERMISSION_DENIED = "42501";
const UNIQUE_VIOLATION = "23505";
const LOCK_NOT_AVAILABLE = "55P03";

/** True if the database cannot be reached now: the same may succeed later. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return UNAVAILABLE.test(codeOf(error)) || UNAVAILABLE_MESSAGES.test(error.message);
}

/** True if the same statement may succeed on another connection only. A client's own errors are the connection's. */
export function isSessionUnfit(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return true;
  return SESSION_UNFIT.test(codeOf(error)) || isStatementOutdated(error);
}

/** True if a migration has outdated the prepared statement. The same text may be prepared again. */
export function isStatementOutdated(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.message === STATEMENT_OUTDATED;
}

/** True if the statement itself is wrong: it fails however often it is repeated. */
export function isStatementWrong(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return true;
  return STATEMENT_WRONG.test(codeOf(error)) && !isSessionUnfit(error);
}

/** True if the role lacks a right, here or in the cause. */
export function isPermissionDenied(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return codeOf(error) === PERMISSION_DENIED || isPermissionDenied(error.cause);
}

/** True if the database rejected the data: the same fails again. */
export function isDataRejected(error: unknown): boolean {
  return DATA_REJECTED.test(codeOf(error));
}

/** True if a statement gave up waiting for a lock. */
export function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === LOCK_NOT_AVAILABLE;
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

/** The error's SQLSTATE or the system's own code; empty if it has none. */
function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
