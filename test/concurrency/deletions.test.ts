import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { replayEvents } from "../../src/usecases/operating/replay-events.ts";
import { reconcileAll } from "../../src/usecases/reconciling/reconcile-all.ts";
import { CUSTOMER, createLinkedCompanies, fateOf } from "../support/linked-world.ts";
import { createRandom } from "../support/random.ts";
import { settleUntilNextHour } from "../support/settle.ts";
import type { World } from "../support/world.ts";
import { atOnce, startProcess, workAt } from "./processes.ts";

const SEEDS = [1, 2, 3, 4];

for (const seed of SEEDS) {
  test(`a contract deleted during a download and a repeated event is read completely or not at all, and stays deleted (seed ${seed})`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    const random = createRandom(seed);
    await using other = await startProcess(world, random);
    const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
    await world.runJobs();
    const [contract] = await world.contracts();
    const api = await world.api();
    world.clock.pass(50 * 60_000);
    const read = async (): Promise<string> => await readDocument(world, contract.id);
    const erased = async (): Promise<string> => {
      assert.equal((await api.send("DELETE", `/v1/contracts/${contract.id}`)).status, 204);
      await workAt(other);
      return "none";
    };
    const comesAgain = async (): Promise<string> => {
      await reconcileAll(other.tasks, world.clock.now);
      const { signal } = new AbortController();
      const options = { linkId: null, since: null, signal, onProgress: () => {} };
      await Array.fromAsync(replayEvents(other.tasks, options));
      await workAt(other);
      return "none";
    };

    const found = await atOnce(random, [read, erased, read, comesAgain, read, erased, read]);
    await settleUntilNextHour(world);

    assert.deepEqual(
      found.filter((one) => one !== "none" && one !== contract.sha256),
      [],
    );
    assert.equal(await read(), "none");
    assert.deepEqual(await world.contracts(), []);
    assert.equal(await fateOf(world, envelope), "deleted deleted-in-cabinet");
    const { body } = await (await world.api()).get("/v1/changes");
    assert.deepEqual(
      body.items.map(({ type }: { type: string }) => type),
      ["imported", "deleted"],
    );
    const stored = await Array.fromAsync(world.service.foundation.tasks.documents.list());
    assert.deepEqual(
      stored.filter(({ key }) => !key.startsWith("deleted/")),
      [],
    );
  });
}

/** The hash of the document that a reader gets; `none` if the contract or its document is gone. */
async function readDocument(world: World, id: string): Promise<string> {
  const token = await world.cabinet.token({ tenant: "tenant-1", scope: "contracts:read", sub: "reader" });
  const response = await fetch(`${world.url}/v1/contracts/${id}/document`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status === 404) return "none";
  assert.equal(response.status, 200);
  return createHash("sha256").update(bytes).digest("hex");
}
