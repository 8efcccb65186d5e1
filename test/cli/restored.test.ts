import assert from "node:assert/strict";
import { test } from "node:test";
import { expireAccess } from "../../src/store/links/link-tokens.ts";
import { copyDatabase } from "../support/database-copy.ts";
import {
  type Companies,
  CUSTOMER,
  createLinkedCompanies,
  endLink,
  historyOf,
  linkIdOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import type { World } from "../support/world.ts";
import { runCommand } from "./commands.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

test("restored repeats all deletions since the moment, however long ago, and tells readers of the feed once", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world, admin } = companies;
  const gone = await importOne(companies, "gone");
  await importOne(companies, "kept");
  const to = world.clock.now;
  const copy = await copyDatabase(world.service.foundation.working.db);
  world.clock.pass(DAY_MS);
  await world.runHour();
  assert.equal(await remove(world, gone.id), 204);
  const { id } = await linkOf(world);
  assert.equal((await endLink(world)).status, 204);
  world.clock.pass(9 * DAY_MS);
  await copy.restore();

  const first = await runCommand(world, `restored --to ${to.toISOString()}`);
  const second = await runCommand(world, `restored --to ${to.toISOString()}`);

  assert.equal(first.exit, 0, first.out);
  assert.match(first.out, /contracts deleted again +1\n/);
  assert.match(first.out, new RegExp(`links ended again +1: ${id}\n`));
  assert.match(first.out, /entries in the feed +1\n/);
  assert.match(second.out, /contracts deleted again +0\n/);
  assert.match(second.out, /links ended again +0\n/);
  assert.match(second.out, /entries in the feed +0\n/);
  assert.deepEqual(await subjects(world), ["kept"]);
  assert.equal((await historyOf(world))[0].state, "ended");
  assert.deepEqual(await restoredOf(world), [to.toISOString()]);
  assert.equal(await world.link(admin), "linked");
  await world.runJobs();
  assert.deepEqual(await subjects(world), ["kept"]);
});

test("restored names the links whose refresh token was replaced since, and their page shows it at once", async () => {
  await using companies = await createLinkedCompanies({ expectErrors: true });
  const { world, admin } = companies;
  const other = world.docusign.addUser(world.docusign.addAccount({ name: "株式会社乙" }), {
    name: "田中",
    role: "DS Admin",
  });
  assert.equal(await world.link(other, { tenant: "tenant-2" }), "linked");
  await world.runJobs();
  const to = world.clock.now;
  const copy = await copyDatabase(world.service.foundation.working.db);
  // DocuSign still accepts the access token of that moment.
  const linkId = await linkIdOf(world);
  await expireAccess(world.service.foundation.working.db, linkId);
  await world.runHour();
  await copy.restore();

  const { exit, out } = await runCommand(world, `restored --to ${to.toISOString()}`);

  assert.equal(exit, 0);
  const { id, state, cause } = await linkOf(world);
  assert.deepEqual([state, cause.code], ["error", "authorization-revoked"]);
  assert.match(out, /links that work +1\n/);
  assert.match(
    out,
    new RegExp(
      `link ${id} of tenant-1 needs its owner, who must link it again \\(authorization-revoked\\)\n`,
    ),
  );
  assert.equal((await linkOf(world, "tenant-2")).state, "active");
  assert.doesNotMatch(out, /of tenant-2/);
  assert.equal(await world.link(admin), "linked", "linking again repairs it");
});

test("restored asks to be repeated while DocuSign cannot be reached", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  world.docusign.goDown();
  const command = `restored --to ${world.clock.now.toISOString()}`;

  const { exit, out } = await runCommand(world, command);
  world.docusign.comeUp();

  assert.equal(exit, 75);
  assert.match(out, /could not be checked: DocuSign cannot be reached/);
  assert.equal((await runCommand(world, command)).exit, 0);
  assert.equal((await linkOf(world)).state, "active");
});

test("restored needs a moment that is not in the future", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;

  await assert.rejects(runCommand(world, "restored"), /needs --to/);
  await assert.rejects(runCommand(world, "restored --to 2031-01-16"), /lies in the future/);
});

async function importOne({ world, colleague }: Companies, subject: string): Promise<any> {
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject });
  await world.runJobs();
  return (await world.contracts()).find(({ source }) => source.subject === subject);
}

async function remove(world: World, id: string): Promise<number> {
  const { status } = await (await world.api()).send("DELETE", `/v1/contracts/${id}`);
  await world.runJobs();
  return status;
}

/** `since` of the `restored` entries that a reader of the feed sees. */
async function restoredOf(world: World): Promise<string[]> {
  const { body } = await (await world.api()).get("/v1/changes?types=restored");
  return body.items.map(({ since }: { since: string }) => since);
}
