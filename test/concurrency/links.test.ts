import assert from "node:assert/strict";
import { test } from "node:test";
import { reconcileAll } from "../../src/usecases/reconciling/reconcile-all.ts";
import { createBrowser } from "../support/browser.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  endLink,
  historyOf,
  subjects,
} from "../support/linked-world.ts";
import { createRandom } from "../support/random.ts";
import { settleUntilNextHour } from "../support/settle.ts";
import { finishLink, type World } from "../support/world.ts";
import { atOnce, startProcess, workAt } from "./processes.ts";

const SEEDS = [1, 2, 3, 4];
const NAMES = Array.from({ length: 5 }, (_, index) => `契約 ${index}`);

for (const seed of SEEDS) {
  test(`a linking during the end of a link leaves one link or none, in either order (seed ${seed})`, async () => {
    await using companies = await createCompanies();
    const { world, admin, account } = companies;
    const random = createRandom(seed);
    const next = world.docusign.addUser(account, { name: "高橋", role: "DS Admin" });
    await (await world.api()).send("PUT", "/v1/groups/group-1", { name: "契約書" });
    const begun = [await begin(world), await begin(world)];
    assert.equal(await finish(world, begun[0] ?? "", admin), "linked");

    const [ended, linked] = await atOnce<unknown>(random, [
      async () => (await endLink(world)).status,
      async () => await finish(world, begun[1] ?? "", next),
    ]);

    const history = await historyOf(world);
    const states = history.map(({ user, state }) => `${user.name} ${state}`).sort();
    assert.match(String(linked), /^(linked|already-linked)$/);
    assert.equal(ended, 204);
    assert.deepEqual(states, linked === "linked" ? ["山田 ended", "高橋 active"] : ["山田 ended"]);
    const current = history.filter(({ state }) => state === "active");
    assert.deepEqual(
      addressesAtDocuSign(world),
      current.flatMap(({ id }) => [id, id]),
    );
    assert.equal(await tokensOf(world), current.length);
  });
}

for (const seed of SEEDS) {
  test(`ending a link and linking its account again during imports loses and repeats nothing (seed ${seed})`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, admin, colleague } = companies;
    const random = createRandom(seed);
    await using first = await startProcess(world, random);
    await using second = await startProcess(world, random);
    for (const subject of NAMES)
      await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject });

    await atOnce<unknown>(random, [
      async () => await workAt(first),
      async () => await workAt(second),
      async () => assert.equal((await endLink(world)).status, 204),
    ]);
    await atOnce<unknown>(random, [
      async () => await workAt(first),
      async () => await workAt(second),
      async () => assert.equal(await world.link(admin), "linked"),
    ]);
    await settleUntilNextHour(world);

    assert.deepEqual(await subjects(world), NAMES);
    const current = (await historyOf(world)).find(({ state }) => state === "active");
    assert.deepEqual(addressesAtDocuSign(world), [current.id, current.id]);
  });
}

test("of two who approve a first import at once one does, and it is imported once", async () => {
  await using companies = await createCompanies({ config: { largeImport: 2 } });
  const { world, admin, colleague } = companies;
  for (const subject of NAMES) await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject });
  assert.equal(await world.link(admin), "awaiting-approval");
  const api = await world.api();

  const answers = await atOnce(
    createRandom(1),
    [1, 2, 3].map(() => async () => (await api.send("POST", "/v1/link/approve")).status),
  );
  await settleUntilNextHour(world);

  assert.deepEqual(answers.sort(), [200, 409, 409]);
  assert.deepEqual(await subjects(world), NAMES);
  const [{ audit }] = await historyOf(world);
  assert.deepEqual(
    audit.map(({ action }: { action: string }) => action),
    ["linked", "approved"],
  );
});

for (const seed of SEEDS) {
  test(`a group deleted and restored during imports receives every contract once (seed ${seed})`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    const random = createRandom(seed);
    await using first = await startProcess(world, random);
    await using second = await startProcess(world, random);
    for (const subject of NAMES)
      await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject });
    const api = await world.api();
    world.clock.pass(50 * 60_000);

    await atOnce<unknown>(random, [
      async () => await reconcileAll(first.tasks, world.clock.now),
      async () => await workAt(first),
      async () => await workAt(second),
      async () => assert.equal((await api.send("DELETE", "/v1/groups/group-1")).status, 204),
    ]);
    await atOnce<unknown>(random, [
      async () => await workAt(first),
      async () => assert.equal((await api.send("PUT", "/v1/groups/group-1", { name: "契約書" })).status, 200),
      async () => await workAt(second),
    ]);
    await settleUntilNextHour(world);

    assert.deepEqual(await subjects(world), NAMES);
    const [link] = await historyOf(world);
    assert.equal(link.state, "active");
  });
}

async function begin(world: World): Promise<string> {
  const begun = await (await world.api()).send("POST", "/v1/link", { groupId: "group-1" });
  assert.equal(begun.status, 201, JSON.stringify(begun.body));
  return begun.body.authorizationUrl;
}

async function finish(
  world: World,
  authorizationUrl: string,
  user: Parameters<World["link"]>[0],
): Promise<string> {
  return await finishLink(world, createBrowser(), { person: world.owner(), user, authorizationUrl });
}

/** The ids of the links that configurations at DocuSign point to. */
function addressesAtDocuSign(world: World): string[] {
  return [...world.docusign.state.accounts.values()]
    .flatMap((account) => world.docusign.configurations(account))
    .map(({ urlToPublishTo: url }) => url.slice(url.lastIndexOf("/") + 1));
}

async function tokensOf({ service }: World): Promise<number> {
  return (await service.foundation.working.db.selectFrom("link_token").select("link_id").execute()).length;
}
