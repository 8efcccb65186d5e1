import { setTimeout as sleep } from "node:timers/promises";
import type { IsApiAddress } from "../../docusign/api/api-address.ts";
import { withFreshToken } from "../../docusign/api/calls.ts";
import { DocuSignFault } from "../../docusign/faults/faults.ts";
import { claimAddressQuestion, findAddress, moveAccount } from "../../store/links/account-address.ts";
import type { Link } from "../../store/links/links.ts";
import { withLock } from "../../store/locks.ts";
import type { Uses } from "../capabilities.ts";
import type { AccessTokens } from "./access-tokens.ts";

type Deps = Uses<"db" | "log" | "now" | "oauth"> & {
  readonly tokens: AccessTokens;
  readonly isApiAddress: IsApiAddress;
};
type AccountOfLink = Pick<Link, "id" | "account">;

/** Slightly less than an hour, because the runs of an hour start at slightly different times. */
const ASK_EVERY_MS = 59.5 * 60 * 1000;

/**
 * Asks DocuSign's account server where the linked account is, at most once an hour over all processes, and stores a new
 * address. Returns the address if it is not `from`; null if the account did not move, or DocuSign does not answer.
 */
export async function findMovedAccount(
  deps: Deps,
  link: AccountOfLink,
  from: string,
): Promise<string | null> {
  const ask = async (): Promise<{ readonly moved: string | null }> => {
    const stored = await findAddress(deps.db, link.id);
    if (stored !== null && !isSame(stored, from)) return { moved: stored };
    return { moved: await unlessFault(askAccountServer(deps, link, from)) };
  };
  return (await alone(deps, link, ask))?.moved ?? null;
}

async function askAccountServer(deps: Deps, link: AccountOfLink, from: string): Promise<string | null> {
  const now = deps.now();
  // Without a token nothing can be asked, so the hour's question is not spent.
  await deps.tokens.get(link.id);
  const askedBefore = new Date(now.getTime() - ASK_EVERY_MS);
  if (!(await claimAddressQuestion(deps.db, link.id, { now, askedBefore }))) return null;
  const { accounts } = await withFreshToken(
    async (stale) => await deps.tokens.get(link.id, stale),
    async (token) => await deps.oauth.getUserInfo(token),
  );
  const found = accounts.find(({ accountId }) => accountId === link.account.id);
  if (found === undefined || isSame(found.baseUri, from)) return null;
  const details = { linkId: link.id, host: URL.parse(found.baseUri)?.hostname };
  if (!deps.isApiAddress(found.baseUri)) {
    deps.log.warn(details, "DocuSign moved the account to an address that is not under DOCUSIGN_API_HOSTS");
    return null;
  }
  deps.log.warn(details, "DocuSign moved the account to another site");
  await moveAccount(deps.db, link.id, found.baseUri);
  return found.baseUri;
}

async function unlessFault<T>(asking: Promise<T>): Promise<T | null> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof DocuSignFault) return null;
    throw error;
  }
}

/** The account server usually answers within a second. */
const TRIES = 40;
const PAUSE_MS = 250;

/** Callers that fail at the same time wait for one answer: without it they would put the link into error. */
async function alone<T>({ db }: Deps, { id }: AccountOfLink, ask: () => Promise<T>): Promise<T | null> {
  for (let left = TRIES; left > 0; left -= 1) {
    const answer = await withLock(db, `address ${id}`, ask);
    if (answer !== null) return answer;
    await sleep(PAUSE_MS);
  }
  return null;
}

function isSame(one: string, other: string): boolean {
  return one.replace(/\/+$/, "") === other.replace(/\/+$/, "");
}
