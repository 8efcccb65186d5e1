import { openDocuSignAccount } from "../../docusign/api/account.ts";
import type { IsApiAddress } from "../../docusign/api/api-address.ts";
import { DocuSignFault } from "../../docusign/faults/faults.ts";
import type { OpenAccount, OpenWithToken, Uses } from "../capabilities.ts";
import type { AccessTokens } from "./access-tokens.ts";
import { spendLookUp } from "./look-ups.ts";
import { findMovedAccount } from "./moved-account.ts";

/**
 * Opens accounts with the link's tokens, which are sent to allowed addresses only. Follows accounts that move to another
 * site. Reports the limits of every answer to the budgets.
 */
export function createOpenAccount(
  deps: Uses<"budgets" | "db" | "log" | "metrics" | "now" | "oauth"> & {
    readonly tokens: AccessTokens;
    readonly isApiAddress: IsApiAddress;
    /** Aborted when this process must end; it cancels running calls. */
    readonly signal: AbortSignal;
  },
): OpenAccount {
  return (link, onCall, kind = "other") => {
    let { baseUri } = link.account;
    let known: KnownToken | null = null;
    return openDocuSignAccount({
      baseUri,
      accountId: link.account.id,
      accessToken: async (stale) => {
        if (!deps.isApiAddress(baseUri)) throw notAllowed();
        // A rejected token costs a refresh as well.
        if (kind === "look-up") await spendLookUp(deps, link.tenant, stale === undefined ? 1 : 2);
        if (stale !== undefined || !isRecent(known, deps.now()))
          known = { token: await deps.tokens.get(link.id, stale), readAt: deps.now() };
        const { token } = known;
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
      findMoved: async (from) => {
        // A dry run stores nothing.
        const moved = kind === "dry-run" ? null : await findMovedAccount(deps, link, from);
        baseUri = moved ?? baseUri;
        return moved;
      },
    });
  };
}

type KnownToken = { readonly token: string; readonly readAt: Date };

/** Calls that follow each other closely share one reading of the stored tokens. */
const RECENT_MS = 1_000;

function isRecent(known: KnownToken | null, now: Date): known is KnownToken {
  return known !== null && now.getTime() - known.readAt.getTime() < RECENT_MS;
}

/** Opens accounts with the token of a login. These few calls count in no budget, because no link exists yet. */
export function createOpenWithToken({
  isApiAddress,
  log,
  now,
}: Uses<"log" | "now"> & { readonly isApiAddress: IsApiAddress }): OpenWithToken {
  return ({ accountId, baseUri }, token) => {
    const accessToken = async (): Promise<string> => {
      if (isApiAddress(baseUri)) return token;
      log.warn(
        { host: URL.parse(baseUri)?.hostname },
        "DocuSign's API address is not under DOCUSIGN_API_HOSTS",
      );
      throw notAllowed();
    };
    return openDocuSignAccount({ accountId, baseUri, accessToken, now });
  };
}

/** Calls wait instead of failing for good, because an operator can still allow the address. */
function notAllowed(): DocuSignFault {
  return new DocuSignFault("later", "api-address-not-allowed");
}
