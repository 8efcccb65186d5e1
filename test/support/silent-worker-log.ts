import { Logger } from "graphile-worker";

/** graphile-worker logs to the console unless it is passed a logger. */
export const silentWorkerLog = new Logger(() => () => {});
