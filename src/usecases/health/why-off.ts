import type { DocuSignAccount } from "../../docusign/api/account.ts";
import type { ListedConnectConfiguration } from "../../docusign/api/connect-configuration.ts";
import { DocuSignFault } from "../../docusign/faults/faults.ts";
import { parseUuid, type UserId } from "../../domain/identifiers.ts";
import type { ConnectCheck, OffReason } from "../../store/links/connect-checks.ts";
import type { Link } from "../../store/links/links.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** DocuSign disables a configuration after days of failed deliveries, and keeps its failures for some time. */
const FAILURES_MS = 30 * DAY_MS;

/**
 * Finds out why a configuration is off. A person who is named decides, whatever failed. Without a name, failed deliveries
 * show that DocuSign disabled it; if there are none either, a person did.
 */
export async function whyOff(
  link: Link,
  account: DocuSignAccount,
  { id, isPaused, disabledBy }: ListedConnectConfiguration,
  now: Date,
): Promise<OffReason> {
  if (isPaused) return "paused";
  if (disabledBy !== null) return (await isOfAccount(link, account, disabledBy)) ? "person" : "docusign";
  const failed = await account.listFailedDeliveries({
    from: new Date(now.getTime() - FAILURES_MS),
    to: now,
  });
  return failed.includes(id) ? "deliveries-failed" : "person";
}

/** Returns true if torikomi may switch the configuration on: DocuSign disabled it, and a day has passed since. */
export function maySwitchOn({ off, enabledAt }: ConnectCheck, now: Date): boolean {
  const isDocuSigns = off === "docusign" || off === "deliveries-failed";
  return isDocuSigns && (enabledAt === null || enabledAt.getTime() + DAY_MS <= now.getTime());
}

const EMAIL = /[^\s<>()"',;]+@[^\s<>()"',;]+/;

/** Returns true if the text is the id, the name or the e-mail address of a user of the account. */
async function isOfAccount(link: Link, account: DocuSignAccount, text: string): Promise<boolean> {
  const id = parseUuid<UserId>(text.trim());
  if (id !== null) return id === link.user.id || (await hasUser(account, id));
  const email = EMAIL.exec(text)?.[0] ?? null;
  const wanted = plain(email ?? text);
  const isSame = (user: { readonly name: string | null; readonly email: string | null }): boolean =>
    plain(email === null ? user.name : user.email) === wanted;
  if (isSame(link.user)) return true;
  const users = await account.findUsers(email === null ? { nameContains: text.trim() } : { email });
  return users.some(isSame);
}

async function hasUser(account: DocuSignAccount, id: UserId): Promise<boolean> {
  try {
    await account.getUser(id);
    return true;
  } catch (error) {
    if (error instanceof DocuSignFault && error.kind === "not-found") return false;
    throw error;
  }
}

function plain(text: string | null): string {
  return (text ?? "").normalize("NFKC").trim().toLowerCase();
}
