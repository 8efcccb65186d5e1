import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { MOST_ATTEMPTS } from "../../src/domain/retries.ts";
import { findCurrentLink } from "../../src/store/links/links.ts";
import { PRIORITY } from "../../src/store/queue/queue.ts";
import { askAdmin } from "../../src/usecases/health/link-health.ts";
import type { Failure } from "../support/docusign/faults.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  endLink,
  explain,
  fateOf,
  historyOf,
  linkOf,
} from "../support/linked-world.ts";
import { HOUR_MS } from "../support/reconciling.ts";
import { stepNow } from "../support/stepping.ts";
import type { World } from "../support/world.ts";

const DOWNLOAD = "/envelopes/{envelopeId}/documents/{documentId}";
const REFUSED: Failure = { status: 403, body: { errorCode: "USER_LACKS_PERMISSIONS", message: "x" } };

/** The priorities of the queued reconciliations. */
async function queuedReconciliations({ service }: World): Promise<number[]> {
  const { rows } = await sql<{ priority: number }>`
    select priority from graphile_worker.jobs where task_identifier = 'reconcile-link'`.execute(
    service.foundation.working.db,
  );
  return rows.map(({ priority }) => priority);
}

test("a repaired link is reconciled at once, but with low priority if its first import is not listed yet", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  await world.link(admin);
  world.docusign.revokeConsent(admin);
  await world.runJobs();
  assert.equal((await linkOf(world)).state, "error");

  await world.link(admin);
  assert.deepEqual(await queuedReconciliations(world), [PRIORITY.firstImport]);
  await world.runJobs();
  world.docusign.revokeConsent(admin);
  await world.runHour();
  assert.equal((await linkOf(world)).state, "error");
  await world.link(admin);

  assert.deepEqual(await queuedReconciliations(world), [PRIORITY.reconciliation]);
});

test("an envelope retried for days starts over with its retries once the link is repaired", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, colleague } = companies;
  world.docusign.failNext(1, { status: 500 }, DOWNLOAD);
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  const { db } = world.service.foundation.working;
  await db.updateTable("envelope").set({ attempts: MOST_ATTEMPTS, waiting_until: null }).execute();
  world.docusign.revokeConsent(admin);
  world.clock.pass(HOUR_MS);
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  await world.runHour();
  assert.equal((await linkOf(world)).state, "error");
  world.docusign.failNext(10, { status: 500 }, DOWNLOAD);

  await world.link(admin);
  await world.runJobs();

  const { attempts, waitingFor } = await explain(world, envelope);
  assert.equal(attempts, 1);
  assert.ok(waitingFor.until !== null);
});

test("an internal error while checking the user says nothing about the user's right and is thrown", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { tasks } = world.service.foundation;
  const link = (await findCurrentLink(tasks.db, "tenant-1")) ?? assert.fail("no link");
  const faults = [new Error("the disk is full")];
  const db = tasks.db.withPlugin({
    transformQuery: ({ node }) => {
      const fault = faults.pop();
      if (fault !== undefined) throw fault;
      return node;
    },
    transformResult: async ({ result }) => result,
  });

  const asked = askAdmin({ ...tasks, db }, link, tasks.openAccount(link));

  await assert.rejects(asked, { message: "the disk is full" });
  assert.equal((await linkOf(world)).state, "active");
});

test("a rejected envelope stops no link while DocuSign does not say if the user is still an admin", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.failNext(1, REFUSED, DOWNLOAD);
  world.docusign.failNext(10, { status: 503 }, "/users/{userId}");

  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();

  assert.equal((await linkOf(world)).state, "active");
  assert.equal(await fateOf(world, envelope), "waiting docusign-unavailable");
});

test("a listing that DocuSign rejects for a user who is no longer an admin stops the link instead of being retried", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin } = companies;
  world.docusign.setRole(admin, account, "DS Sender");
  world.docusign.failNext(1, REFUSED, "/envelopes");
  world.clock.pass(HOUR_MS);

  assert.equal((await stepNow(world)).kind, "not-importing");

  assert.equal((await linkOf(world)).cause.code, "not-admin");
});

test("a link that was ended in error no longer shows an error cause", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin } = companies;
  world.docusign.setRole(admin, account, "DS Sender");
  await world.runHour();
  assert.equal((await linkOf(world)).cause.code, "not-admin");

  assert.equal((await endLink(world)).status, 204);

  const { state, cause } = (await historyOf(world)).at(-1);
  assert.deepEqual([state, cause], ["ended", null]);
});
