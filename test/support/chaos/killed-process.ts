import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { unlockDeadWorkers } from "../../../src/jobs/worker-pools.ts";
import type { World } from "../world.ts";
import { ownWorkers, type Workers } from "./chaos.ts";
import type { Random } from "./random.ts";

const PROGRAM = fileURLToPath(new URL("worker-process.ts", import.meta.url));
const LONGEST_AFTERLIFE_MS = 40;
/** A few of the calls that it makes of a slice's envelopes. */
const MOST_CALLS = 60;

/**
 * Every other worker that may be killed is a process of its own, killed with SIGKILL amid its work; what it had locked
 * is given back by the look for dead workers. The others are this process's own.
 */
export const killedProcesses: Workers = async (world, random, killed) => {
  if (!killed || random.chance(0.5)) return await ownWorkers(world, random, killed);
  await workUntilKilled(world, random);
  const { db } = world.service.foundation.working;
  await unlockDeadWorkers({ db, log: pino({ level: "silent" }), patienceMs: 0 });
};

async function workUntilKilled(world: World, random: Random): Promise<void> {
  const child = fork(PROGRAM, { serialization: "advanced", execArgv: [], stdio: "ignore" });
  const exited = once(child, "exit");
  const calls = 1 + random.below(MOST_CALLS);
  const afterlife = random.below(LONGEST_AFTERLIFE_MS);
  killAtCall(world, child, { calls, afterlife });
  const done = once(child, "message");
  child.send({ config: world.config, now: new Date(world.clock.now) });
  await Promise.race([done, exited]);
  child.kill("SIGKILL");
  await exited;
}

function killAtCall(
  world: World,
  child: ChildProcess,
  { calls, afterlife }: { calls: number; afterlife: number },
): void {
  let seen = 0;
  const isTheCall = (): boolean => {
    if (child.exitCode === null && child.signalCode === null) seen += 1;
    return seen === calls;
  };
  world.docusign.onNext(isTheCall, () => void sleep(afterlife).then(() => child.kill("SIGKILL")));
}
