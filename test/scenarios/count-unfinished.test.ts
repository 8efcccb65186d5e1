import assert from "node:assert/strict";
import { test } from "node:test";
import { createBrowser } from "../support/browser.ts";
import { type Companies, CUSTOMER, createCompanies, fateOf, linkOf } from "../support/linked-world.ts";
import { concludeQuietly, MINUTE_MS } from "../support/reconciling.ts";
import { stepNow, stepOn } from "../support/stepping.ts";
import type { WorldOptions } from "../support/world.ts";

const LISTING = "/envelopes";
const DOWNLOAD = "/envelopes/{envelopeId}/documents/{documentId}";

/** A company whose envelopes DocuSign could not count when its admin was linked. */
async function createUncounted(envelopes: number, largeImport: number): Promise<Companies> {
  const options: WorldOptions = { config: { largeImport } };
  const companies = await createCompanies(options);
  const { world, admin, colleague } = companies;
  concludeQuietly(world, envelopes, (number) => ({
    from: colleague,
    to: [CUSTOMER],
    completedAt: new Date(world.clock.now.getTime() - (number + 1) * MINUTE_MS),
  }));
  world.docusign.failNext(1, { status: 504 }, LISTING);
  assert.equal(await world.link(admin), "linked");
  return companies;
}

test("a count that DocuSign cannot finish stops no linking, and nothing is imported before the listing is through", async () => {
  await using companies = await createUncounted(3, 10);
  const { world, colleague } = companies;
  world.docusign.setListingHabits({ rowsAtMost: 2 });
  const { state, firstImport } = await linkOf(world);
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(1, { status: 503 }, LISTING);

  await world.runJobs();
  assert.equal(await fateOf(world, envelope), "waiting queued");
  assert.equal(world.docusign.callsTo(DOWNLOAD).length, 0);
  world.clock.pass(MINUTE_MS);
  await world.runJobs();

  assert.deepEqual([state, firstImport], ["active", { done: 0, total: null, estimatedEnd: null }]);
  assert.equal((await linkOf(world)).firstImport.total, 4);
  assert.equal((await world.contracts()).length, 4);
});

test("the first listing of an uncounted link stops for approval at LARGE_IMPORT, and continues after it", async () => {
  await using companies = await createUncounted(7, 3);
  const { world } = companies;
  world.docusign.setListingHabits({ rowsAtMost: 2 });

  await world.runJobs();
  await world.runHour();

  const { state, firstImport, totals } = await linkOf(world);
  assert.deepEqual([state, firstImport.total, totals.atDocuSign], ["awaiting-approval", null, 3]);
  assert.equal(world.docusign.callsTo(DOWNLOAD).length, 0);
  world.cabinet.nextSignIn(world.owner());
  assert.match((await createBrowser().get(`${world.url}/links`)).text, /3<\/b>件<\/span>以上/);
  assert.equal((await (await world.api()).send("POST", "/v1/link/approve")).status, 200);
  assert.equal((await stepNow(world)).kind, "more");
  assert.equal(world.docusign.callsTo(DOWNLOAD).length, 0);
  await stepOn(world);
  await world.runJobs();
  assert.equal((await world.contracts()).length, 7);
  assert.equal((await linkOf(world)).firstImport.total, 7);
});
