import { type DocuSignAccount, openDocuSignAccount } from "../../docusign/api/account.ts";
import type { Link } from "../../store/links/links.ts";
import type { AccessTokens } from "./access-tokens.ts";
import type { CallBudgets, CallKind } from "./call-budgets.ts";

/**
 * DocuSign as the linked user sees it; `onCall` is told of each call that was made. What `kind` they are says how much
 * of the account's budget they leave: `other` unless said.
 */
export type OpenAccount = (
  link: Pick<Link, "id" | "account">,
  onCall?: () => void,
  kind?: CallKind,
) => DocuSignAccount;

/** Opens accounts with the link's tokens; every answer's limits go to the budgets. */
export function createOpenAccount(deps: {
  tokens: AccessTokens;
  budgets: CallBudgets;
  now: () => Date;
  onCall: () => void;
  /** Aborted when this process must end: no call goes on. */
  signal: AbortSignal;
}): OpenAccount {
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
        deps.onCall();
        onCall?.();
      },
    });
}
