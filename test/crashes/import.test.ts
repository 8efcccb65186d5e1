import assert from "node:assert/strict";
import { test } from "node:test";
import { CUSTOMER, createLinkedCompanies } from "../support/linked-world.ts";
import { settleUntilNextHour } from "../support/settle.ts";
import { foreignSteps, strikeEverywhere } from "./everywhere.ts";
import { tellOutcome } from "./outcome.ts";
import { workOn } from "./worker.ts";

const DOCUMENTS = [{ name: "契約書.pdf" }, { name: "別紙.pdf" }];

test("an import that breaks at any of its steps brings in, by the next hour, each document as one contract", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true, docusign: { validate: false } });
  const { world, colleague } = companies;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], documents: DOCUMENTS });

  const { outcome, steps } = await strikeEverywhere(world, {
    act: async (process) => await workOn(world, process, ["import-envelope"]),
    recover: async () => await settleUntilNextHour(world),
    tell: async () => await tellOutcome(world),
  });

  assert.deepEqual(outcome.contracts.length, 2);
  assert.deepEqual(outcome.feed, [{ type: "imported", count: 2 }]);
  assert.deepEqual(outcome.documents, { needed: 2, missing: 0, orphans: 0 });
  assert.deepEqual(outcome.leftOver, []);
  assert.deepEqual(foreignSteps(steps), [
    "GET /envelopes/{envelopeId}",
    "GET /envelopes/{envelopeId}/documents/{documentId}",
    "store a document",
    "GET /envelopes/{envelopeId}/documents/{documentId}",
    "store a document",
  ]);
});
