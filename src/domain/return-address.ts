/**
 * Returns an address of the cabinet to which a linking may return, in its normal form; otherwise null. It must be absolute,
 * without user name, password and fragment, and its origin must be listed.
 */
export function parseReturnAddress(text: string, origins: readonly string[]): string | null {
  const parsed = URL.parse(text);
  if (parsed === null || text.includes("#")) return null;
  if (parsed.username !== "" || parsed.password !== "" || !origins.includes(parsed.origin)) return null;
  return parsed.href;
}

/** Adds `result` to the query of an address, or replaces it. All other parameters stay as they are written. */
export function withResult(address: string, result: string): string {
  const url = new URL(address);
  const others = url.search === "" ? [] : url.search.slice(1).split("&").filter(isOther);
  url.search = [...others, `result=${encodeURIComponent(result)}`].join("&");
  return url.href;
}

function isOther(parameter: string): boolean {
  // Without the ampersand, a question mark at the beginning would be ignored.
  return !new URLSearchParams(`&${parameter}`).has("result");
}
