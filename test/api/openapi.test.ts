import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CONTRACT, LINK } from "../../src/web/api/examples.ts";
import { CLIENT_FILE, generateClient } from "../support/client-source.ts";
import { createApi, createWorld, EVERY_SCOPE, SERVICE, type World } from "../support/world.ts";
import {
  assertDescribed,
  description,
  exampleAddress,
  exampleBody,
  type Operation,
  operations,
  problemsOf,
} from "./described.ts";
import { id, storeTestCertificate, storeTestContract } from "./stored.ts";

/** The group must exist before the link; operations that end things come last, and linking begins after the end. */
const FIRST = ["putGroup"];
const LAST = ["deleteContract", "endLink", "beginLinking", "deleteGroup"];

test("every example of the description gets a described response from the running server", async () => {
  await using world = await createWorld({ config: { largeImport: 1 } });
  const [naming, ...others] = operations.toSorted((one, other) => rank(one) - rank(other));
  assert.ok(naming);
  await sendExample(world, naming);
  await prepare(world);

  for (const operation of others) await sendExample(world, operation);
});

function rank({ described: { operationId } }: Operation): number {
  return FIRST.includes(operationId) ? -2 : LAST.indexOf(operationId);
}

/** Creates a link that awaits approval, and the contract that the examples name. */
async function prepare(world: World): Promise<void> {
  const account = world.docusign.addAccount();
  const admin = world.docusign.addUser(account, { name: "山田", role: "DS Admin" });
  const to = [{ name: "乙", email: "otsu@example.com" }];
  await world.docusign.concludeEnvelope({ from: admin, to, documents: [{ name: "契約書.pdf" }] });
  assert.equal(await world.link(admin, { group: LINK.groupId }), "awaiting-approval");
  const { body } = await (await world.api()).get("/v1/link");
  const contract = await storeTestContract(world, {
    linkId: id(body.id),
    id: id(CONTRACT.id),
    envelopeId: CONTRACT.source.envelopeId,
    groupId: LINK.groupId,
    concludedOn: CONTRACT.concludedOn,
  });
  await storeTestCertificate(world, contract);
}

async function tokenFor(world: World, { id: operationId }: Operation): Promise<string> {
  return await world.cabinet.token(
    operationId === "listTenants"
      ? { tenant: "*", sub: SERVICE, scope: "links:read" }
      : { tenant: "tenant-1", sub: "owner of tenant-1", scope: EVERY_SCOPE },
  );
}

async function sendExample(world: World, operation: Operation): Promise<void> {
  const { method, described } = operation;
  const api = createApi(world.url, await tokenFor(world, operation));
  const answer = await api.send(method, exampleAddress(operation), exampleBody(operation));

  const [status, success] =
    Object.entries<any>(described.responses).find(([code]) => code.startsWith("2")) ?? [];
  assertDescribed(described.operationId, answer);
  assert.equal(answer.status, Number(status), `${described.operationId}: ${JSON.stringify(answer.body)}`);
  const content = success?.content?.["application/json"];
  if (content !== undefined)
    assert.deepEqual(problemsOf(content.schema, answer.body), [], described.operationId);
}

test("a conditional request with a current ETag gets a described response", async () => {
  await using world = await createWorld({ config: { largeImport: 1 } });
  await (await world.api()).send("PUT", `/v1/groups/${LINK.groupId}`, { name: "営業" });
  await prepare(world);

  for (const operation of operations.filter(({ method }) => method === "GET")) {
    const { operationId } = operation.described;
    const authorization = `Bearer ${await tokenFor(world, operation)}`;
    const address = `${world.url}${exampleAddress(operation)}`;
    const etag = (await fetch(address, { headers: { authorization } })).headers.get("etag") ?? "";

    const again = await fetch(address, { headers: { authorization, "if-none-match": etag } });

    assert.equal(again.status, 304, operationId);
    assertDescribed(operationId, again);
  }
});

test("bodies that are too large, compressed or in another encoding are rejected as described", async () => {
  await using world = await createWorld();
  const authorization = `Bearer ${await world.cabinet.token({ tenant: "tenant-1", scope: EVERY_SCOPE })}`;
  const asJson = { authorization, "content-type": "application/json" };
  const refused: readonly (readonly [status: number, body: string, headers: Record<string, string>])[] = [
    [400, "{", asJson],
    [413, JSON.stringify({ name: "x".repeat(17_000) }), asJson],
    [415, "{}", { ...asJson, "content-encoding": "gzip" }],
    [415, "{}", { authorization, "content-type": "application/json; charset=shift_jis" }],
  ];

  for (const operation of operations.filter(({ described }) => described.requestBody !== undefined)) {
    const { method, described } = operation;
    for (const [status, body, headers] of refused) {
      const answer = await fetch(`${world.url}${exampleAddress(operation)}`, { method, headers, body });

      assert.equal(answer.status, status, described.operationId);
      assertDescribed(described.operationId, answer);
    }
  }
});

test("the description's example responses match its schemas", () => {
  for (const { described } of operations) {
    for (const response of Object.values<any>(described.responses)) {
      const content = response.content?.["application/json"];
      if (content === undefined) continue;
      assert.notEqual(content.example, undefined, described.operationId);
      assert.deepEqual(problemsOf(content.schema, content.example), [], described.operationId);
    }
  }
});

test("problem responses match the description", async () => {
  await using world = await createWorld();
  const problem = { $ref: "#/components/schemas/Problem" };
  const api = await world.api();

  const refused: Readonly<Record<string, string | null>> = {
    "/v1/contracts?limit=0": "listContracts",
    "/v1/contracts/1": "getContract",
    "/v1/link": "getLink",
    "/v1/nothing": null,
  };
  for (const [path, operationId] of Object.entries(refused)) {
    const { status, headers, body } = await api.get(path);

    if (operationId !== null) assertDescribed(operationId, { status, headers });
    assert.ok(status >= 400 && status < 500, path);
    assert.match(headers.get("content-type") ?? "", /^application\/problem\+json/);
    assert.deepEqual(problemsOf(problem, body), []);
    assert.equal(body.status, status);
  }
});

test("the description is public, and sent again only if it has changed", async () => {
  await using world = await createWorld();

  const response = await fetch(`${world.url}/openapi.json`);
  const again = await fetch(`${world.url}/openapi.json`, {
    headers: { "if-none-match": response.headers.get("etag") ?? "", "cache-control": "max-age=0" },
  });

  assert.deepEqual(JSON.parse(await response.text()), JSON.parse(JSON.stringify(description)));
  assert.equal(again.status, 304);
});

test("the service shows the version of package.json in its description and its metrics", async () => {
  await using world = await createWorld();
  const { version } = JSON.parse(await readFile(join(import.meta.dirname, "../../package.json"), "utf8"));

  const served = JSON.parse(await (await fetch(`${world.url}/openapi.json`)).text());
  const metrics = await (await fetch(`${world.url}/metrics`)).text();

  assert.equal(served.info.version, version);
  assert.ok(metrics.split("\n").includes(`torikomi_build_info{version="${version}"} 1`));
});

test("the description contains every endpoint of the cabinet API, and the receiver", () => {
  const rows = Object.entries<any>(description.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );

  assert.deepEqual(
    new Set(rows),
    new Set([
      "GET /v1/contracts",
      "GET /v1/contracts/{id}",
      "GET /v1/contracts/{id}/document",
      "GET /v1/contracts/{id}/certificate",
      "DELETE /v1/contracts/{id}",
      "GET /v1/changes",
      "PUT /v1/groups/{id}",
      "DELETE /v1/groups/{id}",
      "GET /v1/groups",
      "GET /v1/link",
      "POST /v1/link",
      "PATCH /v1/link",
      "POST /v1/link/approve",
      "POST /v1/link/pause",
      "POST /v1/link/resume",
      "DELETE /v1/link",
      "GET /v1/links",
      "GET /v1/envelopes/{envelopeId}",
      "GET /v1/reconciliations",
      "GET /v1/tenants",
      "POST /connect/{linkId}",
    ]),
  );
});

test("the description holds only example addresses of persons and nothing that looks like a token", () => {
  const text = JSON.stringify(description);

  assert.deepEqual(
    new Set(text.match(/[\w.]+@[\w.]+/g)),
    new Set(["hanako@example.com", "ichiro@example.com"]),
  );
  assert.doesNotMatch(text, /eyJ|client_secret|refresh_token|Bearer /);
});

test("the client for other services is up to date with the description", async () => {
  assert.equal(
    await readFile(CLIENT_FILE, "utf8"),
    await generateClient(description),
    "run npm run types:client",
  );
});
