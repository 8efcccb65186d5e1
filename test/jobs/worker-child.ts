import process from "node:process";
import { run } from "graphile-worker";
import { startWorkerLock } from "../../src/jobs/worker-pools.ts";
import { silentWorkerLog } from "../support/silent-worker-log.ts";

// A worker process to be killed: takes the job `endless`, reports that, and never finishes it.
const connectionString = process.argv[2] ?? "";
const lock = startWorkerLock(connectionString);
const { promise } = await run({
  connectionString,
  events: lock.events,
  logger: silentWorkerLog,
  noHandleSignals: true,
  concurrency: 1,
  pollInterval: 100,
  taskList: {
    endless: async () => {
      process.stdout.write("working\n");
      await new Promise(() => setInterval(() => {}, 60_000));
    },
  },
});
await promise;
