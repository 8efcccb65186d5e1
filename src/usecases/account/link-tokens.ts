import type { Tokens } from "../../docusign/oauth.ts";
import type { LinkTokens } from "../../store/links/link-tokens.ts";

/** DocuSign's answer with the moment at which the access token expires. */
export function toLinkTokens(tokens: Tokens, now: Date): LinkTokens {
  return {
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken,
    accessExpiresAt: new Date(now.getTime() + tokens.expiresInSeconds * 1000),
  };
}
