import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import {
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  endLink,
} from "../support/linked-world.ts";
import { runCommand } from "./commands.ts";

test("an imported envelope is explained with its link, its events and its contracts", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  const envelope = await world.docusign.concludeEnvelope({
    from: admin,
    to: [CUSTOMER],
    documents: [{ name: "契約書.docx" }],
  });
  await world.runJobs();
  const [contract] = await world.contracts();

  const { exit, out } = await runCommand(world, `explain ${envelope.envelopeId}`);

  assert.equal(exit, 0);
  assert.match(
    out,
    new RegExp(`^envelope ${envelope.envelopeId} \\(tenant-1\\)\n {2}imported: sent\n {2}Imported: `),
  );
  assert.match(out, /event \S+ envelope-completed \(json-sim\)/);
  assert.match(out, new RegExp(`contract ${contract.id} 契約書.docx \\(group-1\\)`));
  assert.match(out, /attempts 1, last 2031-01-15T/);
  assert.match(out, /fact sentByAccount: true/);
});

test("users with a Japanese locale read Japanese", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  const envelope = await world.docusign.concludeEnvelope({ from: admin, to: [CUSTOMER] });
  await world.runJobs();

  const { out } = await runCommand(world, `explain ${envelope.envelopeId}`, { language: "ja" });

  assert.match(out, /取り込みました。/);
  assert.match(out, /契約書 /);
});

test("an excluded envelope is explained by its rule, a deleted one by its deletion", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, partner, colleague } = companies;
  const foreign = await concludeUnheard(world, { from: partner, to: [colleague] });
  const deleted = await world.docusign.concludeEnvelope({ from: admin, to: [CUSTOMER] });
  await world.runHour();
  const [contract] = await world.contracts();
  await (await world.api()).send("DELETE", `/v1/contracts/${contract.id}`);

  const excluded = await runCommand(world, `explain ${deleted.envelopeId} --tenant tenant-1 --json`);
  const unseen = await runCommand(world, `explain ${foreign.envelopeId}`);

  assert.equal(excluded.exit, 0);
  const explanation = JSON.parse(excluded.out);
  assert.deepEqual(
    [explanation.tenant, explanation.outcome, explanation.reason],
    ["tenant-1", "deleted", "deleted-in-cabinet"],
  );
  assert.notEqual(explanation.contracts[0].deletedAt, null);
  assert.equal(explanation.contracts[0].documentKey, undefined);
  // A colleague received it from outside, so neither the listings nor the linked user show it.
  assert.equal(unseen.exit, 1);
});

test("an envelope without any record is looked up at DocuSign for each linked user", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  const other = world.docusign.addUser(world.docusign.addAccount(), { name: "高橋", role: "DS Admin" });
  await world.link(other, { tenant: "tenant-2" });
  await world.runJobs();
  const envelope = await concludeUnheard(world, { from: admin, to: [CUSTOMER] });

  const { exit, out } = await runCommand(world, `explain ${envelope.envelopeId} --json`);

  assert.equal(exit, 0);
  const { explanations } = JSON.parse(out);
  assert.deepEqual(
    explanations.map((one: any) => [one.tenant, one.outcome, one.reason]),
    [["tenant-1", "waiting", "hourly-timing"]],
  );
  assert.deepEqual(await world.contracts(), []);
});

test("an envelope of two tenants is explained for both, or for the requested tenant", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, partner } = companies;
  const account = world.docusign.addAccount();
  const other = world.docusign.addUser(account, { name: "高橋", role: "DS Admin" });
  await world.link(other, { tenant: "tenant-2" });
  await world.runJobs();
  const envelope = await concludeUnheard(world, { from: partner, to: [admin, other] });
  await world.runHour();

  const both = JSON.parse((await runCommand(world, `explain ${envelope.envelopeId} --json`)).out);
  const one = await runCommand(world, `explain ${envelope.envelopeId} --tenant tenant-2`);

  assert.deepEqual(
    both.explanations.map((explanation: any) => [explanation.tenant, explanation.reason]),
    [
      ["tenant-1", "received"],
      ["tenant-2", "received"],
    ],
  );
  assert.match(one.out, /\(tenant-2\)/);
  assert.doesNotMatch(one.out, /\(tenant-1\)/);
});

test("an envelope known only from an event is found, even after its link has ended", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  await world.link(admin);
  // The first import has not begun, so the ledger is empty, even when the link ends.
  const envelope = await world.docusign.concludeEnvelope({ from: admin, to: [CUSTOMER] });

  const { exit, out } = await runCommand(world, `explain ${envelope.envelopeId}`);
  assert.equal((await endLink(world)).status, 204);
  const ended = await runCommand(world, `explain ${envelope.envelopeId}`);

  assert.equal(exit, 0);
  assert.match(out, /waiting: queued/);
  assert.equal(ended.exit, 0);
  assert.match(ended.out, /waiting: link-ended/);
});

test("an unknown envelope is reported as unknown, and the command fails", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const id = randomUUID();

  const plain = await runCommand(world, `explain ${id}`);
  const named = await runCommand(world, `explain ${id} --tenant nobody --json`);
  const json = await runCommand(world, `explain ${id} --json`);

  assert.equal(plain.exit, 1);
  assert.equal(plain.out, `envelope ${id} was not found here or in DocuSign\n`);
  assert.equal(named.exit, 1);
  assert.equal(JSON.parse(named.out).outcome, "unknown");
  assert.deepEqual([json.exit, JSON.parse(json.out)], [1, { envelopeId: id, explanations: [] }]);
});

test("if the envelope is unknown here and DocuSign cannot be asked now, the command exits with 75", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin } = companies;
  const envelope = await concludeUnheard(world, { from: admin, to: [CUSTOMER] });
  const reset = new Date(world.clock.now.getTime() + 60_000);
  world.docusign.throttle(account, reset);

  const throttled = await runCommand(world, `explain ${envelope.envelopeId}`);
  world.clock.now = reset;
  const asked = await runCommand(world, `explain ${envelope.envelopeId}`);

  assert.equal(throttled.exit, 75);
  assert.equal(asked.exit, 0);
});
