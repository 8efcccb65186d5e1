import assert from "node:assert/strict";
import { test } from "node:test";
import type { Failure } from "../support/docusign/faults.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createCompanies,
  createLinkedCompanies,
  endLink,
  fateOf,
  historyOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import type { World } from "../support/world.ts";

const HOUR_MS = 60 * 60 * 1000;

test("a revoked authorization visibly stops the link; imports wait, each hour asks once, and linking again repairs it in place", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, colleague } = companies;
  const { id } = await linkOf(world);
  world.docusign.revokeConsent(admin);
  const heard = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "heard" });

  await world.runJobs();
  const broken = await linkOf(world);
  assert.equal(broken.state, "error");
  assert.equal(broken.cause.code, "authorization-revoked");
  assert.match(broken.cause.message, /もう一度連携/);
  assert.equal(await fateOf(world, heard), "waiting link-error");
  const asked = world.docusign.calls.length;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "unheard" });
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "heard later" });
  await world.runHour();
  assert.deepEqual(
    world.docusign.calls.slice(asked).map(({ template }) => template),
    ["/users/{userId}", "/oauth/token"],
  );
  assert.equal(await world.link(admin), "linked");
  await world.runJobs();

  const repaired = await linkOf(world);
  assert.deepEqual([repaired.id, repaired.state, repaired.cause], [id, "active", null]);
  assert.deepEqual(await subjects(world), ["heard", "heard later", "unheard"]);
  assert.equal((await historyOf(world)).length, 1);
});

const refusals: { what: string; refuse: (world: World) => void }[] = [
  {
    what: "tokens DocuSign rejected",
    refuse: ({ docusign }) => {
      docusign.failNext(2, { status: 401 }, "/envelopes/{envelopeId}");
      docusign.failNext(2, { status: 401 }, "/users/{userId}");
    },
  },
  {
    what: "token refresh was rejected",
    refuse: ({ docusign, clock }) => {
      clock.pass(8 * HOUR_MS);
      docusign.failNext(1, { status: 401, body: { error: "user_closed" } }, "/oauth/token");
    },
  },
];

for (const { what, refuse } of refusals) {
  test(`a link whose ${what} although its authorization is valid resumes at the next hour`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    refuse(world);
    await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "kept" });
    await world.runJobs();
    const refused = await linkOf(world);

    await world.runHour();

    assert.equal(refused.cause.code, "authorization-revoked");
    assert.equal((await linkOf(world)).state, "active");
    assert.deepEqual(await subjects(world), ["kept"]);
  });
}

test("a link that awaits approval shows that its authorization was revoked", async () => {
  await using companies = await createCompanies({ config: { largeImport: 1 } });
  const { world, admin, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  assert.equal(await world.link(admin), "awaiting-approval");
  await world.runHour();
  const before = await linkOf(world);
  world.docusign.revokeConsent(admin);

  await world.runHour();

  assert.deepEqual([before.state, before.cause], ["awaiting-approval", null]);
  assert.equal((await linkOf(world)).cause.code, "authorization-revoked");
  assert.equal(await world.link(admin), "awaiting-approval");
});

for (const [status, errorCode] of [
  [400, "ACCOUNT_HAS_BEEN_SUSPENDED"],
  [404, "USER_NOT_FOUND"],
] as const) {
  test(`a user or account that DocuSign rejects with ${status} ${errorCode} stops the link, which can still be unlinked`, async () => {
    await using companies = await createLinkedCompanies();
    const { world } = companies;
    world.docusign.failNext(1_000, { status, body: { errorCode, message: "x" } });

    await world.runHour();

    assert.equal((await linkOf(world)).state, "error");
    assert.equal((await endLink(world)).status, 204);
    const [{ state, cause, connect }] = await historyOf(world);
    assert.deepEqual([state, cause, connect], ["ended", null, { sent: null, received: null }]);
  });
}

for (const [times, status] of [
  [1, 403],
  [2, 401],
] as const) {
  test(`a listing that DocuSign rejects with ${status} for a user who is still an admin does not stop the link`, async () => {
    await using companies = await createLinkedCompanies();
    const { world } = companies;
    world.docusign.failNext(times, { status }, "/envelopes");

    await world.runHour();

    assert.equal((await linkOf(world)).state, "active");
  });
}

for (const [what, verb] of [
  ["a revoked authorization", "revokeConsent"],
  ["a user closed in all accounts", "closeUser"],
] as const) {
  test(`the hourly reconciliation finds ${what} if no event reveals it`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, admin } = companies;
    world.docusign[verb](admin);

    await world.runHour();

    assert.equal((await linkOf(world)).cause.code, "authorization-revoked");
  });
}

test("a closed user stops the link", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, account, colleague } = companies;
  const elsewhere = world.docusign.addAccount();
  world.docusign.addMembership(elsewhere, admin, { role: "DS Sender" });
  world.docusign.closeUser(admin, account);

  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();

  assert.equal((await linkOf(world)).state, "error");
  assert.equal(await fateOf(world, envelope), "waiting link-error");
});

const REFUSED_REFRESHES: Readonly<Record<string, Failure>> = {
  "401 and nothing else": { status: 401 },
  "401 user_closed": { status: 401, body: { error: "user_closed" } },
  "400 access_denied": { status: 400, body: { error: "access_denied" } },
  "403 and nothing else": { status: 403 },
};

for (const [refusal, failure] of Object.entries(REFUSED_REFRESHES)) {
  test(`a closed user whom DocuSign rejects with ${refusal} stops the link, which can still be ended`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, admin } = companies;
    world.docusign.closeUser(admin);
    world.docusign.failNext(1_000, failure, "/oauth/token");

    await world.runHour();

    assert.equal((await linkOf(world)).cause?.code, "authorization-revoked");
    assert.equal((await endLink(world)).status, 204);
  });
}

test("while a link is in error, no other user or account can be linked in its place", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, account } = companies;
  const colleague = world.docusign.addUser(account, { name: "田中", role: "DS Admin" });
  const other = world.docusign.addAccount({ name: "別会社" });
  world.docusign.revokeConsent(admin);
  await world.runHour();
  const broken = await linkOf(world);

  assert.equal(await world.link(colleague), "already-linked");
  world.docusign.addMembership(other, admin, { role: "DS Admin" });
  world.docusign.setDefaultAccount(admin, other);
  assert.equal(await world.link(admin), "already-linked");

  assert.deepEqual(await linkOf(world), broken);
});

test("a lost admin right is noticed within the hour, before any import fails, and so is its return", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin, colleague, partner } = companies;
  await world.docusign.concludeEnvelope({
    from: colleague,
    to: [admin],
    subject: "from a colleague, to the admin",
  });
  await world.docusign.concludeEnvelope({ from: partner, to: [admin], subject: "received" });
  await world.runHour();
  world.docusign.setRole(admin, account, "DS Sender");

  await world.runHour();
  const broken = await linkOf(world);
  assert.equal(broken.state, "error");
  assert.equal(broken.cause.code, "not-admin");
  assert.match(broken.cause.message, /DS Adminではなくなっています/);
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "meanwhile" });
  const heard = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "heard" });
  await world.runHour();
  assert.equal(await fateOf(world, heard), "waiting link-error");
  world.docusign.setRole(admin, account, "DS Admin");
  await world.runHour();

  assert.equal((await linkOf(world)).state, "active");
  assert.deepEqual(await subjects(world), [
    "from a colleague, to the admin",
    "heard",
    "meanwhile",
    "received",
  ]);
});

test("a returned admin right is checked again soon if DocuSign failed at the hour", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin, colleague } = companies;
  world.docusign.setRole(admin, account, "DS Sender");
  await world.runHour();
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "meanwhile" });
  world.docusign.setRole(admin, account, "DS Admin");
  world.docusign.failNext(1, { status: 503 }, "/users/{userId}");

  await world.runHour();
  assert.equal((await linkOf(world)).cause.code, "not-admin");
  world.clock.pass(60_000);
  await world.runJobs();

  assert.equal((await linkOf(world)).state, "active");
  assert.deepEqual(await subjects(world), ["meanwhile"]);
});

test("colleagues' envelopes prove account-wide access each hour; without them DocuSign is asked about the user", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin, colleague } = companies;
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runHour();
  const askedFor = (): number => world.docusign.callsTo("/users/{userId}").length;
  const before = askedFor();

  await world.runHour();
  assert.equal(askedFor(), before);
  world.docusign.setRole(admin, account, "custom", { isAdmin: true, apiAccountWideAccess: false });
  await world.runHour();

  assert.equal((await linkOf(world)).cause?.code, "not-admin");
});
