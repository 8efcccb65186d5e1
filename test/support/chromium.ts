import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { after } from "node:test";
import { promisify } from "node:util";
import { type Browser, chromium } from "playwright-core";
import { refuseInQuickRun } from "./run/quick-run.ts";

const FLAGS =
  "--no-sandbox --disable-background-networking --disable-component-update --disable-sync --no-first-run --disable-gpu";

const MODULES = join(import.meta.dirname, "../../node_modules");
const PACKAGE = join(MODULES, "@sparticuz/chromium");
/** Names the Japanese font that comes from npm and no other, so that pages look the same on every machine. */
const FONTS = join(import.meta.dirname, "fonts.conf");

/** The browser, and the shared libraries that a bare machine lacks. */
const ARCHIVES = ["chromium.br", "al2023.tar.br"];
/** The package unpacks into the temporary folder of its process, so it gets a process with a folder of its own. */
const UNPACK = `
  import { inflate } from "@sparticuz/chromium";
  await Promise.all(process.argv.slice(1).map((path) => inflate(path)));`;

/** Launches Chromium without a window: npm's on Linux, the installed Chrome on systems that npm's does not run on. */
export async function launchChromium(): Promise<Browser> {
  refuseInQuickRun("browser");
  if (process.platform !== "linux" || process.arch !== "x64")
    return await chromium.launch({ channel: "chrome" });
  const folder = await unpackOnce();
  return await chromium.launch({
    executablePath: join(folder, "chromium"),
    args: FLAGS.split(" "),
    env: {
      ...process.env,
      LD_LIBRARY_PATH: join(folder, "al2023/lib"),
      FONTCONFIG_FILE: FONTS,
      XDG_CACHE_HOME: folder,
    },
  });
}

/** One Chromium for a file of tests: launched when the first test needs it, closed after the last one. */
export function sharedChromium(): () => Promise<Browser> {
  let launched: Promise<Browser> | null = null;
  after(async () => await (await launched)?.close());
  return async () => await (launched ??= launchChromium());
}

/** Returns the folder of the unpacked browser. Processes may race: the first to finish wins, the others drop theirs. */
async function unpackOnce(): Promise<string> {
  const parent = join(MODULES, ".cache/chromium");
  const folder = join(parent, await readVersion());
  if (existsSync(folder)) return folder;
  await mkdir(parent, { recursive: true });
  const own = await mkdtemp(join(parent, "unpacking-"));
  try {
    await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "--eval", UNPACK, ...ARCHIVES.map((name) => join(PACKAGE, "bin", name))],
      { cwd: PACKAGE, env: { ...process.env, TMPDIR: own } },
    );
    await rename(own, folder);
  } catch (error) {
    await rm(own, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

async function readVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8"));
  return version;
}
