import { AsyncLocalStorage } from "node:async_hooks";

/** The fields that all log lines of one request or job carry. */
export type LogContext = { readonly requestId: string } | { readonly jobId: string };

const contexts = new AsyncLocalStorage<LogContext>();

/** Runs the work. All log lines within it carry the request or job they belong to. */
export function withLogContext<T>(context: LogContext, work: () => T): T {
  return contexts.run(context, work);
}

/** For pino's `mixin`, which modifies the object that it gets: so each line gets a new one. */
export function logContext(): object {
  return { ...contexts.getStore() };
}
