import assert from "node:assert/strict";
import { test } from "node:test";
import { type EnvelopeId, type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import { importEnvelope } from "../../src/usecases/importing/import-envelope.ts";
import { minimalEvent, post } from "../support/connect.ts";
import type { User } from "../support/docusign/state.ts";
import {
  type Companies,
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
import { DAY_MS, entriesOf, failuresOf, HOUR_MS } from "../support/reconciling.ts";
import type { World } from "../support/world.ts";

const DOCUMENT = "/envelopes/{envelopeId}/documents/{documentId}";

/** Another DS Admin of the account. */
function addAdmin({ world, account }: Companies, name: string): User {
  return world.docusign.addUser(account, { name, role: "DS Admin" });
}

/** Ends the tenant's link and links the user, without any time between; then the first import is through. */
async function relink(world: World, user: User): Promise<void> {
  assert.equal((await endLink(world)).status, 204);
  assert.equal(await world.link(user), "linked");
  await world.runJobs();
}

test("each row of the table gives a link its starts, to the millisecond, and the history shows them", async () => {
  await using companies = await createCompanies({ at: "2031-01-01T00:00:00.123Z" });
  const { world, account: a, admin: x } = companies;
  const b = world.docusign.addAccount({ name: "乙" });
  const y = world.docusign.addUser(b, { name: "Y", role: "DS Admin" });
  const z = addAdmin(companies, "Z");
  world.docusign.addMembership(b, x, { role: "DS Admin" });
  const links = [
    { user: x, account: a },
    { user: y, account: b },
    { user: x, account: a },
    { user: z, account: a },
    { user: x, account: a },
    { user: x, account: b },
    { user: y, account: b },
  ];

  for (const { user, account } of links) {
    world.docusign.setDefaultAccount(user, account);
    assert.equal(await world.link(user), "linked");
    await world.runJobs();
    world.clock.pass(DAY_MS);
    assert.equal((await endLink(world)).status, 204);
  }

  const day = (number: number): string => `2031-01-0${number}T00:00:00.123Z`;
  const history = (await historyOf(world)).map((link) => [
    `${link.user.name} ${link.account.name} ${link.endedAt}`,
    link.sentFrom,
    link.receivedFrom,
  ]);
  assert.deepEqual(history, [
    [`山田 株式会社甲 ${day(2)}`, null, null],
    [`Y 乙 ${day(3)}`, null, null],
    [`山田 株式会社甲 ${day(4)}`, day(2), day(2)],
    [`Z 株式会社甲 ${day(5)}`, day(4), null],
    [`山田 株式会社甲 ${day(6)}`, day(5), day(4)],
    [`山田 乙 ${day(7)}`, null, null],
    [`Y 乙 ${day(8)}`, day(7), day(3)],
  ]);
});

test("the moment of the start itself counts, and the moment before it does not", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const conclude = async (subject: string, at: string) =>
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject, completedAt: new Date(at) });
  world.clock.now = new Date("2031-01-15T05:00:00Z");
  await conclude("long before", "2031-01-15T04:20:00Z");
  await world.runHour();
  const before = await subjects(world);
  const end = world.clock.now.toISOString();

  assert.equal((await endLink(world)).status, 204);
  await conclude("at the moment", end);
  await conclude("the moment before", "2031-01-15T05:59:59.999Z");
  assert.equal(await world.link(addAdmin(companies, "Z")), "linked");
  await world.runJobs();

  assert.deepEqual(before, ["long before"]);
  assert.equal((await linkOf(world)).sentFrom, end);
  assert.deepEqual(await subjects(world), ["at the moment", "long before"]);
});

test("a link that did its work ends at the moment of its deletion, though the clock goes on while DocuSign is asked", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  letClockRun(world);

  assert.equal(await world.link(admin), "linked");
  await world.runJobs();
  await relink(world, addAdmin(companies, "Z"));
  await relink(world, admin);

  const [x, z, again] = await historyOf(world);
  assert.deepEqual([z.sentFrom, z.receivedFrom], [x.endedAt, null]);
  assert.deepEqual([again.sentFrom, again.receivedFrom], [z.endedAt, x.endedAt]);
});

test("a deletion that failed leaves no half look behind: the next one ends the link at its own moment", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "found at the end" });
  world.docusign.failNext(1, { status: 503 }, "/envelopes");
  const before = await linkOf(world);
  const failed = await endLink(world);
  const between = await linkOf(world);
  world.clock.pass(60_000);
  const end = world.clock.now.toISOString();

  await relink(world, addAdmin(companies, "Z"));

  assert.equal(failed.status, 502);
  assert.deepEqual(between, before);
  assert.equal((await linkOf(world)).sentFrom, "2031-01-15T03:10:00.000Z");
  assert.equal((await historyOf(world))[0].endedAt, end);
  assert.deepEqual(await subjects(world), ["found at the end"]);
});

test("what an event announced and DocuSign has not shown yet is the next link's, tried in vain or still in the queue", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.clock.pass(3 * DAY_MS);
  await world.runHour();
  world.clock.pass(60_000);
  const announce = async (subject: string): Promise<void> => {
    const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject });
    world.docusign.lateInListing(envelope, new Date(world.clock.now.getTime() + HOUR_MS));
  };
  world.docusign.failNext(1, { status: 500 }, "/envelopes/{envelopeId}");
  await announce("tried");
  await world.runJobs();
  await announce("queued");
  world.clock.pass(2_000);

  await relink(world, addAdmin(companies, "Z"));
  await world.runHour();
  await world.runHour();

  assert.deepEqual(await subjects(world), ["queued", "tried"]);
});

/** DocuSign's event comes before its API shows the completion; listings show it only in an hour. */
async function announceEarly({ world, colleague }: Companies, subject: string): Promise<() => Promise<void>> {
  const { id } = await linkOf(world);
  const envelope = await world.docusign.sendEnvelope({ from: colleague, to: [CUSTOMER], subject });
  assert.equal((await post(world, id, minimalEvent({}, { envelopeId: envelope.envelopeId }))).status, 200);
  await world.runJobs();
  assert.equal(await fateOf(world, envelope), "excluded not-completed");
  return async () => {
    await world.docusign.completeEnvelope(envelope);
    world.docusign.lateInListing(envelope, new Date(world.clock.now.getTime() + HOUR_MS));
  };
}

test("what an event announced before DocuSign showed it as completed is the next link's, where listings show it only then", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  world.clock.pass(3 * DAY_MS);
  await world.runHour();
  const complete = await announceEarly(companies, "early");
  world.docusign.loseNext(1);
  await complete();
  world.clock.pass(2_000);

  await relink(world, addAdmin(companies, "Z"));
  await world.runHour();
  await world.runHour();

  assert.deepEqual(await subjects(world), ["early"]);
});

test("what was announced too early days ago, and again just before the end, is the next link's", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const complete = await announceEarly(companies, "twice");
  world.clock.pass(3 * DAY_MS);
  await world.runHour();
  await complete();
  world.clock.pass(2_000);

  await relink(world, addAdmin(companies, "Z"));
  await world.runHour();
  await world.runHour();

  assert.deepEqual(await subjects(world), ["twice"]);
});

test("what was announced too early days ago, and has not completed since, leaves the end where the link was ended", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await announceEarly(companies, "never");
  world.clock.pass(3 * DAY_MS);
  await world.runHour();
  const end = world.clock.now.toISOString();

  await relink(world, addAdmin(companies, "Z"));

  assert.equal((await linkOf(world)).sentFrom, end);
});

/** Each look at the clock finds it some milliseconds later. */
function letClockRun({ clock }: World): void {
  let moment = clock.now.getTime();
  Object.defineProperty(clock, "now", {
    get: () => {
      moment += 7;
      return new Date(moment);
    },
  });
}

test("what is imported already is not imported again, whatever window is open for it", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const z = addAdmin(companies, "Z");
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [z] });
  await world.runJobs();
  const before = await world.contracts();
  world.clock.pass(60_000);

  await relink(world, z);

  assert.equal(await fateOf(world, envelope), "imported already");
  assert.deepEqual(await world.contracts(), before);
  assert.equal(world.docusign.callsTo(DOCUMENT).length, 1);
});

test("what completed while the authorisation was gone is the next link's, whoever links the account", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, colleague } = companies;
  await world.runHour();
  const accounted = world.clock.now.getTime();
  world.docusign.revokeConsent(admin);
  world.clock.pass(10 * 60 * 1000);
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "in the gap" });
  for (let hour = 0; hour < 30; hour += 1) await world.runHour();
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "late in the gap" });

  await relink(world, addAdmin(companies, "Z"));

  assert.equal((await linkOf(world)).sentFrom, new Date(accounted - DAY_MS).toISOString());
  assert.deepEqual(await subjects(world), ["in the gap", "late in the gap"]);
});

test("what listings showed only after a link had failed is the next link's, though it completed before", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, colleague } = companies;
  const late = await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "listed late" });
  world.docusign.lateInListing(late, new Date(world.clock.now.getTime() + 2 * HOUR_MS));
  await world.runHour();
  world.docusign.revokeConsent(admin);
  for (let hour = 0; hour < 3; hour += 1) await world.runHour();

  await relink(world, admin);

  assert.deepEqual(await subjects(world), ["listed late"]);
});

test("what the user received while their right was gone is taken up when they link again", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin, partner } = companies;
  await world.runHour();
  world.docusign.setRole(admin, account, "DS Sender");
  await world.runHour();
  await concludeUnheard(world, { from: partner, to: [admin], subject: "in the gap" });
  world.clock.pass(3 * DAY_MS);
  world.docusign.setRole(admin, account, "DS Admin");

  await relink(world, admin);

  assert.deepEqual(await subjects(world), ["in the gap"]);
});

test("what was announced or could have been listed, but was not imported before the end, is the next link's", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.failNext(1, { status: 500 }, DOCUMENT);
  const completedAt = new Date("2031-01-15T03:05:00Z");
  await world.docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    subject: "announced",
    completedAt,
  });
  await world.runJobs();
  world.clock.pass(60_000);
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "unheard" });
  world.clock.pass(60_000);

  await relink(world, addAdmin(companies, "Z"));

  assert.equal((await linkOf(world)).sentFrom, completedAt.toISOString());
  assert.deepEqual(await subjects(world), ["announced", "unheard"]);
});

test("what waited for a document that is no PDF pulls the end back, and the next link tries it again", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.serveNextDownloadAs("no PDF");
  const waiting = await world.docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    subject: "waiting",
  });
  await world.runJobs();
  world.clock.pass(60_000);
  assert.equal(await fateOf(world, waiting), "waiting document-not-pdf");

  await relink(world, addAdmin(companies, "Z"));

  assert.equal((await linkOf(world)).sentFrom, "2031-01-15T03:10:00.000Z");
  assert.deepEqual(await subjects(world), ["waiting"]);
});

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

test("a link that ended amid its first import has accounted for what that had reached", async () => {
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

test("a link that awaited its approval has accounted for nothing", async () => {
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

test("an import that is under way when its link ends stops, and the next link finishes it without a second download", async () => {
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

for (const [what, refusals] of Object.entries({ "by its window": 0, "as DocuSign finds it no more": 4 })) {
  test(`an import that is under way when its link ends excludes nothing of the next link's ${what}`, async () => {
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

test("a reconciliation that is under way when its link ends changes nothing any more", async () => {
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
  ["that DocuSign gives", 0, "done", []],
  ["that DocuSign refuses", 1, "failed", ["DocuSign did not answer"]],
] as const) {
  test(`the last look before a link's end, ${what}, is a reconciliation of its own that says how it went`, async () => {
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

test("totals and windows of an ended link stay as they were at its end", async () => {
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

test("a contract that was deleted in the cabinet never comes back: by event, by the hour, by another link, into another group", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const z = addAdmin(companies, "Z");
  const documents = [{ name: "一" }, { name: "二" }];
  const whole = await world.docusign.concludeEnvelope({ from: colleague, to: [z], subject: "whole" });
  await world.docusign.concludeEnvelope({ from: colleague, to: [z], subject: "half", documents });
  await world.runJobs();
  const api = await world.api();
  const deleted = (await world.contracts()).filter(
    ({ source, fileName }) => source.subject === "whole" || fileName === "一",
  );
  for (const { id } of deleted) assert.equal((await api.send("DELETE", `/v1/contracts/${id}`)).status, 204);
  await world.runJobs();
  const fate = await fateOf(world, whole);

  for (const delivery of world.docusign.deliveries.slice()) await world.docusign.redeliver(delivery);
  const { id } = await linkOf(world);
  // An event that did not come before, and so is not known as a repetition.
  assert.equal((await post(world, id, minimalEvent({}, { envelopeId: whole.envelopeId }))).status, 200);
  await world.runJobs();
  world.clock.pass(2 * DAY_MS);
  await world.runHour();
  assert.equal((await endLink(world)).status, 204);
  assert.equal(await world.link(z, { group: "another" }), "linked");
  await world.runJobs();
  await world.runHour();

  assert.equal(fate, "deleted deleted-in-cabinet");
  assert.equal(await fateOf(world, whole), fate);
  assert.deepEqual(
    (await world.contracts()).map(({ fileName, groupId }) => [fileName, groupId]),
    [["二", "group-1"]],
  );
  assert.equal(world.docusign.callsTo(DOCUMENT).length, 3);
});
