import { hkdfSync } from "node:crypto";
import { createVault, UnopenedSecret } from "../../store/links/vault.ts";

/**
 * Secrets under a value that only the browser keeps. The database holds at most the value's hash, so even a dump together
 * with `ENCRYPTION_KEYS` opens none of them, and they need no rotation of keys.
 */
export type BrowserSecrets = {
  seal(secret: string, purpose: string): string;
  /** Returns null if the text is not sealed, or was sealed for a different browser or purpose. */
  open(sealed: string, purpose: string): string | null;
  /** A token for the purpose, the same each time. It is not stored anywhere. */
  tokenFor(...purpose: readonly string[]): string;
};

/** Derives the secrets from a random value of at least 256 bits. */
export function createBrowserSecrets(value: string): BrowserSecrets {
  const vault = createVault([{ id: "browser", key: derive(value, ["encryption"]) }]);
  return {
    seal: (secret, purpose) => vault.seal(secret, [purpose]),
    open: (sealed, purpose) => {
      try {
        return vault.open(sealed, [purpose]);
      } catch (error) {
        if (error instanceof UnopenedSecret) return null;
        throw error;
      }
    },
    tokenFor: (...purpose) => derive(value, purpose).toString("base64url"),
  };
}

function derive(value: string, purpose: readonly string[]): Buffer {
  return Buffer.from(hkdfSync("sha256", value, "torikomi", JSON.stringify(purpose), 32));
}
