import { readFileSync } from "node:fs";

/** Reads a recorded message or response. */
export function fixture(name: string): Buffer {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url));
}
