import assert from "node:assert/strict";
import { test } from "node:test";
import { endLink } from "../../src/usecases/linking/end-link.ts";
import { type Companies, CUSTOMER, concludeUnheard, createLinkedCompanies } from "../support/linked-world.ts";
import { settleUntilNextHour } from "../support/settle.ts";
import type { World } from "../support/world.ts";
import { foreignSteps, strikeEverywhere } from "./everywhere.ts";
import { tellOutcome } from "./outcome.ts";

const OWNER = { tenant: "tenant-1", subject: "owner of tenant-1" };

test("a link deletion that fails at any step succeeds when retried, and the next link imports the rest", async () => {
  await using companies = await createLinkedWithUnheard();
  const { world, admin } = companies;

  const { outcome, steps } = await strikeEverywhere(world, {
    act: async ({ tasks }) => await endLink(tasks, OWNER),
    recover: async () => {
      await endAgain(world);
      const between = await tellOutcome(world);
      assert.deepEqual(between.configurations, []);
      assert.deepEqual(
        between.links.map((link) =>
          JSON.stringify(link)
            .match(/"(state|tokens)":[^,}]+/g)
            ?.join(),
        ),
        ['"state":"ended","tokens":0'],
      );
      assert.equal(await world.link(admin), "linked");
      await settleUntilNextHour(world);
    },
    tell: async () => await tellOutcome(world),
  });

  assert.equal(outcome.contracts.length, 2);
  assert.deepEqual(outcome.leftOver, []);
  assert.deepEqual(foreignSteps(steps), [
    "GET /envelopes",
    "GET /envelopes",
    "store a document",
    "DELETE /connect/{connectId}",
    "DELETE /connect/{connectId}",
  ]);
});

test("a deletion that fails and is not retried leaves a working link, including Connect, or is completed within the hour", async () => {
  await using companies = await createLinkedWithUnheard();
  const { world, admin } = companies;

  const { outcome } = await strikeEverywhere(world, {
    act: async ({ tasks }) => await endLink(tasks, OWNER),
    recover: async () => {
      await settleUntilNextHour(world);
      if ((await tellOutcome(world)).links.every((link) => JSON.stringify(link).includes('"ended"')))
        assert.equal(await world.link(admin), "linked");
      await settleUntilNextHour(world);
    },
    tell: async () => {
      const { contracts, configurations, links, leftOver } = await tellOutcome(world);
      return { contracts, configurations, leftOver, link: links.at(-1) };
    },
    at: (step) => step === "commit" || foreignSteps([step]).length > 0,
  });

  assert.equal(outcome.contracts.length, 2);
  assert.equal(outcome.configurations.length, 2);
});

/** One contract is imported; a second envelope has completed without an event. */
async function createLinkedWithUnheard(): Promise<Companies> {
  const companies = await createLinkedCompanies({ expectErrors: true, docusign: { validate: false } });
  const { world, colleague, admin } = companies;
  // Each run restores the tokens of the first.
  world.docusign.keepOldRefreshTokens();
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  world.clock.pass(60_000);
  await concludeUnheard(world, { from: admin, to: [CUSTOMER] });
  world.clock.pass(60_000);
  return companies;
}

async function endAgain(world: World): Promise<void> {
  const { status } = await (await world.api()).send("DELETE", "/v1/link");
  assert.ok(status === 204 || status === 404, String(status));
}
