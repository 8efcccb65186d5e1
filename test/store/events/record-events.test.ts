import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { AccountId, LinkId } from "../../../src/domain/identifiers.ts";
import { announcedEnvelopes, completionsSince, eventsOfEnvelope } from "../../../src/store/events/events.ts";
import { tenantsOfEnvelope } from "../../../src/store/ledger/envelopes.ts";
import { oldestAnnounced } from "../../../src/store/ledger/waiting-envelopes.ts";
import { ACCOUNT, CONFIGURATIONS, createWorld, id } from "./recording-world.ts";

test("any text that a signed message may contain can be recorded", async () => {
  await using world = await createWorld();
  const nasty = "\0 \ud800 \u202e \\ ' \" {} \\x00 NULL";
  const recipient = (id: string): object => ({
    recipientId: id,
    recipientIdGuid: nasty,
    name: nasty,
    email: nasty,
    status: "completed",
    delegatedBy: [{ name: nasty, email: `${nasty} by`, userId: nasty }],
  });
  const messages = ["envelope-completed", "recipient-reassign", "recipient-delegate"].map((event) => ({
    event,
    configurationId: nasty,
    generatedDateTime: "9999-12-31T23:59:59Z",
    data: {
      envelopeId: randomUUID(),
      recipientId: `${nasty} 1`,
      reassignedRecipientId: `${nasty} 2`,
      envelopeSummary: { recipients: { signers: [recipient(`${nasty} 1`), recipient(`${nasty} 2`)] } },
    },
  }));

  const events = messages.map((message) => world.received(JSON.stringify(message)));
  const outcomes = await world.write(events);

  assert.deepEqual(outcomes, ["recorded", "recorded", "recorded"]);
  assert.ok((await world.forwardings()).length > 0);
});

test("bodies are stored byte by byte, including empty ones, and forwardings with their events", async () => {
  await using world = await createWorld();
  const place = (recipientId: string) => ({ recipientId, userId: null, email: null });
  const forwardings = [
    { from: place("1"), to: place("2") },
    { from: place("2"), to: place("3") },
  ];
  const all = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256));
  const events = [
    world.event({ body: all.subarray(3, 300) }),
    world.event({ body: Buffer.alloc(0) }),
    world.event({ body: Buffer.from([0]), forwardings }),
    world.event({ body: all }),
  ];

  const withoutBody = world.event({ body: null });

  await world.write([withoutBody, ...events]);

  for (const { envelopeId, body } of events)
    assert.deepEqual(await world.bodyOf(envelopeId), Buffer.from(body ?? []));
  assert.equal(await world.bodyOf(withoutBody.envelopeId), null);
  const told = await world.forwardings();
  assert.deepEqual(
    told.map(({ envelope_id, from_recipient_id: from, to_recipient_id: to }) => [envelope_id, from, to]),
    [
      [events[2]?.envelopeId, "1", "2"],
      [events[2]?.envelopeId, "2", "3"],
    ],
  );
});

test("repeats within a batch and across batches are distinguished from new events, per link", async () => {
  await using world = await createWorld();
  const event = world.event();
  const otherLink = { ...event, linkId: await world.addLink() };
  const unknownLink = { ...event, linkId: id<LinkId>() };
  const endedLink = { ...event, linkId: await world.addLink("ended") };

  const first = await world.write([event, unknownLink, event, otherLink, endedLink]);
  const again = await world.write([world.event(), event]);

  assert.deepEqual(first, ["recorded", "no-link", "repeat", "recorded", "no-link"]);
  assert.deepEqual(again, ["recorded", "repeat"]);
  assert.deepEqual(await world.count(), { events: 3, jobs: 3 });
});

test("an event is foreign if account and configuration both differ from the link's: it queues and decides nothing", async () => {
  await using world = await createWorld();
  const place = { recipientId: "1", userId: null, email: null };
  const event = (accountId: AccountId | null, configurationId: string | null) =>
    world.event({ accountId, configurationId, forwardings: [{ from: place, to: place }] });
  const own = [
    event(ACCOUNT, "7"),
    event(id<AccountId>(), CONFIGURATIONS[0]),
    event(id<AccountId>(), CONFIGURATIONS[1]),
    event(null, "7"),
    event(id<AccountId>(), null),
  ];
  const foreign = event(id<AccountId>(), "7");

  const outcomes = await world.write([...own, foreign]);
  const again = await world.write([foreign]);

  assert.deepEqual(outcomes, [...own.map(() => "recorded"), "foreign"]);
  assert.deepEqual(again, ["repeat"]);
  assert.deepEqual(await world.count(), { events: 6, jobs: 5 });
  const told = await world.forwardings();
  assert.deepEqual(
    new Set(told.map(({ envelope_id }) => envelope_id)),
    new Set(own.map(({ envelopeId }) => envelopeId)),
  );
});

test("a foreign event announces nothing: not to reconciliations, replays, explanations or the end of a link", async () => {
  await using world = await createWorld();
  const foreign = world.event({ accountId: id<AccountId>(), configurationId: "7" });
  const { linkId, envelopeId } = foreign;
  assert.ok(envelopeId !== null);
  await world.write([foreign]);
  await world.queueImport(linkId, envelopeId);

  assert.deepEqual(await announcedEnvelopes(world.db, linkId, [envelopeId]), new Set());
  assert.deepEqual(await completionsSince(world.db, { linkId, since: new Date(0) }), []);
  assert.deepEqual(await eventsOfEnvelope(world.db, linkId, envelopeId), []);
  assert.deepEqual(await tenantsOfEnvelope(world.db, envelopeId), []);
  const since = { sinceEver: new Date(0), unlistedFrom: new Date(0) };
  assert.equal(await oldestAnnounced(world.db, linkId, since), null);
});

test("two events of one batch for the same envelope queue one import, at the earlier time", async () => {
  await using world = await createWorld();
  const later = world.event({ identity: "first", import: { at: new Date("2031-01-01T01:00:00Z") } });
  const sooner = { ...later, identity: "second", import: { at: new Date("2031-01-01T00:00:00Z") } };
  const atOnce = world.event({ identity: "third", import: { at: null } });
  const inAnHour = { ...atOnce, identity: "fourth", import: later.import };

  const outcomes = await world.write([later, sooner, atOnce, inAnHour]);

  assert.deepEqual(outcomes, ["recorded", "recorded", "recorded", "recorded"]);
  const [now, next, ...others] = await world.jobTimes();
  assert.ok(now !== undefined && now <= new Date());
  assert.deepEqual([next, others], [sooner.import.at, []]);
});

test("batches with the same events in different order wait for each other without a deadlock", async () => {
  await using world = await createWorld();
  const events = Array.from({ length: 100 }, () => world.event());
  const written = Promise.withResolvers<void>();
  const hold = Promise.withResolvers<void>();
  const held = world.inTransaction(async (recording) => {
    await world.write(events.slice(50, 51), recording);
    written.resolve();
    await hold.promise;
  });
  await Promise.race([written.promise, held]);

  const batches = [events, events.toReversed()].map(async (batch) => await world.write(batch));
  await world.untilBlocked(batches.length);
  hold.resolve();
  await held;
  const outcomes = (await Promise.all(batches)).flat();

  assert.equal(outcomes.filter((outcome) => outcome === "recorded").length, 99);
  assert.deepEqual(await world.count(), { events: 100, jobs: 100 });
});

test("the statement planned with an empty queue does not scan a full queue", async () => {
  const read = await rowsReadOnceGrown("_private_jobs", async (world) => await world.fillQueue(5_000));

  assert.equal(read.walked, 0);
});

test("the statement planned with one link reads one link among thousands", async () => {
  const read = await rowsReadOnceGrown("link", async (world) => await world.addLinks(5_000));

  assert.equal(read.walked, 0);
  // Once for the tenant, once for the foreign key.
  assert.equal(read.found, 2);
});

/** The rows that recording one event reads, with a plan made before the table grew. */
async function rowsReadOnceGrown(
  table: string,
  grow: (world: Awaited<ReturnType<typeof createWorld>>) => Promise<unknown>,
): Promise<{ walked: number; found: number }> {
  await using world = await createWorld();
  await using intake = world.openIntake();
  // PostgreSQL settles on a generic plan at the sixth execution.
  for (let event = 0; event < 8; event += 1) await world.write([world.event()], intake.pool);
  await grow(world);
  const before = await intake.rowsRead(table);
  await world.write([world.event()], intake.pool);
  const after = await intake.rowsRead(table);
  return { walked: after.walked - before.walked, found: after.found - before.found };
}
