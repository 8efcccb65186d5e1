import assert from "node:assert/strict";
import { test } from "node:test";
import { putGroup } from "../support/link-changes.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  fateOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { callsOf } from "../support/reconciling.ts";
import { stepNow, stepOn } from "../support/stepping.ts";

test("a large first import waits for approval, shows its size and duration, and imports everything once approved", async () => {
  await using companies = await createCompanies({ config: { largeImport: 3 } });
  const { world, admin, colleague, partner } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "1" });
  await concludeUnheard(world, { from: colleague, to: [admin], subject: "2" });
  await concludeUnheard(world, { from: partner, to: [admin], subject: "3" });

  assert.equal(await world.link(admin), "awaiting-approval");
  const announced = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "4" });
  await world.runHour();
  const waiting = await linkOf(world);
  assert.equal(waiting.state, "awaiting-approval");
  assert.equal(waiting.firstImport.total, 3);
  assert.ok(Date.parse(waiting.firstImport.estimatedEnd) > world.clock.now.getTime());
  assert.equal(await fateOf(world, announced), "waiting awaiting-approval");
  assert.deepEqual(await world.contracts(), []);
  const api = await world.api();
  const approved = await api.send("POST", "/v1/link/approve");
  const again = await api.send("POST", "/v1/link/approve");
  await world.runJobs();

  assert.deepEqual([approved.status, approved.body.state], [200, "active"]);
  assert.deepEqual([again.status, again.body.type], [409, "urn:torikomi:problem:not-awaiting-approval"]);
  assert.deepEqual(await subjects(world), ["1", "2", "3", "4"]);
});

test("an envelope both sent and received counts once in the size of the first import", async () => {
  await using companies = await createCompanies({ config: { largeImport: 2 } });
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [admin] });

  assert.equal(await world.link(admin), "linked");
});

test("a link that needs no approval cannot be approved", async () => {
  await using companies = await createLinkedCompanies();

  const { status } = await (await companies.world.api()).send("POST", "/v1/link/approve");

  assert.equal(status, 409);
});

test("an approval given while the link is in error takes effect once it is repaired", async () => {
  await using companies = await createAwaitingWithoutGroup();
  const { world } = companies;
  const api = await world.api();
  assert.equal((await linkOf(world)).state, "error");

  const { status, body } = await api.send("POST", "/v1/link/approve");
  await world.runJobs();
  assert.deepEqual([status, body.state, body.cause.code], [200, "error", "group-missing"]);
  assert.deepEqual(await world.contracts(), []);
  await putGroup(world, "group-1");
  await world.runJobs();

  assert.equal((await linkOf(world)).state, "active");
  assert.deepEqual(await subjects(world), ["old"]);
});

test("neither an approval nor an edit repairs a link with revoked authorization, and neither calls DocuSign", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  assert.equal(await world.link(admin), "awaiting-approval");
  await putGroup(world, "group-2");
  world.docusign.revokeConsent(admin);
  await world.runHour();
  const api = await world.api();

  const asked = await callsOf(world, async () => {
    assert.equal((await api.send("PATCH", "/v1/link", { groupId: "group-2" })).status, 200);
    await world.runJobs();
    assert.equal((await api.send("POST", "/v1/link/approve")).status, 200);
    await world.runJobs();
  });

  const { state, cause, groupId } = await linkOf(world);
  assert.deepEqual(asked, []);
  assert.deepEqual([state, cause.code, groupId], ["error", "authorization-revoked", "group-2"]);
});

/** Returns a link that awaits approval for earlier envelopes and whose group is gone. */
async function createAwaitingWithoutGroup(): Promise<Companies> {
  const companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "old" });
  assert.equal(await world.link(admin), "awaiting-approval");
  await (await world.api()).send("DELETE", "/v1/groups/group-1");
  return companies;
}

test("a link repaired by linking again still awaits its approval", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  assert.equal(await world.link(admin), "awaiting-approval");
  await (await world.api()).send("DELETE", "/v1/groups/group-1");

  const result = await world.link(admin, { group: "group-2" });
  await world.runHour();

  assert.equal(result, "awaiting-approval");
  assert.equal((await linkOf(world)).state, "awaiting-approval");
  assert.deepEqual(await world.contracts(), []);
});

test("while the group of a link that awaits approval is gone, nothing is listed before the approval", async () => {
  await using companies = await createAwaitingWithoutGroup();
  const { world } = companies;
  const api = await world.api();

  const before = await callsOf(world, async () => await world.runHour());
  assert.equal((await api.send("POST", "/v1/link/approve")).status, 200);
  await world.runHour();
  const { state, totals } = await linkOf(world);
  await putGroup(world, "group-1");
  await world.runJobs();

  assert.deepEqual(before, []);
  assert.deepEqual([state, totals.waiting], ["error", 1]);
  assert.deepEqual(await subjects(world), ["old"]);
});

test("a link still awaits its approval after its group was deleted and restored", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  assert.equal(await world.link(admin), "awaiting-approval");

  await (await world.api()).send("DELETE", "/v1/groups/group-1");
  await putGroup(world, "group-1");
  await world.runHour();

  assert.equal((await linkOf(world)).state, "awaiting-approval");
  assert.deepEqual(await world.contracts(), []);
});

test("the count from linking is shown from the approval on, and corrected when the listing ends", async () => {
  await using companies = await createCompanies({ config: { largeImport: 3 } });
  const { world, admin, colleague, partner } = companies;
  const concluded = [
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER] }),
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER] }),
    await concludeUnheard(world, { from: partner, to: [admin] }),
  ];
  assert.equal(await world.link(admin), "awaiting-approval");
  world.docusign.lateInListing(concluded[1]!, new Date("2031-02-01T00:00:00Z"));
  assert.equal((await (await world.api()).send("POST", "/v1/link/approve")).status, 200);
  const atDocuSign = [(await linkOf(world)).totals.atDocuSign];

  const page = await stepNow(world);
  atDocuSign.push((await linkOf(world)).totals.atDocuSign);
  await stepOn(world);
  atDocuSign.push((await linkOf(world)).totals.atDocuSign);

  assert.equal(page.kind, "more");
  assert.deepEqual(atDocuSign, [3, 3, 2]);
});
