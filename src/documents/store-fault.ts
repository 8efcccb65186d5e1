import type { MeasuredSource } from "./measure.ts";

/** The document store refused a write. `code` is the store's own error code, such as `ENOSPC` or `AccessDenied`. */
export class DocumentStoreFault extends Error {
  override readonly name = "DocumentStoreFault";
  readonly code: string;

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.code = storeErrorCode(cause);
  }
}

/** Runs a write. An error of the source is thrown unchanged; any other error becomes a DocumentStoreFault. */
export async function storing(
  { sourceError }: Pick<MeasuredSource, "sourceError">,
  write: () => Promise<void>,
): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw sourceError() ?? new DocumentStoreFault(error);
  }
}

/** Returns the store's own code for an error, or for the cause of one; `unknown` if it has none. */
export function storeErrorCode(error: unknown): string {
  if (error instanceof DocumentStoreFault) return error.code;
  if (!(error instanceof Error)) return "unknown";
  const code = [error.name, "code" in error ? error.code : null].find(isTelling) ?? statusOf(error);
  return code ?? storeErrorCode(error.cause);
}

/** Names that JavaScript and the SDK give to every error. */
const VAGUE: ReadonlySet<unknown> = new Set([
  "Error",
  "TypeError",
  "AggregateError",
  "Unknown",
  "UnknownError",
]);

/** Codes appear in logs and metrics, so only a plain word is accepted. */
function isTelling(code: unknown): code is string {
  return typeof code === "string" && /^[A-Za-z][\w.-]{0,99}$/.test(code) && !VAGUE.has(code);
}

/** The SDK attaches the status of S3's answer, which may have no body. */
function statusOf(error: Error): string | null {
  const metadata = "$metadata" in error ? error.$metadata : null;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return null;
  return `http-${Number(metadata.httpStatusCode)}`;
}
