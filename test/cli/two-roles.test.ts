import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

import { createUnsharedDatabase } from "../support/postgres.ts";
import { createWorld } from "../support/world.ts";
import { environmentOf, runProgram, startProgram } from "./commands.ts";

test("torikomi migrate as the owner grants the runtime role, which then suffices for all", async () => {
  await using shared = await createUnsharedDatabase();
  await using world = await createWorld();
  const runtime = { ...environmentOf(world), DATABASE_URL: shared.runtimeUrl, PORT: "0" };
  const owner = { DATABASE_URL: shared.ownerUrl, DATABASE_RUNTIME_ROLE: shared.runtimeRole };

  const early = await runProgram(["all"], runtime);
  const first = await runProgram(["migrate"], owner);
  const second = await runProgram(["migrate"], owner);
  const running = startProgram(["all"], runtime);
  let started = "";
  for await (const chunk of running.stdout) {
    started += String(chunk);
    if (started.includes("torikomi is running")) break;
  }
  running.kill();
  const [exit] = await once(running, "exit");

  assert.equal(early.exit, 1);
  assert.match(
    early.err,
    /^torikomi: migrations are not current, or the role lacks privileges: run torikomi migrate as the owner \(permission denied for /,
  );
  const granted = `granted ${shared.runtimeRole} what serving and working need\n`;
  assert.deepEqual([first.exit, first.err], [0, ""]);
  assert.match(first.out, /^applied 0001-/);
  assert.ok(first.out.endsWith(granted), first.out);
  assert.deepEqual(second, { exit: 0, err: "", out: `the database is current\n${granted}` });
  assert.equal(exit, 0, started);
});

test("a runtime role that does not exist ends torikomi migrate with one line", async () => {
  await using shared = await createUnsharedDatabase();

  const migrated = await runProgram(["migrate"], {
    DATABASE_URL: shared.ownerUrl,
    DATABASE_RUNTIME_ROLE: "nobody",
  });

  assert.deepEqual(migrated, {
    exit: 1,
    out: "",
    err: 'torikomi: DATABASE_RUNTIME_ROLE: the role "nobody" does not exist: create it, then migrate again\n',
  });
});
