import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { pino } from "pino";
import type { Role } from "../../../src/foundation.ts";
import { type Service, startService } from "../../../src/service.ts";
import { createWorld, type World } from "../../support/world.ts";

const OPERATIONS = ["/healthz", "/readyz", "/metrics"];
const OTHERS = ["/openapi.json", "/v1/contracts", "/links", "/sign-in", "/connect/x", "/"];

async function start(world: World, role: Role, operationsPort: number | null): Promise<Service> {
  const config = { ...world.config, port: 0, operationsPort };
  return await startService(config, role, { log: pino({ level: "silent" }), now: () => new Date() });
}

async function statuses(port: number, paths: readonly string[]): Promise<number[]> {
  const answers = paths.map((path) => fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual" }));
  return (await Promise.all(answers)).map(({ status }) => status);
}

for (const role of ["serve", "work", "all"] as const) {
  test(`${role}: a separate port serves only the operations endpoints, and PORT answers 404 for them`, async () => {
    await using world = await createWorld();
    await using service = await start(world, role, 0);

    assert.notEqual(service.port, service.operationsPort);
    assert.deepEqual(await statuses(service.operationsPort, OPERATIONS), [200, 200, 200]);
    assert.deepEqual(await statuses(service.operationsPort, OTHERS), [404, 404, 404, 404, 404, 404]);
    assert.deepEqual(await statuses(service.port, OPERATIONS), [404, 404, 404]);
    assert.deepEqual(await statuses(service.port, ["/openapi.json"]), [role === "work" ? 404 : 200]);
  });

  test(`${role}: without a separate port, PORT serves the operations endpoints`, async () => {
    await using world = await createWorld();
    await using service = await start(world, role, null);

    assert.equal(service.operationsPort, service.port);
    assert.deepEqual(await statuses(service.port, OPERATIONS), [200, 200, 200]);
  });
}

test("requests to both ports are counted, and both ports close with the service", async () => {
  await using world = await createWorld();
  const service = await start(world, "serve", 0);
  await statuses(service.port, ["/openapi.json"]);
  const figures = await (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text();

  await service[Symbol.asyncDispose]();

  assert.match(figures, /^torikomi_http_request_duration_seconds_count\{area="api",status="200"\} 1$/m);
  for (const port of [service.port, service.operationsPort])
    await assert.rejects(statuses(port, ["/healthz"]), { name: "TypeError", message: "fetch failed" });
});

test("a port in use stops the start", async () => {
  await using world = await createWorld();
  const taken = createServer();
  await once(taken.listen(0, "127.0.0.1"), "listening");
  const address = taken.address();
  assert.ok(typeof address === "object" && address !== null);

  await assert.rejects(start(world, "serve", address.port), { code: "EADDRINUSE" });

  await once(taken.close(), "close");
});
