import { readFileSync } from "node:fs";

/** A connection string, or a function that returns the current one for each new connection. */
export type Address = string | (() => string);

/**
 * Reads the file again for each new connection, since passwords are rotated at run time. While the file is missing or
 * empty, returns the last address that could be read.
 */
export function addressIn(file: string, first: string): Address {
  let last = first;
  return () => {
    last = readText(file) ?? last;
    return last;
  };
}

export function currentAddress(address: Address): string {
  return typeof address === "string" ? address : address();
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, "utf8").trim() || null;
  } catch {
    return null;
  }
}
