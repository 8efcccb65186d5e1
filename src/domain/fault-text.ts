/** What a fault says, in one line, its cause's code or words included; of several at once, the first's. */
export function describeFault(fault: unknown): string {
  if (!(fault instanceof Error)) return oneLine(String(fault));
  // A connection that is refused under each of a host's addresses has words in its parts only.
  if (fault.message === "" && fault instanceof AggregateError) return describeFault(fault.errors[0]);
  const own = oneLine(fault.message) || fault.name;
  const cause = fault.cause instanceof Error ? describeFault(fault.cause) : "";
  return own.includes(cause) ? own : `${own} (${cause})`;
}

function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}

/**
 * What a log may hold of an error: names, messages, codes and stacks along its causes. Other properties are left out,
 * since database and HTTP clients put rows, headers and bodies there.
 */
export function describeError(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  const cause =
    error.cause instanceof Error && depth < 5 ? { cause: describeError(error.cause, depth + 1) } : {};
  return { type: error.name, message: error.message, ...code, stack: error.stack, ...cause };
}
