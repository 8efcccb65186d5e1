import process from "node:process";
import { pino } from "pino";
import type { Config } from "../../../src/config.ts";
import { type Foundation, openFoundation } from "../../../src/foundation.ts";
import { workDue } from "./worker.ts";

// A worker process to be killed: told of a service and of the time, it does what is due then, and says that it has.

export type Task = { readonly config: Config; readonly now: Date };

const log = pino({ level: "silent" });
const clock = { now: new Date(0) };
let foundation: Foundation | null = null;

process.on("message", (task: Task) => {
  void work(task).then(
    () => process.send?.("done"),
    // What a worker cannot do for now, another one does.
    () => process.send?.("failed"),
  );
});
process.on("disconnect", () => process.exit());

async function work({ config, now }: Task): Promise<void> {
  clock.now = now;
  foundation ??= await openFoundation(config, { log, now: () => new Date(clock.now) });
  await workDue(foundation, clock, () => true);
}
