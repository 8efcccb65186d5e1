import assert from "node:assert/strict";
import { test } from "node:test";
import { type ApiAnswer, openApi, startSimulator } from "./client.ts";

function budget({ status, headers, json }: ApiAnswer): unknown[] {
  const number = (name: string): number => Number(headers.get(name));
  return [status, number("x-ratelimit-remaining"), number("x-burstlimit-remaining"), json["errorCode"]];
}

test("the hour's calls run out and come back on the full hour, the burst's after half a minute", async () => {
  let now = new Date("2026-03-31T15:59:10Z");
  await using simulator = await startSimulator({ now: () => now, limits: { hourly: 4, burst: 2 } });
  const account = simulator.addAccount();
  const api = await openApi(
    simulator,
    account,
    simulator.addUser(account, { name: "山田", role: "DS Admin" }),
  );
  const ask = async (): Promise<unknown[]> => budget(await api("/connect"));

  assert.deepEqual(
    [await ask(), await ask()],
    [
      [200, 3, 1, undefined],
      [200, 2, 0, undefined],
    ],
  );
  assert.deepEqual(await ask(), [429, 1, 0, "BURST_APIINVOCATION_LIMIT_EXCEEDED"]);
  now = new Date("2026-03-31T15:59:30Z");
  assert.deepEqual(await ask(), [200, 0, 1, undefined]);
  assert.deepEqual(await ask(), [429, 0, 0, "HOURLY_APIINVOCATION_LIMIT_EXCEEDED"]);
  const reset = Number((await api("/connect")).headers.get("x-ratelimit-reset"));
  assert.equal(reset, Date.parse("2026-03-31T16:00:00Z") / 1000);
  now = new Date("2026-03-31T16:00:00Z");
  assert.deepEqual(await ask(), [200, 3, 1, undefined]);
  simulator.assertNoProblems();
});

test("other integrations of the customer use the same budget, other accounts have their own", async () => {
  await using simulator = await startSimulator({ limits: { hourly: 100, status: 400 } });
  const [account, other] = [simulator.addAccount(), simulator.addAccount()];
  const admin = simulator.addUser(account, { name: "山田", role: "DS Admin" });
  simulator.addMembership(other, admin, { role: "DS Admin" });
  const [api, elsewhere] = [await openApi(simulator, account, admin), await openApi(simulator, other, admin)];

  simulator.spendCalls(account, 100);

  assert.equal((await api("/connect")).status, 400);
  assert.equal((await elsewhere("/connect")).headers.get("x-ratelimit-remaining"), "99");
  simulator.setLimits({});
  assert.equal((await api("/connect")).status, 200);
});

test("a throttled account is refused until the moment that its answers name", async () => {
  let now = new Date("2026-03-31T15:10:00Z");
  await using simulator = await startSimulator({ now: () => now });
  const account = simulator.addAccount();
  const api = await openApi(
    simulator,
    account,
    simulator.addUser(account, { name: "山田", role: "DS Admin" }),
  );
  const until = new Date("2026-03-31T15:20:00Z");
  simulator.throttle(account, until);

  const refused = await api("/connect");
  now = until;
  const taken = await api("/connect");

  assert.deepEqual([refused.status, refused.headers.get("x-ratelimit-remaining")], [429, "0"]);
  assert.equal(Number(refused.headers.get("x-ratelimit-reset")), until.getTime() / 1000);
  assert.equal(taken.status, 200);
});
