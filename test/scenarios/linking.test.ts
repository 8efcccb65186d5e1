import assert from "node:assert/strict";
import { test } from "node:test";
import { findLink } from "../../src/store/links/links.ts";
import { createBrowser } from "../support/browser.ts";
import { isWaitingForLock } from "../support/database-locks.ts";
import type { User } from "../support/docusign/state.ts";
import { interceptPool } from "../support/intercept-pool.ts";
import { createCompanies, createLinkedCompanies, linkIdOf, linkOf } from "../support/linked-world.ts";
import { begin, NO_TRACE, traces } from "../support/linking-steps.ts";
import { allowWrites, refuseWrites } from "../support/refused-writes.ts";
import { createWorld, finishLink, type World } from "../support/world.ts";

test("linking requests a fresh login with PKCE and the extended scope, and returns to our callback", async () => {
  await using companies = await createCompanies();
  const { world } = companies;

  const address = new URL(await begin(world));
  const again = new URL(await begin(world));

  assert.equal(`${address.origin}${address.pathname}`, `${world.docusign.url}/oauth/auth`);
  const { state, code_challenge, ...rest } = Object.fromEntries(address.searchParams);
  assert.deepEqual(rest, {
    response_type: "code",
    scope: "signature extended",
    client_id: "torikomi",
    redirect_uri: `${world.url}/links/docusign/callback`,
    prompt: "login",
    code_challenge_method: "S256",
  });
  assert.notEqual(again.searchParams.get("state"), state);
  assert.notEqual(again.searchParams.get("code_challenge"), code_challenge);
});

test("a finished linking shows the account and user, and imports into the group", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;

  assert.equal(await world.link(admin, { group: "legal" }), "linked");

  const link = await linkOf(world);
  assert.equal(link.state, "active");
  assert.equal(link.groupId, "legal");
  assert.deepEqual(link.account, { id: account.accountId, name: "株式会社甲" });
  assert.deepEqual(link.user, { id: admin.userId, name: "山田", email: admin.email });
  assert.equal(link.linkedAt, "2031-01-15T03:10:00.000Z");
  assert.deepEqual([link.sentFrom, link.receivedFrom], [null, null]);
});

test("a very long authorization code survives the cabinet's sign-in and links the account", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  world.docusign.lengthenCodes(6_000);

  const result = await world.link(admin);

  assert.equal(result, "linked");
});

/** All users except a DS Admin in their default account (import-rules 5). */
const REFUSED: Readonly<Record<string, (world: World) => User>> = {
  "a DS Sender": ({ docusign }) => docusign.addUser(docusign.addAccount(), { name: "甲", role: "DS Sender" }),
  "a DS Viewer": ({ docusign }) => docusign.addUser(docusign.addAccount(), { name: "甲", role: "DS Viewer" }),
  "a user with custom permission": ({ docusign }) =>
    docusign.addUser(docusign.addAccount(), { name: "甲", role: "custom" }),
  "an administrator with a profile of the customer's own": ({ docusign }) =>
    docusign.addUser(docusign.addAccount(), {
      name: "甲",
      role: "custom",
      isAdmin: true,
      apiAccountWideAccess: true,
      profileName: "当社の管理者",
    }),
  "an administrator who does not reach the whole account": ({ docusign }) =>
    docusign.addUser(docusign.addAccount(), { name: "甲", role: "DS Admin", apiAccountWideAccess: false }),
  "a user with an admin's profile but no admin rights": ({ docusign }) =>
    docusign.addUser(docusign.addAccount(), { name: "甲", role: "DS Admin", isAdmin: false }),
  "a DS Admin of an account other than their default one": ({ docusign }) => {
    const user = docusign.addUser(docusign.addAccount(), { name: "甲", role: "DS Sender" });
    docusign.addMembership(docusign.addAccount(), user, { role: "DS Admin" });
    return user;
  },
  "a DS Admin who is not active": ({ docusign }) =>
    docusign.addUser(docusign.addAccount(), { name: "甲", role: "DS Admin", status: "ActivationSent" }),
  "a user who is closed in their default account": ({ docusign }) => {
    const account = docusign.addAccount();
    const user = docusign.addUser(account, { name: "甲", role: "DS Admin" });
    docusign.addMembership(docusign.addAccount(), user, { role: "DS Admin" });
    docusign.closeUser(user, account);
    return user;
  },
};

test("only a DS Admin in their default account can be linked; all others are refused without a trace", async () => {
  await using world = await createWorld();
  const results: Record<string, string> = {};

  for (const [name, make] of Object.entries(REFUSED)) results[name] = await world.link(make(world));

  assert.deepEqual(results, Object.fromEntries(Object.keys(REFUSED).map((name) => [name, "not-admin"])));
  assert.deepEqual(await traces(world), NO_TRACE);
});

test("a DS Admin in the default account is linked to it, whatever their roles elsewhere, even if the default changes later", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  const other = world.docusign.addAccount({ name: "別会社" });
  world.docusign.addMembership(other, admin, { role: "DS Sender" });

  assert.equal(await world.link(admin), "linked");
  world.docusign.setDefaultAccount(admin, other);
  await world.runJobs();
  await world.runHour();

  const link = await linkOf(world);
  assert.deepEqual([link.account.id, link.state], [account.accountId, "active"]);
});

/** Links administrators with these profile names, each for a tenant of its own, and returns the results. */
async function linkWithProfiles(world: World, profileNames: readonly string[]): Promise<string[]> {
  const rights = { role: "custom", isAdmin: true, apiAccountWideAccess: true } as const;
  const results: string[] = [];
  for (const [index, profileName] of profileNames.entries()) {
    const user = world.docusign.addUser(world.docusign.addAccount(), { name: "甲", ...rights, profileName });
    results.push(await world.link(user, { tenant: `tenant-${index}` }));
  }
  return results;
}

test("DOCUSIGN_ADMIN_PROFILES lists the accepted profiles, ignoring case", async () => {
  await using world = await createWorld({
    config: { adminProfiles: ["アカウント管理者", "Account Administrator"] },
  });

  const results = await linkWithProfiles(world, [
    "アカウント管理者",
    "account administrator",
    "DS Admin",
    "",
  ]);

  assert.deepEqual(results, ["linked", "linked", "not-admin", "not-admin"]);
});

test("with DOCUSIGN_ADMIN_PROFILES=* every profile is accepted, but admin rights are still required", async () => {
  await using world = await createWorld({ config: { adminProfiles: ["*"] } });
  const sender = world.docusign.addUser(world.docusign.addAccount(), { name: "乙", role: "DS Sender" });

  const results = await linkWithProfiles(world, ["当社の管理者"]);

  assert.deepEqual(results, ["linked"]);
  assert.equal(await world.link(sender, { tenant: "tenant-9" }), "not-admin");
});

test("a group that is unknown, deleted or another tenant's cannot be chosen", async () => {
  await using companies = await createCompanies();
  const { world } = companies;
  const caller = await world.api();
  await (await world.api("tenant-2")).send("PUT", "/v1/groups/theirs", { name: "他社" });
  await caller.send("PUT", "/v1/groups/gone", { name: "前の" });
  await caller.send("DELETE", "/v1/groups/gone");

  for (const groupId of ["unknown", "theirs", "gone"]) {
    const { status, body } = await caller.send("POST", "/v1/link", { groupId });
    assert.equal(status, 422, groupId);
    assert.equal(body.detail, "取り込み先契約書グループが見つかりませんでした。");
  }
  assert.deepEqual(await traces(world), NO_TRACE);
});

test("a group deleted during its owner's login at DocuSign ends the linking without a trace", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  const authorizationUrl = await begin(world);
  assert.equal((await (await world.api()).send("DELETE", "/v1/groups/group-1")).status, 204);

  const result = await finishLink(world, createBrowser(), {
    person: world.owner(),
    user: admin,
    authorizationUrl,
  });

  assert.equal(result, "group-not-found");
  assert.deepEqual(await traces(world), NO_TRACE);
});

test("a group deleted just as a link is stored stops that link", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  const authorizationUrl = await begin(world);
  const api = await world.api();
  const deletions: ReturnType<typeof api.send>[] = [];
  let isWritten = false;
  interceptPool(world.service.foundation.working.pool, async (statement, act) => {
    isWritten ||= statement.startsWith('insert into "link" ');
    if (isWritten && statement === "commit" && deletions.length === 0) {
      deletions.push(api.send("DELETE", "/v1/groups/group-1"));
      while (!(await isWaitingForLock(world)));
    }
    return await act();
  });

  await finishLink(world, createBrowser(), { person: world.owner(), user: admin, authorizationUrl });

  assert.deepEqual(
    (await Promise.all(deletions)).map(({ status }) => status),
    [204],
  );
  const { state, cause } = await linkOf(world);
  assert.deepEqual([state, cause?.code], ["error", "group-missing"]);
});

test("while a link is active, no other linking can begin, and a pending one is refused at its return", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  const authorizationUrl = await begin(world);
  assert.equal(await world.link(admin), "linked");
  const link = await linkOf(world);

  const { status, body } = await (await world.api()).send("POST", "/v1/link", { groupId: "group-1" });
  const result = await finishLink(world, createBrowser(), {
    person: world.owner(),
    user: admin,
    authorizationUrl,
  });

  assert.equal(status, 409);
  assert.equal(body.type, "urn:torikomi:problem:link-active");
  assert.equal(body.detail, "A link is active; end it first.");
  assert.equal(result, "already-linked");
  assert.deepEqual(await linkOf(world), link);
});

test("if two owners return at the same time, one is linked and the other gets already-linked", async () => {
  await using world = await createWorld();
  const { docusign, cabinet } = world;
  const people = ["first owner", "second owner"].map((sub) =>
    cabinet.addPerson({ sub, name: sub, tenant: "tenant-1", role: "owner" }),
  );
  const returns: (() => Promise<string>)[] = [];
  for (const person of people) {
    const token = await cabinet.token({
      tenant: "tenant-1",
      scope: "groups:write links:write",
      sub: person.sub,
    });
    const send = async (method: string, path: string, body: object) =>
      await fetch(`${world.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    await send("PUT", "/v1/groups/group-1", { name: "契約書" });
    const answer = await send("POST", "/v1/link", { groupId: "group-1" });
    const { authorizationUrl }: any = await answer.json();
    const user = docusign.addUser(docusign.addAccount(), { name: person.name, role: "DS Admin" });
    const browser = createBrowser();
    cabinet.nextSignIn(person);
    await browser.get(`${world.url}/sign-in?return_to=/links`);
    const returnAddress = await docusign.authorize(authorizationUrl, user);
    returns.push(async () => {
      const page = await browser.peek(returnAddress);
      return page.headers.get("location") ?? `status ${page.status}`;
    });
  }

  const results = await Promise.all(returns.map(async (comeBack) => await comeBack()));

  assert.deepEqual(results.sort(), ["/links?result=already-linked", "/links?result=linked"]);
  const left = await traces(world);
  assert.deepEqual([left["links"], left["tokens"], left["configurations"]], [1, 1, 2]);
});

test("a linking that another overtakes during DocuSign's count finds the other's link and leaves nothing of its own", async () => {
  await using companies = await createCompanies();
  const { world, account, admin } = companies;
  const other = world.docusign.addUser(world.docusign.addAccount(), { name: "other", role: "DS Admin" });
  let overtaking: string | null = null;
  world.docusign.onNext("/envelopes", async () => {
    overtaking = await world.link(other);
  });

  const overtaken = await world.link(admin);

  assert.deepEqual([overtaking, overtaken], ["linked", "already-linked"]);
  assert.equal((await linkOf(world)).user.id, other.userId);
  assert.deepEqual(world.docusign.configurations(account), []);
  const left = await traces(world);
  assert.deepEqual([left["links"], left["tokens"], left["audit"]], [1, 1, 1]);
});

test("a linking that fails half-way at DocuSign leaves no trace and works the next time", async () => {
  await using companies = await createCompanies();
  const { world, admin, colleague } = companies;
  await world.docusign.concludeEnvelope({ from: colleague, to: [admin] });
  const results: Record<string, string> = {};

  for (const step of ["/oauth/token", "/oauth/userinfo", "/users/{userId}", "/envelopes"] as const) {
    world.docusign.failNext(1, { status: 500 }, step);
    results[step] = await world.link(admin);
    assert.deepEqual(await traces(world), NO_TRACE, step);
  }

  assert.deepEqual(new Set(Object.values(results)), new Set(["failed"]), JSON.stringify(results));
  const told = world.logged.map((line) => JSON.parse(line)).filter(({ msg }) => msg === "linking failed");
  assert.deepEqual(
    told.map(({ tenant, fault, kind }) => [tenant, fault, kind]),
    Array.from({ length: 4 }, () => ["tenant-1", "http-500", "later"]),
  );
  assert.equal(await world.link(admin), "linked");
});

test("a linking that fails in our database is an internal error and leaves no trace", async () => {
  await using companies = await createCompanies({ expectErrors: true });
  const { world, admin } = companies;
  const { db } = world.service.foundation.working;
  await refuseWrites(db, "link");

  await assert.rejects(world.link(admin), /500/);

  await allowWrites(db, "link");
  assert.deepEqual(await traces(world), NO_TRACE);
  assert.equal(await world.link(admin), "linked");
});

test("a linking fails without blaming the user if DocuSign returns nothing about the user's rights", async () => {
  await using companies = await createCompanies();
  const { world, admin } = companies;
  world.docusign.failNext(1, { status: 200, body: {} }, "/users/{userId}");

  const result = await world.link(admin);

  assert.equal(result, "failed");
  assert.deepEqual(await traces(world), NO_TRACE);
});

test("in production no token is sent to an API address outside DOCUSIGN_API_HOSTS, at linking or later", async () => {
  await using companies = await createCompanies({ config: { production: true } });
  const { world, account, admin } = companies;
  const { userId, name, email } = admin;
  const foreign = "https://api.evil.example";
  const accounts = [
    { account_id: account.accountId, account_name: "甲", is_default: true, base_uri: `${foreign}/` },
  ];
  world.docusign.failNext(
    1,
    { status: 200, body: { sub: userId, name, email, accounts } },
    "/oauth/userinfo",
  );

  const refused = await world.link(admin);
  const left = await traces(world);
  const warnings = world.logged.map((line) => JSON.parse(line));
  const linked = await world.link(admin);

  assert.deepEqual([refused, left, linked], ["failed", NO_TRACE, "linked"]);
  assert.deepEqual(
    warnings.map(({ msg, host, fault }) => [msg, host ?? fault]),
    [
      ["DocuSign's API address is not under DOCUSIGN_API_HOSTS", "api.evil.example"],
      ["linking failed", "api-address-not-allowed"],
    ],
  );
  const { db, openAccount } = world.service.foundation.tasks;
  const link = (await findLink(db, await linkIdOf(world))) ?? assert.fail("no link");
  const misled = { ...link, account: { ...link.account, baseUri: foreign } };
  await assert.rejects(openAccount(misled).getUser(link.user.id), { code: "api-address-not-allowed" });
});

test("a caller without links:write or from another tenant cannot begin, change, approve or end a link", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const link = await linkOf(world);
  const attempts = [
    ["POST", "/v1/link", { groupId: "group-1" }],
    ["PATCH", "/v1/link", { groupId: "group-1" }],
    ["POST", "/v1/link/approve", undefined],
    ["DELETE", "/v1/link", undefined],
  ] as const;
  const reader = await world.api("tenant-1", "links:read contracts:write groups:write");
  const neighbour = await world.api("tenant-2");

  const refused: number[] = [];
  for (const [method, path, body] of attempts) refused.push((await reader.send(method, path, body)).status);
  const foreign: number[] = [];
  for (const [method, path, body] of attempts)
    foreign.push((await neighbour.send(method, path, body)).status);

  assert.deepEqual(refused, [403, 403, 403, 403]);
  assert.deepEqual(foreign, [422, 404, 404, 404]);
  assert.deepEqual(await linkOf(world), link);
});
