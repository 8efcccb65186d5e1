import assert from "node:assert/strict";
import { test } from "node:test";
import { runNextDay } from "../support/configured-connect.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  explain,
  fateOf,
  linkIdOf,
} from "../support/linked-world.ts";
import { HOUR_MS, MINUTE_MS } from "../support/reconciling.ts";

const DOWNLOAD = "/envelopes/{envelopeId}/documents/{documentId}";

test("an envelope for a signing group is received by each member, not only by the one who signed", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, colleague, partner } = companies;
  const signingGroup = world.docusign.addSigningGroup("法務", [colleague, admin]);
  const others = world.docusign.addSigningGroup("総務", [colleague]);
  const conclude = async (to: object) => await concludeUnheard(world, { from: partner, to: [to, CUSTOMER] });
  const unnamed = await conclude({ signingGroup });
  const signed = await conclude({ signingGroup, user: colleague });
  const foreign = await conclude({ signingGroup: others });

  await world.runHour();

  assert.equal(await fateOf(world, unnamed), "imported received");
  assert.equal(await fateOf(world, signed), "imported received");
  assert.equal(await fateOf(world, foreign), "nothing");
  assert.deepEqual((await explain(world, unnamed)).facts.matched, [
    { group: "signingGroupUsers", by: "user-id", forwarded: false, forwardedFrom: null },
  ]);
});

test("a member who leaves the group after the first judgement stays a recipient", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, colleague, partner } = companies;
  const signingGroup = world.docusign.addSigningGroup("法務", [colleague, admin]);
  const envelope = await concludeUnheard(world, { from: partner, to: [{ signingGroup }, CUSTOMER] });
  world.docusign.failNext(1, { status: 503 }, DOWNLOAD);
  await world.runHour();
  assert.equal(await fateOf(world, envelope), "waiting docusign-unavailable");

  // A former member still sees the envelope, but DocuSign lists only the members of today.
  world.docusign.changeSigningGroup(signingGroup, [colleague]);
  world.clock.pass(MINUTE_MS);
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "imported received");
});

test("a member who joins the group after the first judgement does not become a recipient", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, colleague, partner } = companies;
  const signingGroup = world.docusign.addSigningGroup("法務", [partner]);
  const envelope = await world.docusign.sendEnvelope({ from: partner, to: [colleague, { signingGroup }] });
  await world.docusign.reassign(envelope, colleague, admin);
  await world.docusign.completeEnvelope(envelope);
  await world.runJobs();
  assert.equal(await fateOf(world, envelope), "excluded forwarded-to-user");

  world.docusign.changeSigningGroup(signingGroup, [partner, admin]);
  await runNextDay(world);

  assert.equal(await fateOf(world, envelope), "excluded forwarded-to-user");
});

test("members do not count for an envelope that version 0.1 has judged", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, partner } = companies;
  const signingGroup = world.docusign.addSigningGroup("法務", [admin]);
  const envelope = await concludeUnheard(world, { from: partner, to: [{ signingGroup }, CUSTOMER] });
  await world.service.foundation.working.db
    .insertInto("envelope")
    .values({
      tenant: "tenant-1",
      envelope_id: envelope.envelopeId,
      link_id: await linkIdOf(world),
      state: "excluded",
      reason: "not-ours",
      completed_at: world.clock.now,
      facts: JSON.stringify({ status: "completed", matched: [] }),
      found_by: "reconciliation",
      found_at: world.clock.now,
    })
    .execute();

  world.clock.pass(HOUR_MS);
  await runNextDay(world);

  assert.equal(await fateOf(world, envelope), "excluded not-ours");
});
