import assert from "node:assert/strict";
import { test } from "node:test";
import { createEventRecorder, RecorderFull } from "../../../src/store/events/event-recorder.ts";
import { type ConnectEvent, type Recorded } from "../../../src/store/events/record-events.ts";
import { anEvent, createWorld } from "./recording-world.ts";

const LIMITS = { batch: 100, waiting: 1_000, waitingBytes: 1_000_000, writers: 1, answerWithinMs: 60_000 };

test("a single event is written at once, and answered only after its commit", async () => {
  const writer = createWriter();
  const recorder = createEventRecorder(writer.write, LIMITS);
  const order: string[] = [];

  const recording = recorder.record(anEvent()).then(() => order.push("answered"));

  assert.deepEqual(writer.sizes(), [1]);
  await Promise.resolve();
  order.push("committed");
  writer.commit();
  await recording;
  assert.deepEqual(order, ["committed", "answered"]);
});

test("events that arrive during a commit share the next one, in their order", async () => {
  const writer = createWriter();
  const recorder = createEventRecorder(writer.write, { ...LIMITS, batch: 3 });
  const events = Array.from({ length: 6 }, () => anEvent());

  const recordings = events.map(async (event) => await recorder.record(event));
  while (writer.commit()) await settled();
  await Promise.all(recordings);

  assert.deepEqual(writer.sizes(), [1, 3, 2]);
  assert.deepEqual(writer.batches.flat(), events);
});

test("another commit begins if a full batch waits, but never more than there are writers", async () => {
  const writer = createWriter();
  const recorder = createEventRecorder(writer.write, { ...LIMITS, batch: 3, writers: 2 });
  const record = (count: number) =>
    Array.from({ length: count }, async () => await recorder.record(anEvent()));

  const recordings = record(3);
  assert.deepEqual(writer.sizes(), [1]);
  recordings.push(...record(1));
  assert.deepEqual(writer.sizes(), [1, 3]);
  recordings.push(...record(5));
  assert.deepEqual(writer.sizes(), [1, 3]);

  while (writer.commit()) await settled();
  await Promise.all(recordings);
  assert.deepEqual(writer.sizes(), [1, 3, 3, 2]);
});

test("large bodies share no commit, so no event waits for many of them", async () => {
  const writer = createWriter();
  const recorder = createEventRecorder(writer.write, { ...LIMITS, waitingBytes: 100_000_000 });
  const megabytes = (count: number): ConnectEvent => anEvent({ body: Buffer.alloc(count * 1024 * 1024) });

  const recordings = [1, 3, 1, 1, 9, 1].map(async (size) => await recorder.record(megabytes(size)));
  while (writer.commit()) await settled();
  await Promise.all(recordings);

  assert.deepEqual(writer.sizes(), [1, 2, 1, 1, 1]);
});

test("events beyond the limits in number or bytes are refused until commits make room", async () => {
  const writer = createWriter();
  const recorder = createEventRecorder(writer.write, { ...LIMITS, waiting: 2, waitingBytes: 100 });
  const body = (length: number): ConnectEvent => anEvent({ body: Buffer.alloc(length) });

  const small = [recorder.record(body(1)), recorder.record(body(1))];
  await assert.rejects(recorder.record(body(1)), RecorderFull);
  while (writer.commit()) await settled();
  await Promise.all(small);
  const large = recorder.record(body(99));
  await assert.rejects(recorder.record(body(2)), RecorderFull);
  const beside = recorder.record(body(1));
  while (writer.commit()) await settled();

  assert.deepEqual(await Promise.all([large, beside]), ["recorded", "recorded"]);
});

test("while the database is down every waiting event fails at the next attempt, and later ones are tried again", async () => {
  const writer = createWriter();
  const recorder = createEventRecorder(writer.write, LIMITS);
  const away = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });

  const recordings = Array.from({ length: 50 }, async () => await recorder.record(anEvent()));
  const outcomes = Promise.allSettled(recordings);
  while (writer.fail(away)) await settled();

  assert.deepEqual(
    (await outcomes).map((outcome) => outcome.status === "rejected" && outcome.reason),
    recordings.map(() => away),
  );
  assert.deepEqual(writer.sizes(), [1, 49]);
  const again = recorder.record(anEvent());
  writer.commit();
  assert.equal(await again, "recorded");
});

test("an event that the database rejects fails alone", async () => {
  await using world = await createWorld();
  const recorder = createEventRecorder(world.write, LIMITS);
  const person = { recipientId: "1", userId: null, email: "a\0@example.com" };
  const poisoned = [
    world.event({ event: "a\0b" }),
    world.event({ forwardings: [{ from: person, to: person }] }),
    world.event({ format: JSON.parse(`"telex"`) }),
  ];
  const events = Array.from({ length: 60 }, (_, index) => poisoned[index / 20] ?? world.event());

  const outcomes = await Promise.allSettled(events.map(async (event) => await recorder.record(event)));

  const failed = outcomes.flatMap((outcome, index) => (outcome.status === "rejected" ? [index] : []));
  assert.deepEqual(failed, [0, 20, 40]);
  assert.deepEqual(await world.count(), { events: 57, jobs: 57 });
});

/** Replaces the database and commits when told to. */
function createWriter() {
  const batches: (readonly ConnectEvent[])[] = [];
  const open: { resolve: (recorded: Recorded[]) => void; reject: (error: Error) => void; size: number }[] =
    [];
  return {
    batches,
    sizes: () => batches.map((batch) => batch.length),
    write: async (events: readonly ConnectEvent[]) => {
      batches.push(events);
      const { promise, resolve, reject } = Promise.withResolvers<Recorded[]>();
      open.push({ resolve, reject, size: events.length });
      return await promise;
    },
    commit: (): boolean => {
      const next = open.shift();
      next?.resolve(Array.from({ length: next.size }, () => "recorded"));
      return next !== undefined;
    },
    fail: (error: Error): boolean => {
      const next = open.shift();
      next?.reject(error);
      return next !== undefined;
    },
  };
}

/** Resolves after all pending promise callbacks have run. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
