/**
 * Compares an address that DocuSign shows with ours. DocuSign may write the case of scheme and host, a default port or
 * a slash at the end differently. Returns false if DocuSign does not show it.
 */
export function isSameAddress(shown: string | null, ours: string): boolean {
  return shown !== null && plainAddress(shown) === plainAddress(ours);
}

function plainAddress(address: string): string {
  return (URL.parse(address)?.href ?? address).replace(/\/+$/, "");
}
