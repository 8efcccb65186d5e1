import process from "node:process";
import { pino } from "pino";
import { type Foundation, openFoundation } from "../../src/foundation.ts";
import { type Task, workDue } from "./workers.ts";

// A worker process that a test kills: runs what is due for the task that it is sent, and reports that it has.

const log = pino({ level: "silent" });
const clock = { now: new Date(0) };
let foundation: Foundation | null = null;

process.on("message", (task: Task) => {
  void work(task).then(
    () => process.send?.("done"),
    // Another worker does what this one cannot do for now.
    () => process.send?.("failed"),
  );
});
process.on("disconnect", () => process.exit());

async function work({ config, now, atOnce }: Task): Promise<void> {
  clock.now = now;
  foundation ??= await openFoundation(config, { log, now: () => new Date(clock.now) });
  await workDue(foundation, { now, atOnce, isAlive: () => true });
}
