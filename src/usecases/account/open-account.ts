import { openDocuSignAccount } from "../../docusign/api/account.ts";
import type { OpenAccount, OpenWithToken, Uses } from "../capabilities.ts";
import type { AccessTokens } from "./access-tokens.ts";

/** Opens accounts with the link's tokens; every answer's limits go to the budgets. */
export function createOpenAccount(
  deps: Uses<"budgets" | "metrics" | "now"> & {
    readonly tokens: AccessTokens;
    /** Aborted when this process must end: no call goes on. */
    readonly signal: AbortSignal;
  },
): OpenAccount {
  return (link, onCall, kind = "other") =>
    openDocuSignAccount({
      baseUri: link.account.baseUri,
      accountId: link.account.id,
      accessToken: async (stale) => {
        const token = await deps.tokens.get(link.id, stale);
        deps.budgets.begin(link.account.id, kind);
        return token;
      },
      now: deps.now,
      signal: deps.signal,
      onAnswer: (limits) => {
        deps.budgets.note(link.account.id, limits);
        deps.metrics.docusignCall();
        onCall?.();
      },
    });
}

/** Opens accounts with the token of a login. Its few calls count in no budget, as long as no link exists. */
export function createOpenWithToken({ now }: Uses<"now">): OpenWithToken {
  return ({ accountId, baseUri }, accessToken) =>
    openDocuSignAccount({ accountId, baseUri, accessToken: async () => accessToken, now });
}
