import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { createWorld, type World } from "../support/world.ts";
import { storeTestContract, storeTestLink } from "./stored.ts";

const MINUTE_MICROS = 60_000_000;

async function listSequences(world: World, query = ""): Promise<number[]> {
  const { status, body } = await (await world.api()).get(`/v1/changes?${query}`);
  assert.equal(status, 200);
  return body.items.map(({ sequence }: { sequence: number }) => sequence);
}

/** As if the last position had been given at this time by the database's clock. */
async function setLast(world: World, minutesAhead: number): Promise<number> {
  const last = Date.now() * 1_000 + minutesAhead * MINUTE_MICROS;
  await sql`select setval('change_sequence', ${last})`.execute(world.service.foundation.serving.db);
  return last;
}

test("positions are the time in microseconds, and differ even if many are given at once", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  const before = Date.now() * 1_000;
  for (let count = 0; count < 3; count += 1) await storeTestContract(world, { linkId });

  const sequences = await listSequences(world, "types=link,imported");

  const after = Date.now() * 1_000;
  assert.equal(sequences.length, 4);
  assert.ok(sequences.every((sequence) => sequence >= before - MINUTE_MICROS && sequence <= after));
  assert.ok(sequences.every((sequence, index) => index === 0 || sequence > (sequences[index - 1] ?? 0)));
});

test("positions are not reused after the database was set back", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.serving;
  const linkId = await storeTestLink(world);
  await storeTestContract(world, { linkId });
  const [lost = 0] = await listSequences(world);
  await sql`truncate change`.execute(db);
  await sql`select setval('change_sequence', 1, false)`.execute(db);

  const again = await storeTestContract(world, { linkId });

  const { body } = await (await world.api()).get(`/v1/changes?after=${lost}`);
  assert.deepEqual(
    body.items.map(({ contract }: any) => contract.id),
    [again.id],
  );
});

test("a clock that is a little behind continues after the last position", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  await storeTestContract(world, { linkId });
  const last = await setLast(world, 4);

  assert.deepEqual(await listSequences(world, "types=link,imported"), [last + 1, last + 2]);
});

test("nothing is published while the clock is more than 5 minutes behind; it is logged, shown, and tried again", async () => {
  await using world = await createWorld();
  const linkId = await storeTestLink(world);
  await storeTestContract(world, { linkId });
  const published = await listSequences(world);
  await storeTestContract(world, { linkId });
  await setLast(world, 6);

  assert.deepEqual(await listSequences(world), published);
  assert.deepEqual(await listSequences(world), published);
  assert.deepEqual(
    world.logged.map((line) => JSON.parse(line).msg),
    ["the feed publishes nothing: the database's clock is more than 5 minutes behind its newest position"],
  );
  assert.match(await metricsOf(world), /^torikomi_publication_refused 1$/m);

  await setLast(world, 0);
  assert.equal((await listSequences(world)).length, 2);
  await world.restart();
  assert.match(await metricsOf(world), /^torikomi_publication_refused 0$/m);
});

async function metricsOf(world: World): Promise<string> {
  return await (await fetch(`${world.url}/metrics`)).text();
}
