import assert from "node:assert/strict";
import { runCommand } from "../../cli/commands.ts";
import { copyDatabase } from "../database-copy.ts";
import type { Envelope, User } from "../docusign/state.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  endLink,
  historyOf,
} from "../linked-world.ts";
import { createRandom, type Random } from "../random.ts";
import { createReader, listAll, type Reader } from "./reader.ts";

export type Drill = {
  readonly seed: number;
  /** True if an operator runs `torikomi restored`. */
  readonly isReported: boolean;
};

export type Drilled = {
  /** Broken promises. */
  readonly problems: readonly string[];
  /** Contracts that the database lost, and deletions that it lost. */
  readonly lost: number;
  readonly deletions: number;
};

/** The tenant whose link stays, and the one whose link ends after the moment of the set-back. */
const STAYING = "tenant-1";
const LEAVING = "tenant-2";
const READERS = 3;
const MOST_STEPS = 10;

/**
 * Sets the database back while the document store stays newer. Before and after that moment, contracts are imported and
 * deleted, tokens are refreshed, readers of the feed are killed, and the link of another tenant ends. Compares everything
 * after one reconciliation.
 */
export async function runDrill({ seed, isReported }: Drill): Promise<Drilled> {
  await using companies = await createLinkedCompanies({ expectErrors: true, docusign: { validate: false } });
  const stage = await createStage(companies, createRandom(seed));
  const { world } = companies;
  await play(stage);
  const old = await conclude(stage, STAYING, true);
  const copy = await copyDatabase(world.service.foundation.working.db);
  const to = new Date(world.clock.now);
  const kept = await idsOf(stage, LEAVING);

  world.clock.pass(60_000);
  await play(stage);
  const young = await conclude(stage, STAYING, true);
  await conclude(stage, STAYING, true);
  await conclude(stage, LEAVING, true);
  const deletedBefore = stage.deleted.size;
  for (const envelope of [old, young]) await remove(stage, envelope);
  world.clock.pass(60_000);
  assert.equal((await endLink(world, LEAVING)).status, 204);
  await play(stage);
  const known = await idsOf(stage, STAYING);
  const deletions = stage.deleted.size - deletedBefore;
  await copy.restore();
  const left = new Set(await idsOf(stage, STAYING));

  if (isReported) {
    const { exit, out } = await runCommand(world, `restored --to ${to.toISOString()}`);
    assert.equal(exit, 0, out);
  }
  await world.runHour();
  const problems = await examineEnd(stage, kept);
  await relinkIfNeeded(stage);
  await world.runHour();
  problems.push(...(await examine(stage)));
  return { problems, lost: known.filter((id) => !left.has(id)).length, deletions };
}

type Stage = Companies & {
  readonly random: Random;
  readonly leaver: User;
  readonly readers: readonly Reader[];
  readonly concluded: Map<string, Envelope[]>;
  /** `envelope document` of the contracts that were deleted. */
  readonly deleted: Set<string>;
};

async function createStage(companies: Companies, random: Random): Promise<Stage> {
  const { world } = companies;
  const account = world.docusign.addAccount({ name: "株式会社乙" });
  const leaver = world.docusign.addUser(account, { name: "田中", role: "DS Admin" });
  assert.equal(await world.link(leaver, { tenant: LEAVING }), "linked");
  await world.runJobs();
  return {
    ...companies,
    random,
    leaver,
    readers: Array.from({ length: READERS }, createReader),
    concluded: new Map([
      [STAYING, []],
      [LEAVING, []],
    ]),
    deleted: new Set(),
  };
}

/** Some of what happens in a day, at random. */
async function play(stage: Stage): Promise<void> {
  const { world, random, admin } = stage;
  const acts = [
    async () => void (await conclude(stage, STAYING, random.chance(0.7))),
    async () => void (await conclude(stage, STAYING, random.chance(0.7))),
    async () => await removeAny(stage),
    async () => await readSome(stage),
    async () => await world.runHour(),
    async () => world.docusign.expireAccessTokens(admin),
  ];
  for (let left = random.below(MOST_STEPS) + 3; left > 0; left -= 1) {
    await random.pick(acts)();
    world.clock.pass(random.below(20) * 60_000);
  }
  await readSome(stage);
}

async function conclude(stage: Stage, tenant: string, isHeard: boolean): Promise<Envelope> {
  const { world, random, colleague, partner, admin, leaver, concluded } = stage;
  const isReceived = tenant === STAYING && random.chance(0.3);
  const sender = tenant === LEAVING ? leaver : colleague;
  const wish = {
    from: isReceived ? partner : sender,
    to: [isReceived ? admin : CUSTOMER],
    documents: random.chance(0.4) ? [{ name: "契約書.pdf" }, { name: "別紙.pdf" }] : [{ name: "契約書.pdf" }],
  };
  const envelope = isHeard ? await world.docusign.concludeEnvelope(wish) : await concludeUnheard(world, wish);
  concluded.get(tenant)?.push(envelope);
  await world.runJobs();
  return envelope;
}

async function removeAny(stage: Stage): Promise<void> {
  const envelope = stage.concluded.get(STAYING)?.at(stage.random.below(100));
  if (envelope !== undefined) await remove(stage, envelope);
}

async function remove({ world, deleted }: Stage, { envelopeId }: Envelope): Promise<void> {
  const api = await world.api(STAYING);
  for (const contract of await listAll(api)) {
    if (contract.source.envelopeId !== envelopeId) continue;
    assert.equal((await api.send("DELETE", `/v1/contracts/${contract.id}`)).status, 204);
    deleted.add(keyOf(contract));
  }
  await world.runJobs();
}

/** Any reader reads a little, and may be killed. */
async function readSome({ world, random, readers }: Stage): Promise<void> {
  const api = await world.api(STAYING);
  for (let pages = random.below(4) + 1; pages > 0; pages -= 1)
    await random.pick(readers).read(api, { limit: random.below(5) + 1, killed: random.chance(0.3) });
}

async function idsOf({ world }: Stage, tenant: string): Promise<string[]> {
  return (await listAll(await world.api(tenant))).map(({ id }) => id).sort();
}

/** A link that was ended stays ended and imports nothing. */
async function examineEnd(stage: Stage, kept: readonly string[]): Promise<string[]> {
  const [link] = await historyOf(stage.world, LEAVING);
  const ids = await idsOf(stage, LEAVING);
  return [
    ...(link.state === "ended" ? [] : ["an ended link was resurrected"]),
    ...(ids.join() === kept.join() ? [] : ["an ended link imported"]),
  ];
}

/** Owners do what their page asks for. The tenant that left links again, and gets what its lost link had imported. */
async function relinkIfNeeded({ world, admin, leaver }: Stage): Promise<void> {
  const { body: link } = await (await world.api(STAYING)).get("/v1/link");
  if (link.state === "error") assert.equal(await world.link(admin), "linked");
  assert.equal(await world.link(leaver, { tenant: LEAVING }), "linked");
  await world.runJobs();
}

async function examine(stage: Stage): Promise<string[]> {
  const problems = [...(await examineContracts(stage, STAYING)), ...(await examineContracts(stage, LEAVING))];
  const api = await stage.world.api(STAYING);
  const listed = await listAll(api);
  for (const reader of stage.readers) {
    while ((await reader.read(api, { limit: 200, killed: false })) === "more");
    const mirrored = [...reader.mirror.keys()].sort().join();
    if (
      mirrored !==
      listed
        .map(({ id }) => id)
        .sort()
        .join()
    )
      problems.push("a mirror differs from the API");
  }
  return [...problems, ...(await examineFeed(stage))];
}

async function examineContracts({ world, concluded, deleted }: Stage, tenant: string): Promise<string[]> {
  const expected = (concluded.get(tenant) ?? []).flatMap(({ envelopeId, documents }) =>
    documents.filter(({ type }) => type === "content").map(({ documentId }) => `${envelopeId} ${documentId}`),
  );
  const found = (await listAll(await world.api(tenant))).map(keyOf);
  const isFound = new Set(found);
  return [
    ...expected.filter((key) => !isFound.has(key) && !deleted.has(key)).map((key) => `lost: ${key}`),
    ...found.filter((key) => deleted.has(key)).map((key) => `resurrected: ${key}`),
    ...found.filter((key, index) => found.indexOf(key) !== index).map((key) => `twice: ${key}`),
    ...found.filter((key) => !expected.includes(key)).map((key) => `not ours: ${key}`),
  ];
}

/** Positions are strictly ordered and were never handed out for anything else. */
async function examineFeed({ world, readers }: Stage): Promise<string[]> {
  const { body } = await (await world.api(STAYING)).get(
    "/v1/changes?types=imported,deleted,restored&limit=200",
  );
  const sequences: number[] = body.items.map(({ sequence }: { sequence: number }) => sequence);
  const notes = body.items.filter(({ type }: { type: string }) => type === "restored");
  const isOrdered = sequences.every((one, index) => index === 0 || one > (sequences[index - 1] ?? 0));
  const first = Math.min(...notes.map(({ sequence }: { sequence: number }) => sequence));
  const reused = readers.flatMap(({ positions }) => positions).filter((one) => one > first);
  return [
    ...(isOrdered ? [] : ["the feed is not in order"]),
    ...(notes.length === 1 ? [] : [`${notes.length} restored entries`]),
    ...(reused.every((one) => sequences.includes(one)) ? [] : ["a position was used again"]),
  ];
}

function keyOf({ source }: { source: { envelopeId: string; documentId: string } }): string {
  return `${source.envelopeId} ${source.documentId}`;
}
