import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { sql } from "kysely";
import { follow, type Mirror } from "../../docs/client/mirror.ts";
import {
  createTorikomiClient,
  type LinkChange,
  type TorikomiClient,
} from "../../docs/client/torikomi-client.ts";
import { addRestoredEntries } from "../../src/store/contracts/feed-notes.ts";
import { createRandom } from "../support/random.ts";
import { until } from "../support/waiting.ts";
import { createWorld, SERVICE, type World } from "../support/world.ts";
import { storeTestContract, storeTestLink } from "./stored.ts";

const TENANTS = ["tenant-1", "tenant-2", "tenant-3"];
const STEPS = 40;

test("docs/api.md shows the mirror as it is tested", async () => {
  const root = new URL("../../", import.meta.url);
  const [guide, source] = await Promise.all(
    ["docs/api.md", "docs/client/mirror.ts"].map(async (path) => await readFile(new URL(path, root), "utf8")),
  );

  assert.ok(guide?.includes(source?.slice(source.indexOf("/** Follows all changes")).trim() ?? "?"));
});

for (const seed of [1, 2]) {
  test(`a mirror of all tenants that is killed at random ends equal to the API, with one mail for each change of a link (seed ${seed})`, async () => {
    await using world = await createWorld();
    const { next: random } = createRandom(seed);
    const service = await world.cabinet.token({
      tenant: "*",
      sub: SERVICE,
      scope: "contracts:read links:read",
    });
    const client = createTorikomiClient({ url: world.url, token: () => service });
    const mirror = createMirror();
    const links = await Promise.all(TENANTS.map(async (tenant) => await storeTestLink(world, { tenant })));
    const traffic = { isOver: false };
    const following = (async () => {
      while (!traffic.isOver || (await isBehind(world, mirror)))
        await followUntilKilled(client, mirror, random);
    })();

    for (let step = 0; step < STEPS; step += 1) {
      const index = Math.floor(random() * TENANTS.length);
      const [tenant, linkId] = [TENANTS[index] ?? "", links[index]];
      assert.ok(linkId);
      const kind = random();
      if (kind < 0.5) await storeTestContract(world, { linkId, tenant });
      else if (kind < 0.8) await deleteOne(world, tenant);
      else if (kind < 0.95) await turn(world, linkId);
      else await addRestoredEntries(world.service.foundation.serving.db, new Date(step));
    }
    traffic.isOver = true;
    await following;

    for (const tenant of TENANTS) {
      const expected = (await world.contracts(tenant)).map(({ id }) => id);
      assert.deepEqual(mirror.idsOf(tenant), expected.sort());
    }
    const { rows } = await sql<{ sequence: string }>`
      select sequence from feed_note where type = 'link' order by sequence`.execute(
      world.service.foundation.serving.db,
    );
    assert.deepEqual(
      mirror.mails().map(({ sequence }) => sequence),
      rows.map(({ sequence }) => Number(sequence)),
    );
  });
}

test("after the service was set back, a mirror that obeys `restored` equals the API again", async () => {
  await using world = await createWorld();
  const { db } = world.service.foundation.serving;
  const linkId = await storeTestLink(world);
  const [kept, lost] = [
    await storeTestContract(world, { linkId }),
    await storeTestContract(world, { linkId }),
  ];
  const token = await world.cabinet.token({ tenant: "tenant-1", scope: "contracts:read" });
  const client = createTorikomiClient({ url: world.url, token: () => token });
  const mirror = createMirror();
  await followUntil(client, mirror, () => mirror.idsOf("tenant-1").length === 2);
  // The database no longer knows the second contract.
  await sql`delete from change where contract_id = ${lost.id}`.execute(db);
  await sql`delete from contract where id = ${lost.id}`.execute(db);
  await sql`select setval('change_sequence', 1)`.execute(db);
  await addRestoredEntries(db, new Date());

  await followUntil(client, mirror, () => mirror.idsOf("tenant-1").length === 1);

  assert.deepEqual(mirror.idsOf("tenant-1"), [kept.id]);
});

type State = { position: number; contracts: Map<string, string>; mails: LinkChange[] };

/** A database in memory. A commit that is killed changes nothing. */
function createMirror(): Mirror & {
  kill: () => void;
  idsOf: (tenant: string) => string[];
  mails: () => readonly LinkChange[];
} {
  let state: State = { position: 0, contracts: new Map(), mails: [] };
  let isKilled = false;
  return {
    kill: () => {
      isKilled = true;
    },
    position: async () => {
      isKilled = false;
      return state.position;
    },
    async commit(position, work) {
      const { contracts, mails } = state;
      const next: State = { position, contracts: new Map(contracts), mails: [...mails] };
      await work({
        put: async ({ id, tenant }) => void next.contracts.set(id, tenant),
        remove: async (id) => void next.contracts.delete(id),
        listIds: async (tenant) =>
          [...next.contracts]
            .filter(([, owner]) => tenant === undefined || owner === tenant)
            .map(([id]) => id),
        mail: async (change) => void next.mails.push(change),
      });
      if (isKilled) throw new Error("killed");
      state = next;
    },
    idsOf: (tenant) =>
      [...state.contracts]
        .filter(([, owner]) => owner === tenant)
        .map(([id]) => id)
        .sort(),
    mails: () => state.mails,
  };
}

type Killable = ReturnType<typeof createMirror>;

/** Ends the mirror after some milliseconds, maybe within a commit. */
async function followUntilKilled(
  client: TorikomiClient,
  mirror: Killable,
  random: () => number,
): Promise<void> {
  const killing = new AbortController();
  const timer = setTimeout(() => {
    mirror.kill();
    killing.abort();
  }, random() * 150);
  await follow(client, mirror, killing.signal).catch(() => {});
  clearTimeout(timer);
}

async function followUntil(client: TorikomiClient, mirror: Killable, isEnough: () => boolean): Promise<void> {
  const ending = new AbortController();
  const following = follow(client, mirror, ending.signal).catch(() => {});
  await until(isEnough, "the mirror has followed");
  ending.abort();
  await following;
}

async function isBehind(world: World, mirror: Mirror): Promise<boolean> {
  const token = await world.cabinet.token({ tenant: "*", sub: SERVICE, scope: "contracts:read" });
  const response = await fetch(`${world.url}/v1/changes?after=latest`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return (JSON.parse(await response.text()).next ?? 0) > (await mirror.position());
}

async function deleteOne(world: World, tenant: string): Promise<void> {
  const [contract] = await world.contracts(tenant);
  if (contract === undefined) return;
  const { status } = await (await world.api(tenant)).send("DELETE", `/v1/contracts/${contract.id}`);
  assert.equal(status, 204);
}

/** Puts the link into error, or back. */
async function turn(world: World, linkId: string): Promise<void> {
  await sql`
    update link set state = case state when 'active' then 'error' else 'active' end,
      cause = case state when 'active' then 'not-admin' end
    where id = ${linkId}`.execute(world.service.foundation.serving.db);
}
