import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Refusal } from "../../src/domain/refusal.ts";
import { minimalEvent, post } from "../support/connect.ts";
import {
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  endLink,
  subjects,
} from "../support/linked-world.ts";
import { createWorld, type World } from "../support/world.ts";
import { runCommand } from "./commands.ts";
import { conclude, theLink, wish } from "./concluded.ts";

const MINUTE_MS = 60_000;

test("the command carries out a first import that is due, and only once", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  await conclude(companies, "一", "二", "三");
  world.clock.pass(MINUTE_MS);
  await world.link(admin);
  world.clock.pass(MINUTE_MS);

  const first = await runCommand(world, "reconcile");
  const second = await runCommand(world, "reconcile");
  await world.runJobs();

  assert.equal(first.exit, 0);
  assert.match(
    first.out,
    /listed {4}3: known 0, new 3, excluded by rule: none\n {2}imported {2}3 envelopes\n {2}waiting {3}none; failed 0/,
  );
  assert.equal(second.exit, 0);
  assert.match(second.out, /listed {4}3: known 3, missed by events 0.*\n {2}imported {2}0 envelopes/);
  assert.deepEqual(await subjects(world), ["一", "三", "二"]);
  assert.equal(downloads(world), 3);
  const { firstImport } = await theLink(world);
  assert.ok(firstImport.listedAt !== null && firstImport.doneAt !== null);
});

test("without a link the command says so and succeeds", async () => {
  await using world = await createWorld();

  const plain = await runCommand(world, "reconcile");
  const json = await runCommand(world, "reconcile --json");

  assert.deepEqual(plain, { exit: 0, out: "there is no link to reconcile\n" });
  assert.equal(json.exit, 0);
  assert.deepEqual(JSON.parse(json.out), { dryRun: false, links: [] });
});

test("a link that does not exist or has ended is rejected by its id", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { id } = await theLink(world);
  assert.equal((await endLink(world)).status, 204);
  const unknown = randomUUID();

  for (const [link, message] of [
    [unknown, `there is no link ${unknown}`],
    [id, `link ${id} has ended`],
  ] as const)
    for (const command of ["reconcile", "reconcile --dry-run", "replay"])
      await assert.rejects(
        runCommand(world, `${command} --link ${link}`),
        new Refusal("link-not-found", message),
      );
});

test("only the requested link is reconciled", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const other = world.docusign.addUser(world.docusign.addAccount(), { name: "高橋", role: "DS Admin" });
  await world.link(other, { tenant: "tenant-2" });
  await world.runJobs();
  const { id } = await theLink(world, "tenant-2");
  world.docusign.calls.length = 0;

  const { exit, out } = await runCommand(world, `reconcile --link ${id}`);
  const all = await runCommand(world, "reconcile --json");

  assert.equal(exit, 0);
  assert.match(out, /of tenant-2/);
  assert.doesNotMatch(out, /of tenant-1/);
  assert.deepEqual(
    JSON.parse(all.out)
      .links.map((link: any) => link.tenant)
      .sort(),
    ["tenant-1", "tenant-2"],
  );
});

test("while approval is awaited, nothing is imported and the command reports that it cannot run now", async () => {
  await using companies = await createCompanies({ config: { largeImport: 2 } });
  const { world, admin } = companies;
  await conclude(companies, "一", "二");
  world.clock.pass(MINUTE_MS);
  assert.equal(await world.link(admin), "awaiting-approval");

  const { exit, out } = await runCommand(world, "reconcile");
  const seen = await runCommand(world, "reconcile --dry-run");

  assert.equal(exit, 75);
  assert.match(out, /not all of it can be done now: the first import awaits its owner's approval/);
  assert.deepEqual(await world.contracts(), []);
  assert.equal(seen.exit, 0);
  assert.match(seen.out, /listed {4}2: import 2/);
});

test("a link with revoked authorization cannot be reconciled now, and the cause is reported", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  world.docusign.revokeConsent(admin);

  const predicted = await runCommand(world, "reconcile --dry-run");
  const before = await theLink(world);
  const first = await runCommand(world, "reconcile");
  const second = await runCommand(world, "reconcile --json");

  assert.equal(predicted.exit, 75);
  assert.equal(before.state, "active", "a dry run writes nothing");
  assert.equal(first.exit, 75);
  assert.match(first.out, /the link is in error \(authorization-revoked\)/);
  assert.equal(second.exit, 75);
  assert.deepEqual(JSON.parse(second.out).links[0].notNow, { reason: "link-error", until: null });
});

test("if the link's group is gone, found envelopes wait and the command reports that it cannot finish now", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  assert.equal((await (await world.api()).send("DELETE", "/v1/groups/group-1")).status, 204);
  await concludeUnheard(world, wish(companies, "契約"));
  world.clock.pass(MINUTE_MS);

  const { exit, out } = await runCommand(world, "reconcile");
  const again = await runCommand(world, "reconcile");

  assert.equal(exit, 75);
  assert.match(out, /waiting {3}group-missing 1; failed 0/);
  assert.equal(again.exit, 75);
  assert.match(again.out, /the link's group is missing/);
});

test("an account with paused calls is postponed until its reset and then resumes", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  await concludeUnheard(world, wish(companies, "契約"));
  world.clock.pass(MINUTE_MS);
  const reset = new Date(world.clock.now.getTime() + 10 * MINUTE_MS);
  world.docusign.throttle(account, reset);

  const spent = await runCommand(world, "reconcile");
  const predicted = await runCommand(world, "reconcile --dry-run");
  world.clock.now = reset;
  const later = await runCommand(world, "reconcile");

  assert.equal(spent.exit, 75);
  assert.match(spent.out, new RegExp(`accepts no more calls for the account, until ${reset.toISOString()}`));
  assert.equal(predicted.exit, 75);
  assert.equal(later.exit, 0);
  assert.deepEqual(await subjects(world), ["契約"]);
});

test("the command does not succeed while envelopes still wait for the account's limit", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  for (const subject of ["一", "二", "三", "四"]) await concludeUnheard(world, wish(companies, subject));
  world.clock.pass(MINUTE_MS);
  const reset = new Date(world.clock.now.getTime() + 10 * MINUTE_MS);
  world.docusign.onNext("/envelopes/{envelopeId}/documents/{documentId}", () =>
    world.docusign.throttle(account, reset),
  );

  const spent = await runCommand(world, "reconcile --json");
  world.clock.now = reset;
  const later = await runCommand(world, "reconcile --json");

  assert.equal(spent.exit, 75);
  const [link] = JSON.parse(spent.out).links;
  assert.deepEqual(link.notNow, { reason: "account-throttled", until: reset.toISOString() });
  assert.equal(link.imported + link.waiting["account-throttled"], 4);
  assert.equal(later.exit, 0);
  assert.deepEqual(await subjects(world), ["一", "三", "二", "四"]);
});

test("a first import leaves the reserve unused, and the command reports that it cannot finish now", async () => {
  await using companies = await createCompanies({ docusign: { limits: { hourly: 40 } } });
  const { world, admin } = companies;
  await conclude(companies, ...Array.from({ length: 40 }, (_, index) => `契約${index}`));
  world.clock.pass(MINUTE_MS);
  await world.link(admin);
  world.clock.pass(MINUTE_MS);

  const { exit, out } = await runCommand(world, "reconcile --json");

  assert.equal(exit, 75);
  const [link] = JSON.parse(out).links;
  assert.deepEqual(link.notNow, { reason: "budget-reserve", until: "2031-01-15T04:00:00.000Z" });
  assert.equal(link.imported + link.waiting["budget-reserve"], 40);
  assert.ok(link.imported > 0);
  const { db } = world.service.foundation.tasks;
  const untouched = await db
    .selectFrom("envelope")
    .select("envelope_id")
    .where("reason", "=", "queued")
    .execute();
  assert.ok(untouched.length > 0, "the lanes stop instead of trying every envelope");
});

test("the command is postponed if DocuSign cannot be reached", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  world.docusign.failNext(1, { status: 503 }, "/envelopes");
  const failed = await runCommand(world, "reconcile");
  world.docusign.failNext(1, { status: 503 }, "/envelopes");
  const predicted = await runCommand(world, "reconcile --dry-run");

  const again = await runCommand(world, "reconcile");

  assert.equal(failed.exit, 75);
  assert.match(failed.out, /DocuSign cannot be reached/);
  assert.equal(predicted.exit, 75);
  assert.equal(again.exit, 0);
});

test("an import that waits for a cause of its own is reported but does not fail the command", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await concludeUnheard(world, wish(companies, "契約"));
  world.clock.pass(MINUTE_MS);
  world.docusign.serveNextDownloadAs("not a PDF");

  const { exit, out } = await runCommand(world, "reconcile");

  assert.equal(exit, 0);
  assert.match(out, /imported {2}0 envelopes\n {2}waiting {3}document-not-pdf 1; failed 0/);
});

test("parked envelopes are retried, however recent their last attempt", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await concludeUnheard(world, wish(companies, "契約"));
  world.clock.pass(MINUTE_MS);
  world.docusign.serveNextDownloadAs("not a PDF");
  await runCommand(world, "reconcile");
  await park(world);
  world.clock.pass(MINUTE_MS);

  const { exit, out } = await runCommand(world, "reconcile");

  assert.equal(exit, 0);
  assert.match(out, /imported {2}1 envelopes/);
  assert.deepEqual(await subjects(world), ["契約"]);
});

test("repeated runs forget after four attempts an envelope that only an event named and DocuSign does not find", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const link = await theLink(world);
  const envelopeId = randomUUID();
  assert.equal(
    (await post(world, link.id, minimalEvent({}, { accountId: link.account.id, envelopeId }))).status,
    200,
  );
  await world.runJobs();

  const exits: number[] = [];
  for (let run = 0; run < 4; run += 1) {
    world.clock.pass(MINUTE_MS);
    exits.push((await runCommand(world, "reconcile")).exit);
  }

  assert.deepEqual(exits, [75, 75, 0, 0]);
  const api = await world.api();
  assert.deepEqual((await api.get("/v1/link")).body.totals, ZERO_TOTALS);
  assert.equal((await api.get(`/v1/envelopes/${envelopeId}`)).body.outcome, "unknown");
});

const ZERO_TOTALS = { atDocuSign: 0, imported: 0, excluded: 0, deleted: 0, waiting: 0 };

test("commands and workers on the same link import each envelope once and count each once", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const names = Array.from({ length: 12 }, (_, index) => `契約${index}`);
  for (const name of names) await concludeUnheard(world, wish(companies, name));
  world.clock.pass(MINUTE_MS);
  world.docusign.answerSlowly(20);

  const said = await Promise.all([
    runCommand(world, "reconcile"),
    runCommand(world, "reconcile"),
    world.runHour(),
  ]);

  assert.deepEqual([said[0].exit, said[1].exit], [0, 0]);
  assert.deepEqual(await subjects(world), names.toSorted());
  assert.equal(downloads(world), 12);
  const { body } = await (await world.api()).get("/v1/reconciliations");
  assert.equal(
    body.items.reduce((sum: number, run: any) => sum + run.missed, 0),
    12,
  );
});

test("a command waits for envelopes that a worker has leased", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await concludeUnheard(world, wish(companies, "契約"));
  world.clock.pass(MINUTE_MS);
  world.docusign.answerSlowly(1_000, "/envelopes/{envelopeId}/documents/{documentId}");
  const worker = Promise.withResolvers<void>();
  world.docusign.onNext("/envelopes/{envelopeId}/documents/{documentId}", worker.resolve);

  const hour = world.runHour();
  await worker.promise;
  const { exit, out } = await runCommand(world, "reconcile");

  assert.equal(exit, 0);
  assert.match(out, /waiting {3}none/);
  await hour;
  assert.equal(downloads(world), 1);
});

test("a terminal shows a progress bar and removes it in every case; JSON output has none", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  await concludeUnheard(world, wish(companies, "契約"));
  world.clock.pass(MINUTE_MS);

  const shown = await runCommand(world, "reconcile", { terminal: true });
  const json = await runCommand(world, "reconcile --json", { terminal: true });

  assert.match(shown.out, /importing \[=+\] 1\/1/);
  assert.ok(shown.out.includes("\u001B[?25h"), "the cursor is shown again");
  assert.equal(JSON.parse(json.out).links.length, 1);
});

test("the output contains no names of persons", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  await concludeUnheard(world, wish(companies, "契約"));
  world.clock.pass(MINUTE_MS);

  const said = [
    await runCommand(world, "reconcile --dry-run --json"),
    await runCommand(world, "reconcile --json"),
    await runCommand(world, "reconcile"),
  ];

  for (const { out } of said) {
    assert.ok(!out.includes(admin.email));
    assert.ok(!out.includes(admin.name));
  }
});

function downloads(world: World): number {
  return world.docusign.callsTo("/envelopes/{envelopeId}/documents/{documentId}").length;
}

/** Parks the envelopes as days of failed attempts would. */
async function park(world: World): Promise<void> {
  const parked = await world.service.foundation.tasks.db
    .updateTable("envelope")
    .set({ waiting_until: null, attempts: 28, reason: "import-failed" })
    .where("state", "=", "waiting")
    .executeTakeFirst();
  assert.equal(parked.numUpdatedRows, 1n);
}

test("an operator's reconciliation also checks the link's Connect and restores a removed configuration", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account } = companies;
  const before = [...world.docusign.configurations(account)];
  for (const { connectId } of before) world.docusign.removeConfiguration(account, connectId);

  const { exit } = await runCommand(world, "reconcile");

  assert.equal(exit, 0);
  assert.deepEqual([before.length, world.docusign.configurations(account).length], [2, 2]);
});
