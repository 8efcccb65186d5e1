import { z } from "zod";

const Package = z.looseObject({
  dev: z.boolean().optional(),
  license: z.string().optional(),
  engines: z.record(z.string(), z.string()).optional(),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});

export const LockFile = z.looseObject({ packages: z.record(z.string(), Package) });

type Entry = Readonly<Record<string, unknown>>;

const SYSTEMS = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const PROCESSORS = ["arm64", "arm", "ia32", "ppc64", "riscv64", "s390x", "x64"];

/**
 * The entries of other platforms' binaries that a lock file lacks. npm leaves them out if the registry that it
 * installs from does not have them, as small mirrors don't; `npm ci` then refuses the lock file on every machine.
 */
export function missingEntries(lock: z.infer<typeof LockFile>): Record<string, Entry> {
  const paths = Object.keys(lock.packages);
  const wanted = Object.values(lock.packages).flatMap((parent) =>
    Object.entries(parent.optionalDependencies).map(([name, version]) => ({ parent, name, version })),
  );
  const missing = wanted.filter(({ name }) => !paths.some((path) => path.endsWith(`node_modules/${name}`)));
  return Object.fromEntries(
    missing.map(({ parent, name, version }) => [`node_modules/${name}`, entry(parent, name, version)]),
  );
}

/** Such a package carries the name of its platform, and its parent's version, licence and engines. */
function entry({ dev, license, engines }: z.infer<typeof Package>, name: string, version: string): Entry {
  const words = name.replace(/^.*\//, "").replace("ppc64le", "ppc64").split("-");
  const os = words.filter((word) => SYSTEMS.includes(word));
  const cpu = words.filter((word) => PROCESSORS.includes(word));
  if (os.length !== 1 || cpu.length !== 1) throw new Error(`${name} doesn't name a platform`);
  return JSON.parse(
    JSON.stringify({ version, cpu, dev, libc: libcOf(words), license, optional: true, os, engines }),
  );
}

function libcOf(words: readonly string[]): string[] | undefined {
  const last = words.at(-1) ?? "";
  if (!words.includes("linux")) return undefined;
  if (last.startsWith("musl")) return ["musl"];
  return last.startsWith("gnu") ? ["glibc"] : undefined;
}
