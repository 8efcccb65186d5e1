/** What test files get for `node:test` where mutants are tried: tests wait here until they are called by name. */
export type Body = () => Promise<void> | void;

const files = new Map<string, Map<string, Body>>();
let collecting = new Map<string, Body>();

/** Takes a test as `node:test` does, and does not run it. */
export function test(name: string, body: Body): void {
  if (collecting.has(name)) throw new Error(`two tests of a file are named ${JSON.stringify(name)}`);
  collecting.set(name, body);
}

/** The tests of a file by name; its module is loaded the first time. */
export async function testsOf(file: string, url: string): Promise<ReadonlyMap<string, Body>> {
  const known = files.get(file);
  if (known !== undefined) return known;
  collecting = new Map();
  files.set(file, collecting);
  await import(url);
  return collecting;
}
