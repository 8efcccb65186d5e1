import assert from "node:assert/strict";
import { test } from "node:test";
import { type EnvelopeId, type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { importEnvelope } from "../../src/usecases/importing/import-envelope.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  endLink,
  fateOf,
  historyOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { entriesOf, failuresOf, HOUR_MS } from "../support/reconciling.ts";
import { addAdmin, relink } from "../support/relinking.ts";

const DOCUMENT = "/envelopes/{envelopeId}/documents/{documentId}";

test("a link that ended before its first import began has accounted for nothing", async () => {
  await using companies = await createCompanies();
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "old" });
  assert.equal(await world.link(admin), "linked");
  world.clock.pass(60_000);

  await relink(world, addAdmin(companies, "Z"));

  const link = await linkOf(world);
  assert.deepEqual([link.sentFrom, link.receivedFrom], [null, null]);
  assert.deepEqual(await subjects(world), ["old"]);
});

test("a link that ended during its first import has accounted for what the import had reached", async () => {
  await using companies = await createCompanies();
  const { world, admin, colleague } = companies;
  const days = ["2030-06-01", "2030-07-01", "2030-08-01", "2030-09-01"];
  for (const day of days) {
    const completedAt = new Date(`${day}T00:00:00Z`);
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: day, completedAt });
  }
  assert.equal(await world.link(admin), "linked");
  let asked = 0;
  const isSecondDocument = ({ template }: { template: string }) => template === DOCUMENT && ++asked === 2;
  world.docusign.onNext(isSecondDocument, async () => assert.equal((await endLink(world)).status, 204));
  await world.runJobs();
  const imported = await subjects(world);

  assert.equal(await world.link(addAdmin(companies, "Z")), "linked");
  await world.runJobs();

  assert.equal(imported.length, 1);
  const { sentFrom } = await linkOf(world);
  assert.ok(sentFrom !== null && sentFrom <= "2030-07-01T00:00:00.000Z", `sentFrom is ${sentFrom}`);
  assert.deepEqual(await subjects(world), days);
});

test("a link that ended while it awaited approval has accounted for nothing", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "old" });
  assert.equal(await world.link(admin), "awaiting-approval");
  await world.runJobs();
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "announced" });
  await world.runHour();
  assert.equal((await endLink(world)).status, 204);

  assert.equal(await world.link(addAdmin(companies, "Z")), "awaiting-approval");
  assert.equal((await (await world.api()).send("POST", "/v1/link/approve")).status, 200);
  await world.runJobs();

  assert.deepEqual(await subjects(world), ["announced", "old"]);
});

test("ending a link stops its running import, which the next link finishes without a second download", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.onNext(DOCUMENT, async () => assert.equal((await endLink(world)).status, 204));
  const envelope = await world.docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    subject: "under way",
  });

  await world.runJobs();
  assert.deepEqual(await world.contracts(), []);
  assert.equal(await fateOf(world, envelope), "waiting link-ended");
  assert.equal(await world.link(addAdmin(companies, "Z")), "linked");
  await world.runJobs();

  assert.deepEqual(await subjects(world), ["under way"]);
  assert.equal(world.docusign.callsTo(DOCUMENT).length, 1);
});

const ENVELOPE = "/envelopes/{envelopeId}";

const GONE = { status: 404, body: { errorCode: "ENVELOPE_DOES_NOT_EXIST", message: "gone" } };

for (const [what, refusals] of Object.entries({
  "because of its window": 0,
  "because DocuSign no longer finds it": 4,
})) {
  test(`an import still running after its link has ended does not exclude the next link's envelope ${what}`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    const z = addAdmin(companies, "Z");
    const completedAt = new Date("2031-01-10T00:00:00Z");
    const envelope = await concludeUnheard(world, { from: colleague, to: [z], completedAt });
    await relink(world, addAdmin(companies, "X"));
    const linkId = parseUuid<LinkId>((await linkOf(world)).id)!;
    const envelopeId = parseUuid<EnvelopeId>(envelope.envelopeId)!;
    const { tasks } = world.service.foundation;
    const announce = async () => await importEnvelope(tasks, { linkId, envelopeId, foundBy: "event" });
    const before = await fateOf(world, envelope);
    world.docusign.failNext(refusals, GONE, ENVELOPE);
    for (let refusal = 1; refusal < refusals; refusal += 1) await announce();
    world.docusign.onNext(ENVELOPE, async () => await relink(world, z));

    const { kind } = await announce();
    world.clock.pass(3 * 60_000);
    await world.runJobs();

    assert.deepEqual([before, kind], ["excluded before-window", "link-ended"]);
    assert.equal(await fateOf(world, envelope), "imported received");
  });
}

test("a reconciliation still running after its link has ended changes nothing", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const listed = await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "listed" });
  world.docusign.revokeConsent(companies.admin);
  await world.runHour();
  await world.link(companies.admin);
  world.docusign.onNext("/envelopes", async () => assert.equal((await endLink(world)).status, 204));

  await world.runJobs();
  const [ended] = await historyOf(world);
  assert.equal(ended.state, "ended");
  assert.deepEqual(await world.contracts(), []);
  await world.runHour();
  assert.deepEqual((await historyOf(world))[0], ended);
  assert.equal(await fateOf(world, listed), "nothing");
  assert.equal(await world.link(companies.admin), "linked");
  await world.runJobs();

  assert.deepEqual(await subjects(world), ["listed"]);
});

const REFUSED = { status: 403, body: { errorCode: "USER_LACKS_PERMISSIONS", message: "x" } };

for (const [what, refusals, state, failures] of [
  ["if it succeeds", 0, "done", []],
  ["if DocuSign rejects it", 1, "failed", ["DocuSign did not answer"]],
] as const) {
  test(`the last look before a link ends is recorded as its own reconciliation with its result, ${what}`, async () => {
    await using companies = await createLinkedCompanies();
    const { world } = companies;
    world.clock.pass(HOUR_MS);
    world.docusign.failNext(refusals, REFUSED, "/envelopes");

    assert.equal((await endLink(world)).status, 204);

    const [entry] = await entriesOf(world);
    const { kind, to } = entry;
    assert.deepEqual([kind, entry.state, to], ["closing", state, world.clock.now.toISOString()]);
    assert.deepEqual(await failuresOf(world), failures);
  });
}

test("totals and windows of an ended link stay as they were when it ended", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague, partner } = companies;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.docusign.concludeEnvelope({ from: partner, to: [companies.admin] });
  await world.runJobs();
  assert.equal((await endLink(world)).status, 204);
  const [ended] = await historyOf(world);
  world.clock.pass(60_000);

  assert.equal(await world.link(companies.admin), "linked");
  await world.runJobs();
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runHour();

  assert.deepEqual(ended.totals, { atDocuSign: 2, imported: 2, excluded: 0, deleted: 0, waiting: 0 });
  assert.deepEqual((await historyOf(world))[0], ended);
});
