import assert from "node:assert/strict";
import type { User } from "../docusign/state.ts";
import { createWorld, type World } from "../world.ts";
import { createMail } from "./mail.ts";
import { contractsByTheRules, countShownTo, type PlayedEnvelope, type PlayedLink } from "./model.ts";
import { readLedger, strikeHour } from "./outcome.ts";
import { type Cast, castPeople, playEnvelope } from "./play.ts";
import { createRandom, type Random } from "./random.ts";
import { work } from "./worker.ts";

const MINUTE_MS = 60_000;
const SLICES = 6;
/** Envelopes before any link, during the predecessor's, and in the hour of chaos: 500 in all. */
const BEFORE = 80;
const UNDER_PREDECESSOR = 60;
const IN_A_SLICE = 60;
const TENANTS = ["tenant-1", "tenant-2", "tenant-3"] as const;

/** Does what is due now; `killed` says whether the worker may be killed at it. */
export type Workers = (world: World, random: Random, killed: boolean) => Promise<void>;

/** Workers of this process, killed at one of their statements. */
export const ownWorkers: Workers = async (world, random, killed) =>
  await work(world, { killedAt: killed ? 1 + random.below(600) : Number.POSITIVE_INFINITY });

type Stage = {
  readonly world: World;
  readonly random: Random;
  readonly cast: Cast;
  readonly played: PlayedEnvelope[];
};

/**
 * Four accounts and three links: of 500 envelopes 30 % of the events are dropped, 20 % repeated, the rest shuffled, and
 * workers are killed at random. After the next hour the contracts are exactly those that the rules name, and every
 * envelope is accounted for. Throws an error with the seed and the difference where they are not.
 */
export async function playChaos(seed: number, workers: Workers = ownWorkers): Promise<void> {
  await using world = await createWorld({
    at: "2031-01-15T02:10:00Z",
    expectErrors: true,
    docusign: { validate: false },
  });
  const stage = { world, random: createRandom(seed), cast: castPeople(world), played: [] };
  const links = await playLinks(stage);
  await playHour(stage, workers);
  await playNextHour(stage, workers);
  await assertOutcome(seed, stage, links);
}

/** Each at a moment of the stretch, some of them in the same second; those of the past are nobody's news. */
async function playMany(
  stage: Stage,
  count: number,
  stretch: { from: Date; to: Date; gone: boolean },
): Promise<void> {
  const { world, random, cast, played } = stage;
  const length = stretch.to.getTime() - stretch.from.getTime();
  for (let number = 0; number < count; number += 1) {
    const moment = stretch.from.getTime() + Math.floor(random.next() * length);
    const at = new Date(random.chance(0.2) ? Math.ceil(moment / MINUTE_MS) * MINUTE_MS - 1000 : moment);
    const scene = { cast, random, number: played.length, at, predecessorGone: stretch.gone };
    played.push(await playEnvelope(world, scene));
  }
}

/** The predecessor's link imports and ends on the hour without a gap, then all three accounts are linked. */
async function playLinks(stage: Stage): Promise<PlayedLink[]> {
  const { world, cast } = stage;
  const { clock } = world;
  const start = new Date(clock.now);
  await playMany(stage, BEFORE, {
    from: new Date(start.getTime() - 3 * 24 * 60 * MINUTE_MS),
    to: start,
    gone: false,
  });
  await linkUser(world, cast.predecessor, "tenant-3");
  await world.runJobs();
  clock.pass(40 * MINUTE_MS);
  await playMany(stage, UNDER_PREDECESSOR, { from: start, to: clock.now, gone: false });
  await world.runHour();
  const ended = new Date(clock.now);
  assert.equal((await (await world.api("tenant-3")).send("DELETE", "/v1/link")).status, 204);
  clock.pass(5 * MINUTE_MS);
  const [kou, otsu, hei] = cast.companies;
  for (const [index, { admin }] of [kou, otsu, hei].entries())
    await linkUser(world, admin, TENANTS[index] ?? "");
  return [
    playedLink("tenant-3", cast.predecessor, { until: ended }),
    playedLink("tenant-1", kou.admin, {}),
    playedLink("tenant-2", otsu.admin, {}),
    playedLink("tenant-3", hei.admin, { sentFrom: ended }),
  ];
}

function playedLink(
  tenant: string,
  user: User,
  window: Partial<Pick<PlayedLink, "sentFrom" | "until">>,
): PlayedLink {
  const { userId, email, defaultAccountId: account } = user;
  return { tenant, account, userId, email, sentFrom: null, receivedFrom: null, until: null, ...window };
}

async function linkUser(world: World, user: User, tenant: string): Promise<void> {
  assert.equal(await world.link(user, { tenant }), "linked");
}

/** From 3:05 to 3:59: envelopes, late and repeated messages, failing calls, workers that die. */
async function playHour(stage: Stage, workers: Workers): Promise<void> {
  const { world, random } = stage;
  const mail = createMail(world, random);
  for (let slice = 0; slice < SLICES; slice += 1) {
    const from = new Date(world.clock.now);
    world.clock.pass(9 * MINUTE_MS);
    await playMany(stage, IN_A_SLICE, { from, to: world.clock.now, gone: true });
    mail.mix();
    await mail.deliver(random.next());
    if (random.chance(0.5)) world.docusign.failNext(1 + random.below(3), { status: 503 }, "/envelopes");
    if (random.chance(0.5)) world.docusign.truncateNextDownload();
    await workers(world, random, true);
  }
  await mail.deliver(0.7);
}

/** The hour strikes, its first workers die as well, and those after them are left alone. */
async function playNextHour({ world, random }: Stage, workers: Workers): Promise<void> {
  const { clock, service } = world;
  clock.now = new Date("2031-01-15T04:00:00Z");
  await strikeHour(service.foundation.tasks.db, clock.now);
  await workers(world, random, true);
  await workers(world, random, true);
  // Leases of the dead end after two minutes, waits after a few failures within some more.
  for (let pass = 0; pass < 10; pass += 1) {
    await workers(world, random, false);
    clock.pass(3 * MINUTE_MS);
  }
}

async function assertOutcome(
  seed: number,
  { world, played }: Stage,
  links: readonly PlayedLink[],
): Promise<void> {
  const { contracts, changes, totals } = await readLedger(world);
  const expected = contractsByTheRules(links, played);
  const missing = expected.filter((one) => !contracts.includes(one));
  const surplus = contracts.filter((one) => !expected.includes(one));
  const twice = contracts.filter((one, index) => contracts.indexOf(one) !== index);
  const current = links.filter(({ until }) => until === null);
  const shown = Object.fromEntries(current.map((link) => [link.tenant, countShownTo(link, played)]));
  assert.deepEqual(
    { missing, surplus, twice, changes, totals },
    {
      missing: [],
      surplus: [],
      twice: [],
      changes: expected.length,
      totals: Object.fromEntries(current.map(({ tenant }) => [tenant, { shown: shown[tenant], waiting: 0 }])),
    },
    `seed ${seed}: the contracts or the totals are not what the rules name`,
  );
}
