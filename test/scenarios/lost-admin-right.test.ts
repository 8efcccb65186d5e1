import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CUSTOMER,
  createCompanies,
  createLinkedCompanies,
  endLink,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { createWorld } from "../support/world.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

test("the next link imports a colleague's envelope that completed without an event while the user was not an admin", async () => {
  await using world = await createWorld();
  const account = world.docusign.addAccount();
  const [x, z] = ["X", "Z"].map((name) => world.docusign.addUser(account, { name, role: "DS Admin" }));
  const colleague = world.docusign.addUser(account, { name: "社員", role: "DS Sender" });
  const conclude = async (subject: string): Promise<void> => {
    await world.docusign.concludeEnvelope({
      from: colleague,
      to: [{ name: "客", email: "kyaku@example.com" }],
      subject,
    });
  };
  await world.link(x!);
  await world.runJobs();
  await world.runHour();

  world.docusign.setRole(x!, account, "DS Sender");
  world.clock.pass(5 * 60 * 1000);
  world.docusign.loseNext(1);
  await conclude("unseen");
  await world.runHour();
  const api = await world.api();
  const { body } = await api.get("/v1/link");
  assert.deepEqual([body.state, body.cause.code], ["error", "not-admin"]);
  assert.equal((await api.send("DELETE", "/v1/link")).status, 204);
  await world.link(z!);
  await world.runJobs();

  assert.deepEqual(
    (await world.contracts()).map((contract) => contract.source.subject),
    ["unseen"],
  );
});

const RECEIVED = {
  "an envelope that the user received from a colleague": {},
  "an envelope that the user received under a former address": { email: "kyusei@example.com" },
};

for (const [what, address] of Object.entries(RECEIVED)) {
  test(`${what} does not prove that the whole account is visible`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, account, admin, colleague } = companies;
    world.docusign.setRole(admin, account, "DS Sender");

    await world.docusign.concludeEnvelope({ from: colleague, to: [{ user: admin, ...address }] });
    await world.runHour();

    assert.equal((await linkOf(world)).state, "error");
  });
}

test("envelopes received under an address that is not known yet do not hide a lost right", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin, colleague } = companies;
  await world.docusign.concludeEnvelope({
    from: colleague,
    to: [{ name: "山田", email: "kaimei@example.com" }],
  });
  await world.runHour();
  world.docusign.changeAddress(admin, "kaimei@example.com");
  world.docusign.setRole(admin, account, "DS Sender");
  world.docusign.setListingHabits({ receivedApart: true });

  await world.runHour();

  assert.equal((await linkOf(world)).cause.code, "not-admin");
});

test("a right lost without losing sight of the account is noticed in the hour in which an envelope completes", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin, colleague } = companies;
  const conclude = async (): Promise<unknown> =>
    await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await conclude();
  await world.runHour();
  world.docusign.setRole(admin, account, "custom", { isAdmin: true, apiAccountWideAccess: true });
  await world.runHour();
  const quiet = await linkOf(world);
  await conclude();

  await world.runHour();

  assert.equal(quiet.state, "active");
  assert.equal((await linkOf(world)).cause.code, "not-admin");
});

test("a quiet hour costs two calls if an envelope between other users shows the whole account", async () => {
  await using world = await createWorld();
  const account = world.docusign.addAccount();
  const admin = world.docusign.addUser(account, { name: "X", role: "DS Admin" });
  const colleague = world.docusign.addUser(account, { name: "社員", role: "DS Sender" });
  const completedAt = new Date(world.clock.now.getTime() - 20 * DAY_MS);
  await world.docusign.concludeEnvelope({
    from: colleague,
    to: [{ name: "客", email: "kyaku@example.com" }],
    completedAt,
  });
  await world.link(admin);
  await world.runJobs();
  await world.runHour();
  world.docusign.calls.length = 0;

  await world.runHour();

  assert.deepEqual(
    world.docusign.calls.map((call) => call.template),
    ["/envelopes", "/envelopes"],
  );
});

test("an approval after the right was lost accounts for nothing: the next link imports everything", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, account, admin, colleague } = companies;
  const next = world.docusign.addUser(account, { name: "Z", role: "DS Admin" });
  const completedAt = new Date(world.clock.now.getTime() - 20 * DAY_MS);
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], completedAt, subject: "old" });
  assert.equal(await world.link(admin), "awaiting-approval");
  world.clock.pass(2 * DAY_MS);
  world.docusign.setRole(admin, account, "DS Sender");
  const api = await world.api();

  assert.equal((await api.send("POST", "/v1/link/approve")).status, 200);
  await world.runJobs();
  assert.equal((await linkOf(world)).cause.code, "not-admin");
  assert.equal((await endLink(world)).status, 204);
  assert.equal(await world.link(next), "awaiting-approval");
  assert.equal((await api.send("POST", "/v1/link/approve")).status, 200);
  await world.runJobs();

  assert.deepEqual(await subjects(world), ["old"]);
});

test("a response without the user's rights revokes nothing, and the check is repeated", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(1, { status: 200, body: {} }, "/users/{userId}");
  await world.runHour();
  const unsaid = await linkOf(world);
  world.clock.pass(60_000);

  await world.runJobs();

  const told = await linkOf(world);
  assert.deepEqual([unsaid.state, told.state], ["active", "active"]);
  assert.notDeepEqual(told.lastReconciliation, unsaid.lastReconciliation);
});
