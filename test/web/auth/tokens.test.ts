import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import express, { type Express } from "express";
import { pino } from "pino";
import { Refusal, type RefusalCode } from "../../../src/domain/refusal.ts";
import {
  authenticate,
  type Caller,
  callerOf,
  createTokenVerifier,
  personOf,
  requireScope,
  type TokenVerifierOptions,
} from "../../../src/web/auth/tokens.ts";
import { errorHandler } from "../../../src/web/problem.ts";
import type { Forgery } from "../../support/cabinet/api-tokens.ts";
import { type Cabinet, startCabinet, type TokenOptions } from "../../support/cabinet/cabinet.ts";
import type { KeyAlgorithm } from "../../support/cabinet/keys.ts";

const NOW = new Date("2026-03-31T15:00:00Z");
const GOOD: TokenOptions = { tenant: "acme", scope: "contracts:read links:write", sub: "batch" };

test("a valid token yields the tenant, the subject and the scopes", async () => {
  await using cabinet = await startTestCabinet();
  const verify = verifierFor(cabinet);

  const caller = await verify(`Bearer ${await cabinet.token(GOOD)}`);

  assert.deepEqual(caller, {
    tenant: "acme",
    subject: "batch",
    scopes: new Set(["contracts:read", "links:write"]),
  });
});

for (const keyAlgorithm of ["ES256", "RS256", "EdDSA"] satisfies KeyAlgorithm[]) {
  test(`tokens signed with ${keyAlgorithm} are accepted`, async () => {
    await using cabinet = await startTestCabinet({ keyAlgorithm });

    const caller = await verifierFor(cabinet)(`Bearer ${await cabinet.token(GOOD)}`);

    assert.equal(caller.tenant, "acme");
  });
}

const BAD: Readonly<Record<string, TokenOptions>> = {
  "that has expired": { ...GOOD, expiresIn: -1 },
  "that never expires": { ...GOOD, expiresIn: null },
  "that is not valid yet": { ...GOOD, claims: { nbf: NOW.getTime() / 1_000 + 60 } },
  "for another audience": { ...GOOD, audience: "another-service" },
  "of another issuer": { ...GOOD, issuer: "https://issuer.example" },
  "that is unsigned": { ...GOOD, forgery: "unsigned" },
  "signed with the public key as a shared secret": { ...GOOD, forgery: "public-key-as-secret" },
  "signed by another key under the cabinet's key id": { ...GOOD, forgery: "foreign-key" },
  "of an unknown key id": { ...GOOD, forgery: "unknown-key" },
  "that is an ID token, by its nonce": { ...GOOD, type: null, claims: { nonce: "n" } },
  "that is an ID token, by its at_hash": { ...GOOD, type: "JWT", claims: { at_hash: "h" } },
  "that is an ID token, by its c_hash": { ...GOOD, type: "JWT", claims: { c_hash: "h" } },
};

const ALL: TokenOptions = { tenant: "*", scope: "contracts:read links:read", sub: "mirror" };

test("a token for all tenants of a listed subject yields no tenant, and acts for no person", async () => {
  await using cabinet = await startTestCabinet();
  const verify = verifierFor(cabinet, { serviceSubjects: ["mirror"] });

  const caller = await verify(`Bearer ${await cabinet.token(ALL)}`);

  assert.deepEqual([caller.tenant, caller.subject], [null, "mirror"]);
  assert.throws(() => personOf(caller), isRefusal("forbidden"));
  await assert.rejects(verifierFor(cabinet)(`Bearer ${await cabinet.token(ALL)}`), isRefusal("forbidden"));
});

const LACKING: Readonly<Record<string, TokenOptions>> = {
  "with an empty tenant": { ...GOOD, tenant: "" },
  "with a tenant that is not a string": { ...GOOD, claims: { tenant: 7 } },
  "with a tenant of 201 characters": { ...GOOD, tenant: "x".repeat(201) },
  "with NUL in its tenant": { ...GOOD, tenant: "ac\u0000me" },
  "with half a surrogate pair in its tenant": { ...GOOD, tenant: "acme\ud800" },
  "with a tenant that is null": { ...GOOD, claims: { tenant: null } },
  "with an empty subject": { ...GOOD, sub: "" },
  "with a subject of 201 characters": { ...GOOD, sub: "x".repeat(201) },
  "with a line break in its subject": { ...GOOD, sub: "bat\nch" },
  "with half a surrogate pair in its subject": { ...GOOD, sub: "batch\ud800" },
  "with a scope that is not a string": { ...GOOD, claims: { scope: ["contracts:read"] } },
};

for (const [name, options] of Object.entries(BAD)) {
  test(`a token ${name} is rejected as unauthorized`, async () => {
    await using cabinet = await startTestCabinet();
    const token = await cabinet.token(options);

    await assert.rejects(verifierFor(cabinet)(`Bearer ${token}`), isRefusal("unauthorized"));
  });
}

for (const [name, options] of Object.entries(LACKING)) {
  test(`a valid token ${name} is rejected as forbidden, since no new token would help`, async () => {
    await using cabinet = await startTestCabinet();
    const token = await cabinet.token(options);

    await assert.rejects(verifierFor(cabinet)(`Bearer ${token}`), isRefusal("forbidden"));
  });
}

test("an access token with a nonce is accepted if its type says that it is an access token", async () => {
  await using cabinet = await startTestCabinet();

  for (const type of ["at+jwt", "application/at+jwt", "AT+JWT"]) {
    const token = await cabinet.token({ ...GOOD, type, claims: { nonce: "n" } });

    assert.equal((await verifierFor(cabinet)(`Bearer ${token}`)).tenant, "acme");
  }
});

test("if the audience is the name of the page's client, only tokens of the type at+jwt are accepted", async () => {
  await using cabinet = await startTestCabinet();
  const verify = verifierFor(cabinet, { clientId: "torikomi" });

  assert.equal((await verify(`Bearer ${await cabinet.token(GOOD)}`)).tenant, "acme");
  for (const type of [null, "JWT"]) {
    const token = await cabinet.token({ ...GOOD, type });

    await assert.rejects(verify(`Bearer ${token}`), isRefusal("unauthorized"));
    assert.equal((await verifierFor(cabinet)(`Bearer ${token}`)).tenant, "acme");
  }
});

test("a valid token without a tenant is forbidden rather than unauthorized, and the response names what is missing", async () => {
  await using cabinet = await startTestCabinet();
  const token = await cabinet.token({ scope: "contracts:read", sub: "batch" });

  await assert.rejects(
    verifierFor(cabinet)(`Bearer ${token}`),
    (error) => isRefusal("forbidden")(error) && /`tenant`/.test(String(error)),
  );
});

test("a valid token without a subject acts for its tenant, but for no person", async () => {
  await using cabinet = await startTestCabinet();

  const caller = await verifierFor(cabinet)(`Bearer ${await cabinet.token({ ...GOOD, sub: null })}`);

  assert.deepEqual([caller.tenant, caller.subject], ["acme", null]);
  assert.throws(
    () => personOf(caller),
    (error) => isRefusal("forbidden")(error) && /`sub`/.test(String(error)),
  );
});

test("a token that was accepted is still rejected when it expires", async () => {
  await using cabinet = await startTestCabinet();
  const token = await cabinet.token({ ...GOOD, expiresIn: 60 });
  let now = NOW;
  const verify = verifierFor(cabinet, { now: () => now });

  await verify(`Bearer ${token}`);
  now = new Date(NOW.getTime() + 60_000);

  await assert.rejects(verify(`Bearer ${token}`), isRefusal("unauthorized"));
});

test("a token is expired at its expiry time and valid one second earlier", async () => {
  await using cabinet = await startTestCabinet();
  const token = await cabinet.token({ ...GOOD, expiresIn: 60 });
  const at = (seconds: number): Promise<Caller> =>
    verifierFor(cabinet, { now: () => new Date(NOW.getTime() + seconds * 1_000) })(`Bearer ${token}`);

  assert.equal((await at(59)).tenant, "acme");
  await assert.rejects(at(60), isRefusal("unauthorized"));
});

for (const header of [
  undefined,
  "",
  "Bearer",
  "Bearer ",
  "Basic YTpi",
  "Bearer a.b",
  "Bearer a.b.c",
  "Bearer é.b.c",
]) {
  test(`the header ${JSON.stringify(header)} is rejected without calling the issuer`, async () => {
    const requests: string[] = [];
    const verify = createTokenVerifier({
      issuer: "http://127.0.0.1:9",
      audience: "torikomi",
      now: () => NOW,
      fetch: async (address) => {
        requests.push(String(address));
        throw new Error("the issuer must not be called");
      },
    });

    await assert.rejects(verify(header), isRefusal("unauthorized"));
    assert.deepEqual(requests, []);
  });
}

for (const forgery of ["unsigned", "public-key-as-secret"] satisfies Forgery[]) {
  test(`a token with the forgery "${forgery}" is rejected by its algorithm, before any key lookup`, async () => {
    await using cabinet = await startTestCabinet();
    const token = await cabinet.token({ ...GOOD, forgery });
    await cabinet.close();

    await assert.rejects(verifierFor(cabinet)(`Bearer ${token}`), isRefusal("unauthorized"));
  });
}

test("a tampered signature is rejected", async () => {
  await using cabinet = await startTestCabinet();
  const [header, , signature] = (await cabinet.token(GOOD)).split(".");
  const [, claims] = (await cabinet.token({ ...GOOD, tenant: "another" })).split(".");

  await assert.rejects(
    verifierFor(cabinet)(`Bearer ${header}.${claims}.${signature}`),
    isRefusal("unauthorized"),
  );
});

test("while the issuer is down the error is unavailable, and once it is back the token is accepted", async () => {
  const first = await startTestCabinet();
  await first.close();
  const verify = createTokenVerifier({ issuer: first.issuer, audience: "torikomi", now: () => NOW });
  const token = await first.token(GOOD);

  await assert.rejects(verify(`Bearer ${token}`), isRefusal("unavailable"));

  await using again = await startTestCabinet({ port: Number(new URL(first.issuer).port) });
  assert.equal((await verify(`Bearer ${await again.token(GOOD)}`)).tenant, "acme");
});

test("known keys stay valid while the issuer is down", async () => {
  await using cabinet = await startTestCabinet();
  const verify = verifierFor(cabinet);
  const [token, unknown] = [
    await cabinet.token(GOOD),
    await cabinet.token({ ...GOOD, forgery: "unknown-key" }),
  ];
  await verify(`Bearer ${token}`);
  await cabinet.close();

  await assert.rejects(verify(`Bearer ${unknown}`), isRefusal("unavailable"));
  assert.equal((await verify(`Bearer ${token}`)).tenant, "acme");
});

test("after a key rotation new tokens are accepted, and old ones until their key is withdrawn", async () => {
  await using cabinet = await startTestCabinet();
  const verify = verifierFor(cabinet);
  const old = await cabinet.token(GOOD);
  await verify(`Bearer ${old}`);

  await cabinet.rotateKeys();

  assert.equal((await verify(`Bearer ${await cabinet.token(GOOD)}`)).tenant, "acme");
  assert.equal((await verify(`Bearer ${old}`)).tenant, "acme");
  cabinet.withdrawOldKeys();
  await assert.rejects(verifierFor(cabinet)(`Bearer ${old}`), isRefusal("unauthorized"));
});

test("the issuer's keys are fetched once, however many tokens arrive at the same time", async () => {
  await using cabinet = await startTestCabinet();
  const requests: string[] = [];
  const verify = verifierFor(cabinet, {
    fetch: (address, init) => {
      requests.push(new URL(String(address)).pathname);
      return fetch(address, init);
    },
  });
  const token = await cabinet.token(GOOD);

  await Promise.all(Array.from({ length: 20 }, () => verify(`Bearer ${token}`)));

  assert.deepEqual(requests, ["/.well-known/openid-configuration", "/jwks"]);
});

test("tokens with unknown keys do not cause repeated calls to the issuer", async () => {
  await using cabinet = await startTestCabinet();
  const requests: string[] = [];
  const verify = verifierFor(cabinet, {
    keyCooldownMs: 60_000,
    fetch: (address, init) => {
      requests.push(new URL(String(address)).pathname);
      return fetch(address, init);
    },
  });

  for (let count = 0; count < 5; count++) {
    const token = await cabinet.token({ ...GOOD, forgery: "unknown-key" });
    await assert.rejects(verify(`Bearer ${token}`), isRefusal("unauthorized"));
  }

  assert.deepEqual(requests, ["/.well-known/openid-configuration", "/jwks"]);
});

test("metadata that names another issuer is rejected", async () => {
  await using cabinet = await startTestCabinet();
  await using other = await startTestCabinet();
  const verify = verifierFor(cabinet, {
    fetch: (address, init) => fetch(String(address).replace(cabinet.issuer, other.issuer), init),
  });

  await assert.rejects(verify(`Bearer ${await cabinet.token(GOOD)}`), isRefusal("unavailable"));
});

test("the configured issuer may have a trailing slash", async () => {
  await using cabinet = await startTestCabinet();

  const caller = await verifierFor(cabinet, { issuer: `${cabinet.issuer}/` })(
    `Bearer ${await cabinet.token(GOOD)}`,
  );

  assert.equal(caller.tenant, "acme");
});

test("a scope is required, and write includes read of the same noun only", () => {
  const caller: Caller = {
    tenant: "acme",
    subject: "batch",
    scopes: new Set(["contracts:write", "links:read"]),
  };

  assert.doesNotThrow(() => requireScope(caller, "contracts:write"));
  assert.doesNotThrow(() => requireScope(caller, "contracts:read"));
  assert.doesNotThrow(() => requireScope(caller, "links:read"));
  assert.throws(() => requireScope(caller, "links:write"), isRefusal("forbidden"));
  assert.throws(() => requireScope(caller, "groups:read"), isRefusal("forbidden"));
  assert.throws(() => requireScope(caller, "contracts:erase"), isRefusal("forbidden"));
});

test("behind authenticate a handler knows its caller and is not reached without a valid token", async () => {
  await using cabinet = await startTestCabinet();
  const app = express();
  app.get("/", authenticate(verifierFor(cabinet)), (_request, response) => {
    response.send(callerOf(response).tenant);
  });
  app.use(errorHandler(pino({ level: "silent" })));
  await using server = await listen(app);

  const good = await fetch(server.url, { headers: { authorization: `bearer ${await cabinet.token(GOOD)}` } });
  const bad = await fetch(server.url);

  assert.equal(await good.text(), "acme");
  assert.equal(bad.status, 401);
  assert.equal(bad.headers.get("www-authenticate"), "Bearer");
  assert.match(await bad.text(), /urn:torikomi:problem:unauthorized/);
});

async function listen(app: Express): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const close = async (): Promise<void> => void (await new Promise((resolve) => server.close(resolve)));
  return { url: `http://127.0.0.1:${address.port}`, [Symbol.asyncDispose]: close };
}

async function startTestCabinet(
  options: { port?: number; keyAlgorithm?: KeyAlgorithm } = {},
): Promise<Cabinet> {
  return startCabinet({
    clientId: "page",
    clientSecret: "secret",
    redirectUris: [],
    now: () => NOW,
    ...options,
  });
}

function verifierFor(
  cabinet: Cabinet,
  options: Partial<TokenVerifierOptions> = {},
): ReturnType<typeof createTokenVerifier> {
  const usual = { issuer: cabinet.issuer, audience: "torikomi", now: () => NOW, keyCooldownMs: 0 };
  return createTokenVerifier({ ...usual, ...options });
}

function isRefusal(code: RefusalCode): (error: unknown) => boolean {
  return (error) => error instanceof Refusal && error.code === code;
}
