import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { BOTH_ACTIVE, runNextDay } from "../support/configured-connect.ts";
import { type Companies, createLinkedCompanies, linkOf } from "../support/linked-world.ts";
import { callsOf, DAY_MS, HOUR_MS } from "../support/reconciling.ts";
import { stepOn } from "../support/stepping.ts";

const OFF = { sent: "switched-off", received: "switched-off" };

type Shown = { readonly disabledBy?: string; readonly failures?: boolean };
type Case = readonly [what: string, shown: (companies: Companies) => Shown, reason: string | null];

/** DocuSign shows each configuration like this; the reason keeps it off, and null means that it is switched on. */
const CASES: readonly Case[] = [
  ["names no user", () => ({ disabledBy: "DocuSign System" }), null],
  ["names an unknown id", () => ({ disabledBy: randomUUID() }), null],
  ["names nobody and deliveries failed", () => ({ failures: true }), null],
  ["names nobody and no delivery failed", () => ({}), "person"],
  ["names the linked user", ({ admin }) => ({ disabledBy: admin.name, failures: true }), "person"],
  ["names a user", ({ colleague }) => ({ disabledBy: colleague.name, failures: true }), "person"],
  ["names a user's id", ({ colleague }) => ({ disabledBy: colleague.userId, failures: true }), "person"],
  ["names a user's address", ({ colleague }) => ({ disabledBy: colleague.email.toUpperCase() }), "person"],
  [
    "names a user with the address",
    ({ colleague }) => ({ disabledBy: `${colleague.name} <${colleague.email}>` }),
    "person",
  ],
];

function disableAll({ world, account }: Companies, shown: Shown): void {
  for (const { connectId } of world.docusign.configurations(account))
    world.docusign.disableConfiguration(account, connectId, shown);
}

async function countsOfOff(companies: Companies): Promise<Record<string, number>> {
  const text = await (await fetch(`${companies.world.url}/metrics`)).text();
  const lines = text.matchAll(/^torikomi_connect_configurations_off\{reason="([\w-]+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, reason, count]) => [reason, Number(count)]));
}

const NONE = { person: 0, paused: 0, docusign: 0, "deliveries-failed": 0 };

for (const [what, shown, reason] of CASES) {
  test(`a configuration that is off and ${what} is ${reason === null ? "switched on again" : "left off"}`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, account } = companies;
    disableAll(companies, shown(companies));

    await runNextDay(world);

    const { connect, notice } = await linkOf(world);
    const enabled = world.docusign.configurations(account).map((one) => one.allowEnvelopePublish);
    if (reason === null) {
      assert.deepEqual([connect, notice, enabled], [BOTH_ACTIVE, null, ["true", "true"]]);
      assert.deepEqual(await countsOfOff(companies), NONE);
    } else {
      assert.deepEqual([connect, notice.code, enabled], [OFF, "connect-switched-off", ["false", "false"]]);
      assert.deepEqual(await countsOfOff(companies), { ...NONE, [reason]: 2 });
    }
  });
}

test("a configuration that is paused stays off, whatever failed", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  for (const { connectId } of world.docusign.configurations(account))
    world.docusign.changeConfiguration(account, connectId, { pausePublish: "true" });
  disableAll(companies, { failures: true });

  await runNextDay(world);

  assert.deepEqual((await linkOf(world)).connect, OFF);
  assert.deepEqual(await countsOfOff(companies), { ...NONE, paused: 2 });
});

test("a configuration that DocuSign disables again is switched on once in 24 hours, as soon as they have passed", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  disableAll(companies, { failures: true });
  await stepOn(world, { manual: true });
  assert.deepEqual((await linkOf(world)).connect, BOTH_ACTIVE);
  const enabledAt = world.clock.now.getTime();
  disableAll(companies, { failures: true });

  world.clock.pass(HOUR_MS);
  await stepOn(world, { manual: true });
  const { connect, notice } = await linkOf(world);
  const counts = await countsOfOff(companies);
  while (world.clock.now.getTime() < enabledAt + DAY_MS - 2 * HOUR_MS) await world.runHour();
  const calls = await callsOf(world, async () => await world.runHour());
  assert.deepEqual((await linkOf(world)).connect, OFF);
  await world.runHour();

  assert.deepEqual([connect, notice.code], [OFF, "connect-switched-off"]);
  assert.deepEqual(counts, { ...NONE, "deliveries-failed": 2 });
  assert.ok(!calls.includes("PUT /connect"), calls.join());
  assert.deepEqual((await linkOf(world)).connect, BOTH_ACTIVE);
  assert.equal((await linkOf(world)).notice, null);
});

test("a configuration stays off while DocuSign does not say who disabled it", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  disableAll(companies, { disabledBy: "DocuSign System" });
  world.docusign.failNext(2, { status: 503 }, "/users");

  await runNextDay(world);

  assert.deepEqual((await linkOf(world)).connect, { sent: "pending", received: "pending" });
  await world.runHour();
  assert.deepEqual((await linkOf(world)).connect, BOTH_ACTIVE);
});
