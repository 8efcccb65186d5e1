import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { sql } from "kysely";
import { CUSTOMER, createLinkedCompanies } from "../support/linked-world.ts";
import { createWorld } from "../support/world.ts";
import { environmentOf, startProgram } from "./commands.ts";

const SHUTDOWN_SECONDS = 1;
const SETTINGS = { HOST: "127.0.0.1", PORT: "0", SHUTDOWN_TIMEOUT: String(SHUTDOWN_SECONDS) };

test("workers that cannot start end the process with exit code 1 and the cause in one line", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.working;
  await sql`alter function graphile_worker.add_job rename to gone`.execute(db);

  const { exit, err, fatal } = await endOf(startProgram(["work"], { ...environmentOf(world), ...SETTINGS }));

  assert.deepEqual([exit, err], [1, ""]);
  assert.equal(fatal.length, 1);
  assert.match(String(fatal[0].err.cause.message), /add_job.* does not exist/);
});

test("a queue that cannot be written ends the process with exit code 1 and one fatal line", async () => {
  await using companies = await createLinkedCompanies({ at: new Date().toISOString(), expectErrors: true });
  const { world, colleague } = companies;
  const { db } = world.service.foundation.working;
  world.docusign.onNext(
    ({ template }) => template.includes("/documents/"),
    async () => void (await sql`alter table graphile_worker._private_jobs rename to gone`.execute(db)),
  );
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });

  const { exit, fatal } = await endOf(startProgram(["work"], { ...environmentOf(world), ...SETTINGS }));

  assert.equal(exit, 1);
  assert.deepEqual(
    fatal.map((line) => [line.msg, line.err.message]),
    [["stopping", "the workers ended unexpectedly"]],
  );
});

const REJECTS = "data:text/javascript,process.on('SIGUSR2',()=>Promise.reject(Error('unhandled')))";

test("an unhandled error ends the process with exit code 1 and one log line", async () => {
  await using companies = await createLinkedCompanies({ at: new Date().toISOString(), expectErrors: true });
  const { world, colleague } = companies;
  const program = startProgram(["work"], {
    ...environmentOf(world),
    ...SETTINGS,
    NODE_OPTIONS: `--import ${REJECTS}`,
  });
  world.docusign.onNext(
    ({ template }) => template.includes("/documents/"),
    async () => void program.kill("SIGUSR2"),
  );
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });

  const { exit, err, fatal } = await endOf(program);

  assert.deepEqual([exit, err], [1, ""]);
  assert.deepEqual(
    fatal.map((line) => [line.msg, line.err.message]),
    [["unexpected error", "unhandled"]],
  );
});

test("SIGTERM ends a process in time even if it starts with an unresponsive database", async () => {
  await using world = await createWorld();
  await using database = await startSilentServer();
  const program = startProgram(["work"], {
    ...environmentOf(world),
    ...SETTINGS,
    DATABASE_URL: database.address,
  });
  await database.connected;

  const begun = performance.now();
  program.kill("SIGTERM");
  const { exit } = await endOf(program);

  const took = performance.now() - begun;
  assert.equal(exit, 0);
  assert.ok(took < SHUTDOWN_SECONDS * 1_000 + 500, `${took} ms`);
});

async function endOf(program: ReturnType<typeof startProgram>) {
  const [out, err, [exit]] = await Promise.all([
    text(program.stdout),
    text(program.stderr),
    once(program, "close"),
  ]);
  const lines = out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
  return { exit, err, fatal: lines.filter(({ level }) => level === 60) };
}

/** Accepts connections and sends nothing. */
async function startSilentServer() {
  const server = createServer();
  const connected = once(server, "connection");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return {
    address: `postgres://torikomi@127.0.0.1:${address.port}/torikomi`,
    connected,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}
