import { isLoopback } from "../../domain/loopback.ts";

export type ApiAddressRules = {
  readonly production: boolean;
  readonly docusign: {
    readonly oauthUrl: string;
    /** Domains that API addresses belong to. */
    readonly apiHosts: readonly string[];
  };
};

/** Returns true if a token may be sent to the account's `base_uri`. */
export type IsApiAddress = (baseUri: string) => boolean;

/**
 * Outside production every address is allowed. In production it must be https under one of the domains; loopback is
 * allowed if the account server is there too.
 */
export function createApiAddressCheck({ production, docusign }: ApiAddressRules): IsApiAddress {
  if (!production) return () => true;
  const isLocal = isLoopback(new URL(docusign.oauthUrl).hostname);
  return (baseUri) => {
    const address = parseExactly(baseUri);
    if (address === null) return false;
    if (isLoopback(address.hostname)) return isLocal;
    return (
      address.protocol === "https:" && docusign.apiHosts.some((host) => isWithin(address.hostname, host))
    );
  };
}

/** Null if URL serializes the text differently, ignoring case: a different parser might see a different host. */
function parseExactly(baseUri: string): URL | null {
  const address = URL.parse(baseUri);
  if (address === null || address.username !== "" || address.password !== "") return null;
  return simplified(address.href) === simplified(baseUri) ? address : null;
}

function simplified(address: string): string {
  return address.replace(/\/$/, "").toLowerCase();
}

function isWithin(hostname: string, domain: string): boolean {
  return hostname === domain || hostname.endsWith(`.${domain}`);
}
