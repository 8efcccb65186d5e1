import assert from "node:assert/strict";
import { test } from "node:test";
import {
  endOutage,
  findOutage,
  forgetOutage,
  recordFailedProbe,
  recordOutage,
} from "../../src/store/outages.ts";
import { createWorld } from "../support/world.ts";

const NOW = new Date("2031-01-15T03:00:00Z");

test("probes of an outage wait twice as long each time, up to a minute, also after a relapse", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.working;
  const waits: (number | null)[] = [];
  const note = (probeAt: Date | null): void => {
    waits.push(probeAt === null ? null : (probeAt.getTime() - NOW.getTime()) / 1000);
  };

  note(await recordOutage(db, "AccessDenied", NOW));
  note(await recordFailedProbe(db, "AccessDenied", NOW));
  note(await recordFailedProbe(db, "SlowDown", NOW));
  await endOutage(db, NOW);
  note(await recordOutage(db, "AccessDenied", NOW));
  for (const code of ["a", "b", "c"]) note(await recordFailedProbe(db, code, NOW));
  await endOutage(db, NOW);
  await forgetOutage(db);
  note(await recordOutage(db, "ENOSPC", NOW));

  assert.deepEqual(waits, [5, 10, 20, 40, 60, 60, 60, 5]);
});

test("of writes that are refused at the same time, one begins the outage", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.working;

  const began = await Promise.all([1, 2, 3, 4].map(async () => await recordOutage(db, "ENOSPC", NOW)));

  assert.equal(began.filter((probeAt) => probeAt !== null).length, 1);
  assert.deepEqual(await findOutage(db), {
    code: "ENOSPC",
    since: NOW,
    probeAt: new Date("2031-01-15T03:00:05Z"),
    endedAt: null,
  });
});

test("an outage that has not ended is neither forgotten nor probed twice", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.working;
  await recordOutage(db, "ENOSPC", NOW);

  await forgetOutage(db);
  assert.equal((await findOutage(db))?.code, "ENOSPC");
  await endOutage(db, NOW);

  assert.equal(await recordFailedProbe(db, "late", NOW), null);
});
