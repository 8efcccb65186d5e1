/**
 * Compares an address that DocuSign shows with ours. DocuSign may change the case of scheme and host, a default port or
 * a trailing slash. Returns false if DocuSign does not show the address.
 */
export function isSameAddress(shown: string | null, ours: string): boolean {
  return shown !== null && plainAddress(shown) === plainAddress(ours);
}

function plainAddress(address: string): string {
  return (URL.parse(address)?.href ?? address).replace(/\/+$/, "");
}
