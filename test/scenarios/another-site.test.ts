import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST_ATTEMPTS } from "../../src/domain/retries.ts";
import { CUSTOMER, createLinkedCompanies, explain, fateOf, linkOf } from "../support/linked-world.ts";
import { DAY_MS } from "../support/reconciling.ts";

const DOWNLOAD = "/envelopes/{envelopeId}/documents/{documentId}";
const REFUSALS = [
  { status: 404, errorCode: "DOCUMENT_DOES_NOT_EXIST" },
  { status: 401, errorCode: "AUTHORIZATION_INVALID_TOKEN" },
];

for (const refusal of REFUSALS) {
  test(`documents that another site holds (${refusal.status}) are requested once a day until they come`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    const sent = await world.docusign.sendEnvelope({ from: colleague, to: [CUSTOMER] });
    world.docusign.holdDocumentsElsewhere(sent, refusal);
    const envelope = await world.docusign.completeEnvelope(sent);

    await world.runJobs();
    const { waitingFor, text } = await explain(world, envelope);
    const before = world.docusign.callsTo(DOWNLOAD).length;
    for (let hour = 1; hour < 24; hour += 1) await world.runHour();
    const requested = world.docusign.callsTo(DOWNLOAD).length - before;
    await world.service.foundation.working.db
      .updateTable("envelope")
      .set({ attempts: MOST_ATTEMPTS })
      .execute();
    world.clock.pass(DAY_MS);
    await world.runJobs();
    assert.equal(await fateOf(world, envelope), "waiting on-another-site");
    world.docusign.holdDocumentsElsewhere(envelope, null);
    world.clock.pass(DAY_MS);
    await world.runJobs();

    assert.deepEqual(
      [waitingFor.reason, Date.parse(waitingFor.until) - Date.parse("2031-01-15T03:10:00Z")],
      ["on-another-site", DAY_MS],
    );
    assert.match(text, /別のサイト/);
    assert.equal(requested, 0);
    assert.equal((await linkOf(world)).state, "active");
    assert.equal(await fateOf(world, envelope), "imported sent");
  });
}
