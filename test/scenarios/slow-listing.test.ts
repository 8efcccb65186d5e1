import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReconcileStep } from "../../src/usecases/reconciling/reconcile-link.ts";
import {
  type Companies,
  CUSTOMER,
  createCompanies,
  createLinkedCompanies,
  linkOf,
} from "../support/linked-world.ts";
import { concludeQuietly, DAY_MS, entriesOf, MINUTE_MS } from "../support/reconciling.ts";
import { stepNow } from "../support/stepping.ts";
import type { World } from "../support/world.ts";

const LISTING = "/envelopes";

function windowOf(query: URLSearchParams): number {
  return Date.parse(query.get("to_date") ?? "") - Date.parse(query.get("from_date") ?? "");
}

/** A listing that DocuSign cannot finish, and how many envelopes there are. */
const TOO_MUCH: Readonly<Record<string, (query: URLSearchParams) => boolean>> = {
  "more than 300 rows": (query) => Number(query.get("count")) > 300,
  "recipients and documents": (query) => query.has("include"),
  "more than three years": (query) => windowOf(query) > 3 * 365 * DAY_MS,
};

/** Envelopes of three years, one every second day. */
function concludeHistory({ world, colleague }: Companies): number {
  const count = 500;
  concludeQuietly(world, count, (number) => ({
    from: colleague,
    to: [CUSTOMER],
    completedAt: new Date(world.clock.now.getTime() - number * 2 * DAY_MS),
  }));
  return count;
}

/** Steps, waiting as long as each step says, until the run has ended. */
async function stepThrough(world: World): Promise<ReconcileStep> {
  for (;;) {
    const step = await stepNow(world);
    if (step.kind === "put-off") world.clock.now = step.until;
    else if (step.kind !== "more") return step;
  }
}

for (const [what, tooMuch] of Object.entries(TOO_MUCH)) {
  test(`a listing that DocuSign cannot finish with ${what} gets smaller until it can, and misses nothing`, async () => {
    await using companies = await createCompanies();
    const { world, admin } = companies;
    const count = concludeHistory(companies);
    await world.link(admin);
    world.docusign.setListingHabits({ tooMuch });

    const first = await stepNow(world);
    const { notice } = await linkOf(world);
    const last = await stepThrough(world);

    assert.equal(first.kind, "put-off");
    assert.deepEqual([notice.code, notice.since], ["docusign-slow", "2031-01-15T03:10:00.000Z"]);
    assert.equal(last.kind, "done");
    const entry = (await entriesOf(world)).find(({ kind }) => kind === "first");
    assert.deepEqual([entry.state, entry.listed], ["done", count]);
  });
}

test("listings ask for more again once DocuSign finishes them, and the link's notice ends", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const counts = () => world.docusign.callsTo(LISTING).map(({ query }) => query.get("count"));
  world.docusign.failNext(2, { status: 503 }, LISTING);
  world.clock.pass(60 * MINUTE_MS);
  const before = counts().length;

  await stepNow(world);
  await stepNow(world);
  assert.equal((await linkOf(world)).notice.code, "docusign-slow");
  await stepThrough(world);

  assert.deepEqual(counts().slice(before), ["1000", "500", "250", "500"]);
  assert.equal((await linkOf(world)).notice, null);
  world.clock.pass(60 * MINUTE_MS);
  await stepThrough(world);
  assert.deepEqual(counts().slice(before + 4, before + 6), ["1000", "1000"]);
});
