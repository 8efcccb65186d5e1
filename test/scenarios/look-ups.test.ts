import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { runCommand } from "../cli/commands.ts";
import { type Browser, createBrowser } from "../support/browser.ts";
import { minimalEvent, post } from "../support/connect.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  explain,
  fateOf,
  linkIdOf,
  subjects,
} from "../support/linked-world.ts";
import { HOUR_MS } from "../support/reconciling.ts";
import type { World } from "../support/world.ts";

const END_OF_HOUR = "2031-01-15T04:00:00.000Z";
const USED_UP = { reason: "lookup-budget", until: END_OF_HOUR };
const RESERVED = { reason: "budget-reserve", until: END_OF_HOUR };

test("readers of a tenant cause at most 60 calls in a clock hour, by API and page, over all processes", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  const before = callsTo(companies);

  await lookUp(world, 40);
  await world.restart();
  const member = await signIn(world);
  const pages = await Promise.all(Array.from({ length: 40 }, () => member.get(lookUpAddress(world))));
  const answer = await explain(world, { envelopeId: randomUUID() });

  assert.equal(callsTo(companies) - before, 60);
  assert.equal(pages.filter(({ text }) => text.includes("DocuSignへの照会の上限")).length, 20);
  assert.deepEqual([answer.outcome, answer.reason], ["unknown", "never-seen"]);
  assert.deepEqual(answer.waitingFor, USED_UP);
  assert.match(answer.text, /照会を見合わせています（予定：日本時間2031年1月15日13:00:00）/);
  await world.docusign.concludeEnvelope({ from: admin, to: [CUSTOMER], subject: "imported all the same" });
  await world.runJobs();
  assert.deepEqual(await subjects(world), ["imported all the same"]);
  world.clock.pass(HOUR_MS);
  assert.equal(await fateOf(world, { envelopeId: randomUUID() }), "nothing");
});

test("each tenant has its own look-ups, and an operator's explanations need none", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const other = world.docusign.addUser(world.docusign.addAccount(), { name: "高橋", role: "DS Admin" });
  await world.link(other, { tenant: "tenant-2" });
  await lookUp(world, 61);
  const envelopeId = randomUUID();
  const calls = callsTo(companies);

  assert.deepEqual((await explain(world, { envelopeId })).waitingFor, USED_UP);
  assert.equal(await fateOf(world, { envelopeId }, "tenant-2"), "nothing");
  assert.equal((await runCommand(world, `explain ${envelopeId} --tenant tenant-1`)).exit, 1);

  assert.equal(callsTo(companies), calls + 1);
});

test("a look-up counts each of its calls, those after a rejected token included", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  const envelopes = [];
  for (let count = 0; count < 14; count += 1)
    envelopes.push(await concludeUnheard(world, { from: admin, to: [CUSTOMER] }));
  world.docusign.withoutIncludes();
  const before = world.docusign.calls.length;

  for (const envelope of envelopes) await explain(world, envelope);
  assert.equal(world.docusign.calls.length - before, 42);
  world.docusign.failNext(100, { status: 401 }, "/envelopes/{envelopeId}");
  for (let count = 0; count < 10; count += 1) await explain(world, { envelopeId: randomUUID() });

  assert.equal(world.docusign.calls.length - before, 60);
});

test("look-ups use the upper half of the reserve of first imports, never the lower", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  world.docusign.setLimits({ hourly: 100 });
  world.docusign.spendCalls(account, 50);

  await lookUp(world, 45);
  const { waitingFor } = await explain(world, { envelopeId: randomUUID() });

  assert.deepEqual(waitingFor, RESERVED);
  // 25 calls are reserved; 13 of them are the lower half.
  assert.equal(callsTo(companies) + 50, 87);
});

test("an envelope that DocuSign does not find is looked up again after a minute", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const [envelopeId, before] = [randomUUID(), callsTo(companies)];

  const fates = [await fateOf(world, { envelopeId })];
  world.clock.pass(59_999);
  fates.push(await fateOf(world, { envelopeId }));
  const remembered = callsTo(companies);
  world.clock.pass(1);
  fates.push(await fateOf(world, { envelopeId }));

  assert.deepEqual(fates, ["nothing", "nothing", "nothing"]);
  assert.deepEqual([remembered, callsTo(companies)], [before + 1, before + 2]);
});

test("an envelope that was not found is looked up again at once after an event of it", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  const { envelopeId } = await concludeUnheard(world, { from: admin, to: [CUSTOMER] });
  world.docusign.failNext(1, { status: 404 }, "/envelopes/{envelopeId}");

  const first = await fateOf(world, { envelopeId });
  const event = minimalEvent({ event: "recipient-completed" }, { envelopeId });
  assert.equal((await post(world, await linkIdOf(world), event)).status, 200);

  assert.deepEqual([first, await fateOf(world, { envelopeId })], ["nothing", "waiting hourly-timing"]);
});

test("no other request of a reader calls DocuSign", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const api = await world.api("tenant-1", "links:read");
  const member = await signIn(world);
  const calls = world.docusign.calls.length;

  for (const path of ["/v1/link", "/v1/links", "/v1/groups", "/v1/reconciliations"])
    assert.equal((await api.get(path)).status, 200, path);
  for (const path of [
    "/links",
    "/links?edit=1",
    "/links/progress",
    "/links/docusign/callback?state=x&code=y",
  ])
    assert.equal((await member.get(`${world.url}${path}`)).status, 200, path);

  assert.equal(world.docusign.calls.length, calls);
});

/** Calls to the account, whatever they were for. */
function callsTo({ world, account }: Companies): number {
  return world.docusign.calls.filter(({ accountId }) => accountId === account.accountId).length;
}

/** Looks up envelopes that nobody knows, all at once. */
async function lookUp(world: World, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async () => await explain(world, { envelopeId: randomUUID() })),
  );
}

function lookUpAddress(world: World): string {
  return `${world.url}/links?envelope=${randomUUID()}`;
}

/** A browser in which a member of the tenant is signed in. */
async function signIn(world: World): Promise<Browser> {
  const browser = createBrowser();
  const person = { sub: "member", name: "一般 社員", tenant: "tenant-1", role: "member" } as const;
  world.cabinet.nextSignIn(world.cabinet.addPerson(person));
  assert.equal((await browser.get(`${world.url}/links`)).status, 200);
  return browser;
}
