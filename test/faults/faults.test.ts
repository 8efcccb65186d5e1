import assert from "node:assert/strict";
import { test } from "node:test";
import { cutConnections } from "../support/trials/activity.ts";
import { missingPrograms } from "../support/trials/ingress.ts";
import { runTrial } from "../support/trials/trial.ts";

const missing = missingPrograms();

/** The short form of `npm run trials`: as many faults as fit into one short time. */
test("processes killed, ended and cut off from PostgreSQL under load break no promise", {
  skip: missing.length > 0 && `not installed: ${missing.join(", ")}`,
}, async () => {
  const result = await runTrial(
    {
      name: "short",
      fault: "a `serve` and a `work` killed, connections cut, the others ended by SIGTERM",
      isTold: true,
      befall: async (ground) => {
        await Promise.all([ground.replace("serve-1", "SIGKILL"), ground.replace("work-1", "SIGKILL")]);
        await cutConnections(ground.database.db);
        await Promise.all([ground.replace("serve-2", "SIGTERM"), ground.replace("work-2", "SIGTERM")]);
      },
    },
    { ground: {}, pace: { perSecond: 4, beforeMs: 1_500, afterMs: 1_000 }, restMs: 0 },
  );

  assert.deepEqual(result.problems, []);
  assert.ok(result.lost > 0, "the reconciliation had nothing to find");
});
