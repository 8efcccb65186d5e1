/** The connection failed or broke; PostgreSQL is starting, ending, or has no room for one more. */
const CODES =
  /^(08\d{3}|57P0[1-3]|53300|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)$/;
/** What pg says without a code, and PostgreSQL, with a code of many meanings, while operators let nobody in. */
const MESSAGES =
  /^(timeout exceeded when trying to connect|Connection terminated)|is not currently accepting connections$/;

/** Whether the error says that the database cannot be reached now, so that the same may succeed later. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && CODES.test(String(error.code))) || MESSAGES.test(error.message);
}
