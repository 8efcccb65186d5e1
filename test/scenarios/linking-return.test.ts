import assert from "node:assert/strict";
import { test } from "node:test";
import { createBrowser } from "../support/browser.ts";
import { createCompanies } from "../support/linked-world.ts";
import { begin, comeBack, NO_TRACE, traces } from "../support/linking-steps.ts";

test("an owner who goes back at DocuSign's login has cancelled without a trace and can begin again", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  const browser = createBrowser();
  const returnAddress = await world.docusign.deny(await begin(world));
  world.cabinet.nextSignIn(world.owner());

  const { trail } = await browser.get(returnAddress);

  assert.ok(trail.includes(`${world.url}/links?result=cancelled`), trail.join("\n"));
  assert.deepEqual(await traces(world), NO_TRACE);
  assert.equal(await world.link(admin), "linked");
});

test("a return that is stale, reused, changed or made up is rejected", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  const callback = `${world.url}/links/docusign/callback`;
  const stale = await world.docusign.authorize(await begin(world), admin);
  world.clock.pass(15 * 60 * 1000);

  const results = {
    "after 15 minutes": await comeBack(world, stale),
    "with an unknown state": await comeBack(world, `${callback}?state=made-up&code=1`),
    "without state": await comeBack(world, `${callback}?code=1`),
    "with two states": await comeBack(world, `${callback}?state=a&state=b&code=1`),
  };
  assert.deepEqual(new Set(Object.values(results)), new Set(["expired"]), JSON.stringify(results));
  const other = new URL(await world.docusign.authorize(await begin(world), admin));
  other.searchParams.delete("code");
  const asked = world.docusign.callsTo("/oauth/token").length;
  assert.equal(await comeBack(world, other.href), "failed");
  assert.equal(world.docusign.callsTo("/oauth/token").length, asked, "no call without a code");
  other.searchParams.set("code", "1");
  assert.equal(await comeBack(world, other.href), "expired", "a state is valid once, whatever the outcome");

  assert.deepEqual(await traces(world), NO_TRACE);
});

test("a return is valid until its 15 minutes are over, and once", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  const authorizationUrl = await begin(world);
  world.clock.pass(15 * 60 * 1000 - 1_000);
  const returnAddress = await world.docusign.authorize(authorizationUrl, admin);

  assert.equal(await comeBack(world, returnAddress), "linked");
  const before = await traces(world);
  assert.equal(await comeBack(world, returnAddress), "expired");

  assert.deepEqual(await traces(world), before);
});

test("only the owner who began linking can finish it, even after others tried", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  const owner = world.owner();
  const others = {
    "another owner of the tenant": world.cabinet.addPerson({
      sub: "another owner",
      name: "別の所有者",
      tenant: "tenant-1",
      role: "owner",
    }),
    "an owner of another tenant": world.owner("tenant-2"),
    "the same name in another tenant": { ...owner, tenant: "tenant-2" },
    "the same person, no longer an owner": { ...owner, role: "member" as const },
  };
  const returnAddress = await world.docusign.authorize(await begin(world), admin);

  const results: string[] = [];
  for (const person of Object.values(others)) results.push(await comeBack(world, returnAddress, person));
  assert.ok(
    results.every((result) => result === "expired" || result === "failed"),
    results.join(),
  );
  assert.deepEqual(await traces(world), { ...NO_TRACE, begun: 1 });
  world.cabinet.addPerson(owner);

  assert.equal(await comeBack(world, returnAddress, owner), "linked");
});

test("an authorization address that an attacker sends to a stranger does not link the stranger's account", async () => {
  await using companies = await createCompanies();
  const { world, admin: stranger } = companies;
  const attackersAddress = await begin(world, { tenant: "attacker" });
  const returnAddress = await world.docusign.authorize(attackersAddress, stranger);
  const nobody = createBrowser();
  const guest = world.cabinet.addPerson({ sub: "guest", name: "客", role: "guest" });

  const asOwnerElsewhere = await comeBack(world, returnAddress, world.owner("tenant-2"));
  const asGuest = await comeBack(world, returnAddress, guest);
  const signedOut = await nobody.peek(returnAddress);

  assert.deepEqual([asOwnerElsewhere, asGuest], ["expired", "none"]);
  assert.equal(signedOut.status, 303);
  assert.match(signedOut.headers.get("location") ?? "", /^\/sign-in\?return_to=/);
  assert.deepEqual(await traces(world), { ...NO_TRACE, begun: 1 });
  assert.equal((await (await world.api("attacker")).get("/v1/link")).status, 404);
});

test("an error that DocuSign reports at the return is a failure, not a cancellation", async () => {
  await using companies = await createCompanies();
  const { world } = companies;
  const state = new URL(await begin(world)).searchParams.get("state") ?? "";
  const address = new URL(`${world.url}/links/docusign/callback`);
  address.search = new URLSearchParams({ state, error: "server_error" }).toString();

  assert.equal(await comeBack(world, address.href), "failed");

  assert.deepEqual(await traces(world), NO_TRACE);
});

test("the stored data of a pending linking cannot finish it: state and verifier are not in plain text", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  const authorizationUrl = await begin(world);
  const state = new URL(authorizationUrl).searchParams.get("state") ?? "";
  const { db, vault } = world.service.foundation.tasks;

  const row = await db.selectFrom("linking").selectAll().executeTakeFirstOrThrow();

  const verifier = vault.openUnbound(row.code_verifier);
  assert.ok(!JSON.stringify(row).includes(state));
  assert.ok(!row.state_hash.includes(state));
  assert.ok(!row.code_verifier.includes(verifier));
  const returnAddress = await world.docusign.authorize(authorizationUrl, admin);
  assert.equal(await comeBack(world, returnAddress), "linked");
});
