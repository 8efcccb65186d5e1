import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { openEmbeddedPostgres } from "../../src/store/embedded/postgres.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const COMPLETE = {
  PUBLIC_URL: "https://torikomi.example",
  DOCUSIGN_CLIENT_ID: "x",
  DOCUSIGN_CLIENT_SECRET: "x",
  CONNECT_HMAC_KEYS: randomBytes(32).toString("base64"),
  ENCRYPTION_KEYS: `x:${randomBytes(32).toString("base64")}`,
  CABINET_ISSUER: "https://cabinet.example",
};

for (const command of ["all", "reconcile", "doctor"]) {
  test(`in production ${command} requires DATABASE_URL and exits with 78 without it`, async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "torikomi-production-"));

    const { status, told } = runInProduction(["src/main.ts", command], { ...COMPLETE, DATA_DIR: dataDir });

    assert.equal(status, 78, told);
    assert.match(told, /DATABASE_URL is required in production/);
    assert.equal(told.trim().split("\n").length, 1, told);
    assert.deepEqual(await readdir(dataDir), []);
    await rm(dataDir, { recursive: true });
  });
}

test("the embedded PostgreSQL itself refuses production", async () => {
  await assert.rejects(openEmbeddedPostgres({ dataDir: "/nowhere", production: true }), /not for production/);
});

test("the demo and its DocuSign do not start in production", () => {
  const { status, told } = runInProduction(["tools/demo.ts", "--once"], {});

  assert.equal(status, 1, told);
  assert.match(told, /the DocuSign simulator is not for production/);
});

function runInProduction(args: readonly string[], environment: Record<string, string>) {
  const env = { PATH: process.env["PATH"] ?? "", NODE_ENV: "production", ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, env, timeout: 30_000 });
  return { status, told: `${stdout.toString()}${stderr.toString()}` };
}
