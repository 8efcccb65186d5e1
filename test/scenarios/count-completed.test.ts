import assert from "node:assert/strict";
import { test } from "node:test";
import { findLink } from "../../src/store/links/links.ts";
import { countCompleted } from "../../src/usecases/linking/count-completed.ts";
import { type Companies, CUSTOMER, createLinkedCompanies, linkIdOf } from "../support/linked-world.ts";
import { callsOf, concludeQuietly } from "../support/reconciling.ts";

type History = { readonly sent: number; readonly both: number; readonly received: number };

/** Concludes envelopes that the account sent to customers or to the linked user, and that others sent to the user. */
function conclude({ world, admin, colleague, partner }: Companies, { sent, both, received }: History): void {
  const completedAt = new Date("2030-06-01T00:00:00Z");
  concludeQuietly(world, sent, () => ({ from: colleague, to: [CUSTOMER], completedAt }));
  concludeQuietly(world, both, () => ({ from: colleague, to: [admin], completedAt }));
  concludeQuietly(world, received, () => ({ from: partner, to: [admin], completedAt }));
}

type Case = {
  history: History;
  enough: number;
  total: number;
  calls: number;
  /** DocuSign returns no totals. */
  withoutTotals?: boolean;
};

const CASES: Readonly<Record<string, Case>> = {
  "a few envelopes on both sides count once each": {
    history: { sent: 2, both: 1, received: 1 },
    enough: 10_000,
    total: 4,
    calls: 4,
  },
  "envelopes only sent are counted by DocuSign": {
    history: { sent: 3, both: 0, received: 0 },
    enough: 10_000,
    total: 3,
    calls: 2,
  },
  "envelopes only received are counted by DocuSign too": {
    history: { sent: 0, both: 0, received: 3 },
    enough: 10_000,
    total: 3,
    calls: 2,
  },
  "more than a thousand, but far below the threshold, are not counted one by one": {
    history: { sent: 900, both: 100, received: 100 },
    enough: 10_000,
    total: 1_200,
    calls: 2,
  },
  "if the overlap of the sides decides about the threshold, each envelope counts once": {
    history: { sent: 790, both: 200, received: 0 },
    enough: 1_190,
    total: 990,
    calls: 4,
  },
  "a count surely above the threshold is shown to the owner and so counted one by one": {
    history: { sent: 1_100, both: 10, received: 0 },
    enough: 1_000,
    total: 1_110,
    calls: 5,
  },
  "more than can be counted while an owner waits are reported as an upper bound": {
    history: { sent: 20_000, both: 1, received: 0 },
    enough: 10_000,
    total: 20_002,
    calls: 2,
  },
  "an empty account counts as zero if DocuSign returns no totals": {
    history: { sent: 0, both: 0, received: 0 },
    enough: 10_000,
    total: 0,
    calls: 2,
    withoutTotals: true,
  },
  "two envelopes on one side are counted one by one if DocuSign returns no totals": {
    history: { sent: 0, both: 0, received: 2 },
    enough: 10_000,
    total: 2,
    calls: 4,
    withoutTotals: true,
  },
};

for (const [what, { history, enough, total, calls, withoutTotals = false }] of Object.entries(CASES)) {
  test(`completed envelopes: ${what}`, async () => {
    await using linked = await createLinkedCompanies();
    const { world } = linked;
    const { tasks } = world.service.foundation;
    const link = (await findLink(tasks.db, await linkIdOf(world))) ?? assert.fail();
    conclude(linked, history);
    world.docusign.setListingHabits({ withoutTotals });
    let counted = 0;

    const made = await callsOf(world, async () => {
      counted = await countCompleted(tasks.openAccount(link), { to: world.clock.now, enough });
    });

    assert.deepEqual([counted, made.length], [total, calls]);
    const counting = world.docusign.callsTo("/envelopes").slice(-calls);
    assert.ok(counting.every(({ query }) => !query.has("include")));
  });
}

test("a listed envelope that does not match the query is not counted among completed envelopes", async () => {
  await using linked = await createLinkedCompanies();
  const { world, admin, colleague } = linked;
  const { tasks } = world.service.foundation;
  const link = (await findLink(tasks.db, await linkIdOf(world))) ?? assert.fail();
  conclude(linked, { sent: 1, both: 1, received: 0 });
  world.docusign.extraneousInListing(await world.docusign.sendEnvelope({ from: colleague, to: [admin] }));

  assert.equal(await countCompleted(tasks.openAccount(link), { to: world.clock.now, enough: 10_000 }), 2);
});
