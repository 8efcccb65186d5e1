import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { type EnvelopeId, type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import type { Database } from "../../src/store/database.ts";
import { markGroupDeleted } from "../../src/store/links/groups.ts";
import { importEnvelope } from "../../src/usecases/importing/import-envelope.ts";
import { isWaitingForLock } from "../support/database-locks.ts";
import { putGroup } from "../support/link-changes.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  explain,
  fateOf,
  importRequestOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import type { World } from "../support/world.ts";

const DOCUMENT = "/envelopes/{envelopeId}/documents/{documentId}";

for (const [how, mend] of Object.entries({
  "another group is chosen": async (world: World) => {
    await putGroup(world, "group-2");
    const { status } = await (await world.api()).send("PATCH", "/v1/link", { groupId: "group-2" });
    assert.equal(status, 200);
  },
  "the group comes back": async (world: World) => await putGroup(world, "group-1"),
})) {
  test(`while the group is gone, imports visibly wait, and they resume when ${how}`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    assert.equal((await (await world.api()).send("DELETE", "/v1/groups/group-1")).status, 204);
    const heard = await world.docusign.concludeEnvelope({
      from: colleague,
      to: [CUSTOMER],
      subject: "heard",
    });
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "unheard" });
    await world.runHour();

    const { state, cause } = await linkOf(world);
    assert.deepEqual([state, cause.code], ["error", "group-missing"]);
    assert.equal(await fateOf(world, heard), "waiting group-missing");
    assert.deepEqual(await world.contracts(), []);
    await mend(world);
    await world.runJobs();

    assert.equal((await linkOf(world)).state, "active");
    assert.deepEqual(await subjects(world), ["heard", "unheard"]);
  });
}

test("a group that is deleted during an import stops it, and the downloaded document is used later", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const api = await world.api();
  world.docusign.onNext(DOCUMENT, async () => void (await api.send("DELETE", "/v1/groups/group-1")));

  const envelope = await world.docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    subject: "under way",
  });
  await world.runJobs();
  assert.deepEqual(await world.contracts(), []);
  assert.equal((await linkOf(world)).cause.code, "group-missing");
  const { reason, attempts, lastError } = await explain(world, envelope);
  assert.deepEqual([reason, attempts, lastError], ["group-missing", 0, null]);
  await putGroup(world, "group-1");
  await world.runJobs();

  assert.deepEqual(await subjects(world), ["under way"]);
  assert.equal(world.docusign.callsTo(DOCUMENT).length, 1);
});

test("a group deleted while the link had another error is noticed once that error is repaired", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin, colleague } = companies;
  world.docusign.setRole(admin, account, "DS Sender");
  await world.runHour();
  await (await world.api()).send("DELETE", "/v1/groups/group-1");
  assert.equal((await linkOf(world)).cause.code, "not-admin");
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "meanwhile" });
  world.docusign.setRole(admin, account, "DS Admin");

  await world.runHour();
  assert.equal((await linkOf(world)).cause.code, "group-missing");
  await putGroup(world, "group-1");
  await world.runJobs();

  assert.deepEqual(await subjects(world), ["meanwhile"]);
});

test("imports that find their group gone at the same time all wait, without blocking each other", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const { tasks } = world.service.foundation;
  const linkId = parseUuid<LinkId>((await linkOf(world)).id)!;
  const together = Promise.withResolvers<void>();
  const envelopeIds: string[] = [];
  let arrived = 0;
  for (let count = 0; count < 5; count += 1) {
    const { envelopeId } = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
    envelopeIds.push(envelopeId);
    world.docusign.onNext(
      ({ template, path }) => template === DOCUMENT && path.includes(envelopeId),
      async () => {
        arrived += 1;
        if (arrived === 5) together.resolve();
        await together.promise;
      },
    );
  }
  await markGroupDeleted(tasks.db, "tenant-1", "group-1", world.clock.now);

  const outcomes = await Promise.all(
    envelopeIds.map(async (id) =>
      importEnvelope(tasks, { linkId, envelopeId: parseUuid<EnvelopeId>(id)!, foundBy: "event" }),
    ),
  );

  assert.deepEqual(
    outcomes.map((outcome) => (outcome.kind === "waiting" ? outcome.reason : outcome.kind)),
    envelopeIds.map(() => "group-missing"),
  );
});

const MEANWHILE: Readonly<Record<string, { does: (tx: Database) => Promise<unknown>; after: unknown[] }>> = {
  "does not stop the link if it is restored first": {
    does: async (tx) => await sql`update cabinet_group set deleted_at = null`.execute(tx),
    after: ["active", null],
  },
  "leaves the link's cause alone if the link fails with another error meanwhile": {
    does: async (tx) =>
      await sql`update link set state = 'error', cause = 'authorization-revoked'`.execute(tx),
    after: ["error", "authorization-revoked"],
  },
};

for (const [what, { does, after }] of Object.entries(MEANWHILE)) {
  test(`a group that an import finds missing ${what}`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    const { tasks } = world.service.foundation;
    const request = await importRequestOf(
      world,
      await concludeUnheard(world, { from: colleague, to: [CUSTOMER] }),
    );
    await markGroupDeleted(tasks.db, "tenant-1", "group-1", world.clock.now);

    const { outcome } = await tasks.db.transaction().execute(async (tx) => {
      // An import shares the link's lock and waits for it only if it stops the link.
      await sql`select 1 from link for share`.execute(tx);
      const outcome = importEnvelope(tasks, request);
      while (!(await isWaitingForLock(world)));
      await does(tx);
      return { outcome };
    });

    assert.deepEqual(await outcome, { kind: "waiting", reason: "group-missing", until: world.clock.now });
    const { state, cause } = await linkOf(world);
    assert.deepEqual([state, cause?.code ?? null], after);
  });
}

test("a group can be deleted, restored and chosen during an import's commit without a deadlock", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { db } = world.service.foundation.working;
  const api = await world.api();
  const requests = [
    ["DELETE", "/v1/groups/group-1", undefined],
    ["PUT", "/v1/groups/group-1", { name: "再び" }],
    ["PATCH", "/v1/link", { groupId: "group-1" }],
  ] as const;

  const statuses: number[] = [];
  for (const [method, path, body] of requests) {
    const { answer } = await db.transaction().execute(async (tx) => {
      await sql`select 1 from link for share`.execute(tx);
      const answer = api.send(method, path, body);
      while (!(await isWaitingForLock(world)));
      await sql`select 1 from cabinet_group for share`.execute(tx);
      return { answer };
    });
    statuses.push((await answer).status);
  }

  assert.deepEqual(statuses, [204, 200, 200]);
  assert.equal((await linkOf(world)).state, "active");
});
