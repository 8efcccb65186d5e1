import assert from "node:assert/strict";
import { test } from "node:test";
import { minimalEvent, post } from "../support/connect.ts";
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
import { DAY_MS, HOUR_MS } from "../support/reconciling.ts";
import { addAdmin, relink } from "../support/relinking.ts";
import type { World } from "../support/world.ts";

const DOCUMENT = "/envelopes/{envelopeId}/documents/{documentId}";

test("each row of the table gives a link its start times, to the millisecond, and the history shows them", async () => {
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

test("a completion at the exact start time counts, one a millisecond earlier does not", async () => {
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

test("a link without open work ends at the time of its deletion, even if the clock runs during DocuSign's calls", async () => {
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

test("a failed deletion leaves no partial last look: the next one ends the link at its own time", async () => {
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

test("the next link imports what events announced but listings do not show yet, whether retried or still queued", async () => {
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

/** Sends the event before the API shows the completion; listings show it an hour after that. */
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

test("an envelope announced too early is imported by the next link if listings show it only after the end", async () => {
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

test("an envelope announced too early, and again just before the end days later, is imported by the next link", async () => {
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

test("an old announcement of an envelope that never completed does not move back the link's end", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await announceEarly(companies, "never");
  world.clock.pass(3 * DAY_MS);
  await world.runHour();
  const end = world.clock.now.toISOString();

  await relink(world, addAdmin(companies, "Z"));

  assert.equal((await linkOf(world)).sentFrom, end);
});

/** Makes the clock advance by some milliseconds at each read. */
function letClockRun({ clock }: World): void {
  let moment = clock.now.getTime();
  Object.defineProperty(clock, "now", {
    get: () => {
      moment += 7;
      return new Date(moment);
    },
  });
}

test("an imported envelope is not imported again, whatever window is open for it", async () => {
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

test("the next link, by any user, imports what completed while the authorization was gone", async () => {
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

test("the next link imports what listings showed only after a link had failed, even if it completed before", async () => {
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

test("a user who links again gets what they received while they had no admin right", async () => {
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

test("the next link imports what was announced or listable but not imported before the end", async () => {
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

test("an envelope whose document is not a PDF moves back the link's end, and the next link retries it", async () => {
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

test("a contract deleted in the cabinet never returns: by event, by the hour, by another link, or into another group", async () => {
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
  // A delivery that did not arrive before, so it is not recognized as a repetition.
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
