import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { sql } from "kysely";
import type { Call } from "../support/docusign/exchange.ts";
import { CUSTOMER, createLinkedCompanies, fateOf } from "../support/linked-world.ts";
import type { World } from "../support/world.ts";
import { environmentOf, startProgram } from "./commands.ts";

const SHUTDOWN_SECONDS = 2;

test("on SIGTERM no connection is taken any more, and what does not end in time is given back to others", async () => {
  await using companies = await createLinkedCompanies({ at: new Date().toISOString(), expectErrors: true });
  const { world, colleague } = companies;
  const isDownload = ({ template }: Pick<Call, "template">): boolean => template.includes("/documents/");
  const downloading = Promise.withResolvers<void>();
  world.docusign.onNext(isDownload, downloading.resolve);
  world.docusign.hangNext(isDownload);
  const child = startProgram(["all"], {
    ...environmentOf(world),
    HOST: "127.0.0.1",
    PORT: "0",
    SHUTDOWN_TIMEOUT: String(SHUTDOWN_SECONDS),
  });
  const port = await portOf(child.stdout);
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await downloading.promise;

  const begun = performance.now();
  child.kill("SIGTERM");
  await refuses(port);
  const refusedAfter = performance.now() - begun;
  const [exit] = await once(child, "close");

  assert.equal(exit, 0);
  assert.ok(refusedAfter < 1_000, `${refusedAfter} ms`);
  assert.ok(performance.now() - begun < (SHUTDOWN_SECONDS + 2) * 1_000);
  assert.equal(await fateOf(world, envelope), "waiting queued");
  assert.deepEqual(await listImportJobs(world), ["import-backlog free due"]);
});

/** The port in the line that says the program is running; the lines after it are read and left. */
async function portOf(output: Readable): Promise<number> {
  const running = Promise.withResolvers<number>();
  const lines = createInterface({ input: output });
  lines.on("close", () => running.reject(new Error("the program ended before it was running")));
  lines.on("line", (line) => {
    const { msg, port } = JSON.parse(line);
    if (msg === "torikomi is running") running.resolve(port);
  });
  return await running.promise;
}

async function refuses(port: number): Promise<void> {
  const connects = async (): Promise<boolean> => {
    const socket = connect({ port, host: "127.0.0.1" });
    return await once(socket, "connect").then(
      () => socket.destroy() !== null,
      () => false,
    );
  };
  while (await connects());
}

async function listImportJobs({ service }: World): Promise<string[]> {
  const { rows } = await sql<{ job: string }>`
    select task_identifier || case when locked_at is null then ' free' else ' locked' end
      || case when run_at <= now() then ' due' else ' later' end as job
    from graphile_worker.jobs where task_identifier like 'import-%'`.execute(service.foundation.back.db);
  return rows.map(({ job }) => job);
}
