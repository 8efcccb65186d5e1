import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { type EnvelopeId, type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { openFoundation } from "../../src/foundation.ts";
import { importEnvelope } from "../../src/usecases/importing/import-envelope.ts";
import { reconcileStep } from "../../src/usecases/reconciling/reconcile-link.ts";
import { interceptPool } from "../support/intercept-pool.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import type { World } from "../support/world.ts";

test("an import and the page that lists its envelope, amid their commits, wait for each other in one direction only", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const { log, now, tasks } = world.service.foundation;
  await using importer = await openFoundation(world.config, { log, now });
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "契約" });
  const linkId = parseUuid<LinkId>((await linkOf(world)).id);
  const envelopeId = parseUuid<EnvelopeId>(envelope.envelopeId);
  assert.ok(linkId !== null && envelopeId !== null);
  const atCommit = Promise.withResolvers<void>();
  const held = await importer.serving.pool.connect();
  interceptPool(importer.working.pool, async (statement, act) => {
    if (statement.includes("insert into contract")) {
      // The commit locks the link, and then waits for the ledger entry.
      await held.query("begin; select from envelope for update");
      atCommit.resolve();
    }
    return await act();
  });

  const importing = importEnvelope(importer.tasks, { linkId, envelopeId, foundBy: "event" });
  await atCommit.promise;
  await untilWaiting(world, 1);
  const listing = reconcileStep(tasks, { linkId, to: new Date("2031-01-15T04:00:00Z") });
  await untilWaiting(world, 2);
  await held.query("commit");
  held.release();

  assert.equal((await importing).kind, "imported");
  assert.equal((await listing).kind, "more");
  assert.deepEqual(await subjects(world), ["契約"]);
});

/** Resolves when so many sessions wait for the locks of others. */
async function untilWaiting({ database, service }: World, count: number): Promise<void> {
  const name = new URL(database.connectionString).pathname.slice(1);
  const waiting = sql`select from pg_stat_activity where datname = ${name} and wait_event_type = 'Lock'`;
  while ((await waiting.execute(service.foundation.serving.db)).rows.length < count);
}
