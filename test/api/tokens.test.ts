import assert from "node:assert/strict";
import { test } from "node:test";
import { CONTRACT } from "../../src/web/api/examples.ts";
import { ENDPOINTS } from "../../src/web/api/routes.ts";
import { createBrowser } from "../support/browser.ts";
import type { TokenOptions } from "../support/cabinet/cabinet.ts";
import { createWorld, EVERY_SCOPE, type World } from "../support/world.ts";
import { exampleAddress, exampleBody, operationOf } from "./described.ts";
import { id, storeTestContract, storeTestLink } from "./stored.ts";

/** Those that a tenant's token can use. */
const OF_TENANTS = ENDPOINTS.filter(({ serviceTokens }) => serviceTokens !== "only");
const GOOD: TokenOptions = { tenant: "tenant-1", scope: EVERY_SCOPE, sub: "owner-1" };

const MISUSED: Readonly<Record<string, TokenOptions>> = {
  "that has expired": { ...GOOD, expiresIn: -1 },
  "for another audience": { ...GOOD, audience: "another-service" },
  "of another issuer": { ...GOOD, issuer: "https://issuer.example" },
  "that is unsigned": { ...GOOD, forgery: "unsigned" },
  "signed with the public key as a shared secret": { ...GOOD, forgery: "public-key-as-secret" },
  "signed with an unknown key": { ...GOOD, forgery: "foreign-key" },
};

test("without a token, every endpoint answers that a token is required, and nothing else", async () => {
  await using world = await createWorld();

  for (const endpoint of ENDPOINTS) {
    const response = await ask(world, endpoint, null);

    assert.equal(response.status, 401, endpoint.id);
    assert.equal(response.headers.get("www-authenticate"), "Bearer");
    assert.equal(JSON.parse(await response.text()).type, "urn:torikomi:problem:unauthorized");
  }
});

test("a Bearer header without a JWT is an invalid token, another scheme counts as no token", async () => {
  await using world = await createWorld();
  const schemes = { "Bearer abc": 'Bearer error="invalid_token"', "Basic YTpi": "Bearer" };

  for (const [authorization, expected] of Object.entries(schemes)) {
    const response = await fetch(`${world.url}/v1/contracts`, { headers: { authorization } });

    assert.deepEqual([response.status, response.headers.get("www-authenticate")], [401, expected]);
  }
});

for (const [name, options] of Object.entries(MISUSED)) {
  test(`a token ${name} can neither read nor write`, async () => {
    await using world = await createWorld();
    await prepare(world);
    const token = await world.cabinet.token(options);

    for (const endpoint of ENDPOINTS) {
      const response = await ask(world, endpoint, token);

      assert.equal(response.status, 401, endpoint.id);
      assert.equal(response.headers.get("www-authenticate"), 'Bearer error="invalid_token"');
    }

    await assertUntouched(world);
  });
}

test("an ID token of the page does not open the API, even if the audience is the page's client", async () => {
  const audience = "page";
  // The cabinet's sign-ins run by the machine's clock.
  await using world = await createWorld({ at: new Date().toISOString() });
  await world.restart({ cabinet: { ...world.config.cabinet, audience } });
  const browser = createBrowser();
  world.cabinet.nextSignIn(world.owner());
  await browser.get(`${world.url}/links`);
  world.clock.pass(15 * 60 * 1000);
  await browser.get(`${world.url}/links`);
  const access = await world.cabinet.token({ ...GOOD, audience });
  const statusWith = async (token: string | null): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${world.url}/v1/groups`, { headers })).status;
  };

  const [signedIn, confirmed, ...others] = world.cabinet.exchanges;

  assert.deepEqual(others, []);
  for (const exchange of [signedIn, confirmed]) {
    assert.match(exchange?.idToken ?? "", /^ey/);
    assert.equal(await statusWith(exchange?.idToken ?? null), 401);
  }
  assert.equal(await statusWith(access), 200);
});

test("a valid token without a tenant can neither read nor write, because it lacks a permission", async () => {
  await using world = await createWorld();
  await prepare(world);
  const token = await world.cabinet.token({ scope: EVERY_SCOPE, sub: "owner-1" });

  for (const endpoint of ENDPOINTS) {
    assert.equal((await ask(world, endpoint, token)).status, 403, endpoint.id);
  }

  await assertUntouched(world);
});

/** Operations recorded under a person's name in the audit trail. */
const IN_A_NAME = new Set([
  "beginLinking",
  "editLink",
  "approveImport",
  "pauseLink",
  "resumeLink",
  "endLink",
  "deleteContract",
]);

test("a token without `sub` can read and manage groups, but cannot write anything that is recorded under a name", async () => {
  await using world = await createWorld();
  await prepare(world);
  const token = await world.cabinet.token({ ...GOOD, sub: null });

  for (const endpoint of OF_TENANTS) {
    const response = await ask(world, endpoint, token);

    const answer = await response.text();
    assert.notEqual(response.status, 401, endpoint.id);
    assert.equal(response.status === 403, IN_A_NAME.has(endpoint.id), endpoint.id);
    if (response.status === 403) assert.match(JSON.parse(answer).detail, /the token lacks `sub`/);
  }
});

test("a token without the scope is rejected, whatever other scopes it has", async () => {
  await using world = await createWorld();
  await prepare(world);

  for (const endpoint of ENDPOINTS) {
    const enough = endpoint.scopes.flatMap((scope) => [scope, scope.replace(":read", ":write")]);
    const others = EVERY_SCOPE.split(" ").filter((scope) => !enough.includes(scope));
    const token = await world.cabinet.token({ ...GOOD, scope: others.join(" ") });

    const response = await ask(world, endpoint, token);

    assert.equal(response.status, 403, endpoint.id);
    assert.equal(JSON.parse(await response.text()).type, "urn:torikomi:problem:forbidden");
  }
  await assertUntouched(world);
});

/** Repeats the table of service.md, so that the description cannot drift from it unnoticed. */
const SCOPES: Readonly<Record<string, readonly string[]>> = {
  listContracts: ["contracts:read", "contracts:write"],
  getContract: ["contracts:read", "contracts:write"],
  getContractDocument: ["contracts:read", "contracts:write"],
  getContractCertificate: ["contracts:read", "contracts:write"],
  deleteContract: ["contracts:write"],
  listChanges: ["contracts:read", "contracts:write"],
  putGroup: ["groups:write"],
  deleteGroup: ["groups:write"],
  listGroups: ["groups:write", "links:read", "links:write"],
  getLink: ["links:read", "links:write"],
  beginLinking: ["links:write"],
  editLink: ["links:write"],
  approveImport: ["links:write"],
  pauseLink: ["links:write"],
  resumeLink: ["links:write"],
  endLink: ["links:write"],
  listLinks: ["links:read", "links:write"],
  explainEnvelope: ["links:read", "links:write"],
  listReconciliations: ["links:read", "links:write"],
};

test("each scope of service.md suffices by itself, and `write` includes `read` of the same noun", async () => {
  await using world = await createWorld();

  for (const endpoint of OF_TENANTS) {
    const enough = SCOPES[endpoint.id] ?? [];
    for (const scope of EVERY_SCOPE.split(" ")) {
      const response = await ask(world, endpoint, await world.cabinet.token({ ...GOOD, scope }));

      assert.equal(response.status !== 403, enough.includes(scope), `${endpoint.id} with ${scope}`);
      assert.notEqual(response.status, 401);
    }
  }
});

test("another tenant's valid token changes and sees nothing of ours", async () => {
  await using world = await createWorld();
  await prepare(world);
  const token = await world.cabinet.token({ ...GOOD, tenant: "tenant-2" });

  for (const endpoint of ENDPOINTS) {
    const response = await ask(world, endpoint, token);

    assert.ok(!(await response.text()).includes(CONTRACT.id), endpoint.id);
  }

  await assertUntouched(world);
});

async function ask(world: World, { id }: { id: string }, token: string | null): Promise<Response> {
  const operation = operationOf(id);
  const body = exampleBody(operation);
  return await fetch(`${world.url}${exampleAddress(operation)}`, {
    method: operation.method,
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

async function prepare(world: World): Promise<void> {
  const linkId = await storeTestLink(world);
  const { envelopeId } = CONTRACT.source;
  await storeTestContract(world, { linkId, id: id(CONTRACT.id), envelopeId });
}

async function assertUntouched(world: World): Promise<void> {
  const api = await world.api();
  const groups = (await api.get("/v1/groups")).body.items;
  assert.deepEqual(groups, [{ id: "group-1", name: "契約書" }]);
  assert.equal((await api.get(`/v1/contracts/${CONTRACT.id}`)).status, 200);
  const { state, groupId } = (await api.get("/v1/link")).body;
  assert.deepEqual({ state, groupId }, { state: "active", groupId: "group-1" });
  const { rows } = await world.service.foundation.serving.pool.query(
    "select 1 from linking where tenant = 'tenant-1'",
  );
  assert.deepEqual(rows, []);
}
