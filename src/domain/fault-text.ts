/** Describes a fault in one line, including its cause's code or message. For an aggregate, describes the first error. */
export function describeFault(fault: unknown): string {
  if (!(fault instanceof Error)) return oneLine(String(fault));
  // If every address of a host refuses the connection, only the parts of the aggregate have messages.
  if (fault.message === "" && fault instanceof AggregateError) return describeFault(fault.errors[0]);
  const own = oneLine(fault.message) || fault.name;
  const cause = fault.cause instanceof Error ? describeFault(fault.cause) : "";
  return own.includes(cause) ? own : `${own} (${cause})`;
}

function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}

/**
 * Reduces an error to what a log may contain: names, messages, codes and stacks along its causes. Database and HTTP
 * clients put rows, headers and bodies into other properties.
 */
export function describeError(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  const cause =
    error.cause instanceof Error && depth < 5 ? { cause: describeError(error.cause, depth + 1) } : {};
  return { type: error.name, message: error.message, ...code, stack: error.stack, ...cause };
}
