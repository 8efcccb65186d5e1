import type { Tokens } from "../../docusign/oauth.ts";
import type { LinkTokens } from "../../store/links/link-tokens.ts";

/** Converts the lifetime that DocuSign returns into the time when the access token expires. */
export function toLinkTokens(tokens: Tokens, now: Date): LinkTokens {
  return {
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken,
    accessExpiresAt: new Date(now.getTime() + tokens.expiresInSeconds * 1000),
  };
}
