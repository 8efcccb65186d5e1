import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorld } from "../support/world.ts";

test("what a colleague's envelope concluded unseen, while the user was no admin, is the next link's to import", async () => {
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

test("an envelope that the user received from a colleague does not prove that the whole account is visible", async () => {
  await using world = await createWorld();
  const account = world.docusign.addAccount();
  const admin = world.docusign.addUser(account, { name: "X", role: "DS Admin" });
  const colleague = world.docusign.addUser(account, { name: "社員", role: "DS Sender" });
  await world.link(admin);
  await world.runJobs();
  world.docusign.setRole(admin, account, "DS Sender");

  await world.docusign.concludeEnvelope({ from: colleague, to: [{ user: admin }] });
  await world.runHour();

  assert.equal((await (await world.api()).get("/v1/link")).body.state, "error");
});

test("a quiet hour costs two calls where an envelope between others shows the whole account", async () => {
  await using world = await createWorld();
  const account = world.docusign.addAccount();
  const admin = world.docusign.addUser(account, { name: "X", role: "DS Admin" });
  const colleague = world.docusign.addUser(account, { name: "社員", role: "DS Sender" });
  const completedAt = new Date(world.clock.now.getTime() - 20 * 24 * 60 * 60 * 1000);
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
