import { AsyncLocalStorage } from "node:async_hooks";

/** What all log lines of one piece of work bear. */
export type LogContext = { readonly requestId: string } | { readonly jobId: string };

const contexts = new AsyncLocalStorage<LogContext>();

/** Does the work; whatever is logged meanwhile, however deep in it, tells which request or job it belongs to. */
export function withLogContext<T>(context: LogContext, work: () => T): T {
  return contexts.run(context, work);
}

/** For pino's `mixin`, which adds a line's own fields to what it is given: so it is given an object of its own. */
export function logContext(): object {
  return { ...contexts.getStore() };
}
