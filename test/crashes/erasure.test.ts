import assert from "node:assert/strict";
import { test } from "node:test";
import { type ContractId, parseUuid } from "../../src/domain/identifiers.ts";
import { deleteContract } from "../../src/usecases/deletions/delete-contract.ts";
import { CUSTOMER, createLinkedCompanies } from "../support/linked-world.ts";
import { settleUntilNextHour } from "../support/settle.ts";
import { foreignSteps, strikeEverywhere } from "./everywhere.ts";
import { tellOutcome } from "./outcome.ts";
import { workOn } from "./worker.ts";

const BY = { tenant: "tenant-1", subject: "owner of tenant-1" };

test("a contract deletion that fails at any step, erasure included, completes once when retried", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true, docusign: { validate: false } });
  const { world, colleague } = companies;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  const [contract] = await world.contracts();
  const id = parseUuid<ContractId>(contract.id);
  assert.ok(id !== null);

  const { outcome, steps } = await strikeEverywhere(world, {
    act: async (process) => {
      await deleteContract(process.tasks, BY, id);
      await workOn(world, process, ["erase-documents"]);
    },
    recover: async () => {
      const { status } = await (await world.api()).send("DELETE", `/v1/contracts/${id}`);
      assert.equal(status, 204);
      await settleUntilNextHour(world);
    },
    tell: async () => await tellOutcome(world),
  });

  assert.deepEqual(
    outcome.contracts.map((row) =>
      JSON.stringify(row)
        .match(/"(deleted|erased)":[^,}]+/g)
        ?.join(),
    ),
    ['"deleted":true,"erased":true'],
  );
  assert.deepEqual(outcome.feed, [
    { type: "deleted", count: 1 },
    { type: "imported", count: 1 },
  ]);
  assert.deepEqual(outcome.documents, { needed: 0, missing: 0, orphans: 0 });
  assert.deepEqual(outcome.leftOver, []);
  assert.deepEqual(foreignSteps(steps), ["store a document", "erase a document"]);
});
