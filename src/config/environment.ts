import { readFileSync } from "node:fs";
import { describeFault } from "../domain/fault-text.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export type Given = {
  readonly values: Record<string, string>;
  /** The problem of each value whose file cannot be read. Such a value does not count as missing. */
  readonly unread: Map<string, string>;
};

const FILE_SUFFIX = "_FILE";

/** Reads the environment; `NAME_FILE` of a known name is the path of a file with the value. Empty values count as missing. */
export function readEnvironment(environment: Environment, names: ReadonlySet<string>): Given {
  const given: Given = { values: {}, unread: new Map() };
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || value === "") continue;
    const target = name.endsWith(FILE_SUFFIX) ? name.slice(0, -FILE_SUFFIX.length) : name;
    if (target === name) given.values[name] ??= value;
    else if (names.has(target)) readSecret(given, target, value);
  }
  return given;
}

function readSecret({ values, unread }: Given, name: string, path: string): void {
  try {
    const text = readFileSync(path, "utf8").replace(/\r?\n$/, "");
    if (text !== "") values[name] = text;
  } catch (error) {
    unread.set(name, `${name}${FILE_SUFFIX} cannot be read (${describeFault(error)})`);
  }
}
