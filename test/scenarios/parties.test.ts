import assert from "node:assert/strict";
import { test } from "node:test";
import { tidy } from "../../src/usecases/keeping/housekeeping.ts";
import { CUSTOMER, createLinkedCompanies } from "../support/linked-world.ts";
import { DAY_MS } from "../support/reconciling.ts";
import type { World } from "../support/world.ts";

test("a contract shows its place in the envelope, its sender and its recipients, however it was found", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague, partner } = linked;
  const wish = {
    from: colleague,
    to: [partner, CUSTOMER],
    documents: [{ name: "契約書.pdf" }, { name: "別紙.pdf" }],
  };

  const heard = await world.docusign.concludeEnvelope(wish);
  await world.runJobs();
  world.docusign.holdDeliveries();
  const unheard = await world.docusign.concludeEnvelope(wish);
  await world.runHour();

  for (const { envelopeId } of [heard, unheard]) {
    const contracts = await listContracts(world, `envelopeId=${envelopeId}`);
    assert.deepEqual(
      contracts.map(({ source }) => [source.documentId, source.position]),
      [
        ["1", 1],
        ["2", 2],
      ],
    );
    for (const { source } of contracts) {
      assert.deepEqual(source.sender, { name: colleague.name, email: colleague.email });
      assert.deepEqual(
        source.recipients.map(({ name, email, role }: any) => ({ name, email, role })),
        [
          { name: partner.name, email: partner.email, role: "signer" },
          { ...CUSTOMER, role: "signer" },
        ],
      );
      assert.notEqual(source.recipients[0].completedAt, null);
    }
  }
});

test("contracts of version 0.1 are searchable after an hour, and get their parties from the daily listing", async () => {
  await using linked = await createLinkedCompanies();
  const { world, colleague } = linked;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "覚書の件" });
  await world.runJobs();
  const [imported] = await listContracts(world, "");
  await forget(world);
  assert.deepEqual(await listContracts(world, "q=覚書"), []);

  const report = await tidy(world.service.foundation.tasks);
  const [searchable] = await listContracts(world, "q=覚書");
  const hasNames = (await listContracts(world, `q=${colleague.name}`)).length;
  await world.runHour();
  const sameDay = await listContracts(world, "");
  world.clock.pass(DAY_MS);
  await world.runHour();
  const [completed] = await listContracts(world, `q=${colleague.name}`);

  assert.equal(report.madeSearchable, 1);
  assert.deepEqual([searchable.source.sender, hasNames, sameDay[0].source.position], [null, 0, null]);
  assert.deepEqual(completed, imported);
  assert.equal((await tidy(world.service.foundation.tasks)).madeSearchable, 0);
});

test("the daily listing leaves contracts of ended links and known facts as they are", async () => {
  await using linked = await createLinkedCompanies();
  const { world, admin, colleague } = linked;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  await forget(world);
  await (await world.api()).send("DELETE", "/v1/link");
  assert.equal(await world.link(admin), "linked");
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  const { db } = world.service.foundation.working;
  const known = JSON.stringify({ name: "別名", email: null });
  await db
    .updateTable("contract")
    .set({ sender: known, recipients: null })
    .where("position", "is not", null)
    .execute();

  world.clock.pass(2 * DAY_MS);
  await world.runHour();

  const contracts = await listContracts(world, "");
  const [newer, older] = contracts;
  assert.equal(contracts.length, 2);
  assert.deepEqual([newer.source.sender.name, newer.source.recipients[0].name], ["別名", CUSTOMER.name]);
  assert.deepEqual([older.source.position, older.source.sender, older.source.recipients], [null, null, null]);
});

/** Makes all contracts as version 0.1 stored them. */
async function forget(world: World): Promise<void> {
  await world.service.foundation.working.db
    .updateTable("contract")
    .set({ position: null, sender: null, recipients: null, search: null, search_keys: null })
    .execute();
}

async function listContracts(world: World, query: string): Promise<any[]> {
  const { status, body } = await (await world.api()).get(`/v1/contracts?${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.items;
}
