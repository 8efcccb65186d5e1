import { randomUUID } from "node:crypto";
import type { DocuSignAccount } from "../../docusign/api/account.ts";
import { DocuSignFault, isUnfinished } from "../../docusign/faults/faults.ts";
import type { DocuSignUser, Tokens } from "../../docusign/oauth.ts";
import { isDsAdmin } from "../../domain/admin.ts";
import { type LinkId, parseUuid } from "../../domain/identifiers.ts";
import type { Database } from "../../store/database.ts";
import { isUniqueViolation } from "../../store/database-errors.ts";
import { recordAudit } from "../../store/links/audit.ts";
import { hasGroup } from "../../store/links/groups.ts";
import { storeTokens } from "../../store/links/link-tokens.ts";
import { changeLink, lockLink, storeLink } from "../../store/links/link-writes.ts";
import { type Linking, takeLinking } from "../../store/links/linkings.ts";
import { findCurrentLink, findLink, type Link } from "../../store/links/links.ts";
import { enqueueReconciliation } from "../../store/queue/queue.ts";
import { toLinkTokens } from "../account/link-tokens.ts";
import type { Uses } from "../capabilities.ts";
import { ensureConnect } from "../health/ensure-connect.ts";
import { recoverLink } from "../health/link-health.ts";
import { hashState, type Owner } from "./begin-linking.ts";
import { countCompleted } from "./count-completed.ts";
import { startsOn } from "./start-date.ts";

type Deps = Uses<
  | "adminProfiles"
  | "db"
  | "largeImport"
  | "log"
  | "now"
  | "oauth"
  | "openAccount"
  | "openWithToken"
  | "publicUrl"
  | "vault"
>;

/** The results of a return from DocuSign's login (service.md). */
export type LinkingResult =
  | "linked"
  | "awaiting-approval"
  | "not-admin"
  | "group-not-found"
  | "link-not-found"
  | "already-linked"
  | "cancelled"
  | "expired"
  | "failed";

export type Return = { readonly state: string; readonly code: string | null; readonly error: string | null };

export type FinishedLinking = {
  readonly result: LinkingResult;
  /** The address in the cabinet that the linking named; null for the page. */
  readonly returnTo: string | null;
};

/**
 * Finishes a linking that this owner began. Consumes the linking first, so that each return counts once. Refusals and
 * errors before the link's commit leave no trace (import-rules 5).
 */
export async function finishLinking(deps: Deps, owner: Owner, returned: Return): Promise<FinishedLinking> {
  const linking = await takeLinking(deps.db, deps.vault, hashState(returned.state), owner);
  if (linking === null || linking.expiresAt <= deps.now()) return { result: "expired", returnTo: null };
  return { result: await finish(deps, { owner, linking }, returned), returnTo: linking.returnTo };
}

async function finish(
  deps: Deps,
  { owner, linking }: Omit<Login, "tokens">,
  returned: Return,
): Promise<LinkingResult> {
  if (returned.error !== null) return returned.error === "access_denied" ? "cancelled" : "failed";
  if (returned.code === null) return "failed";
  try {
    const tokens = await deps.oauth.exchangeCode({ code: returned.code, codeVerifier: linking.codeVerifier });
    return await linkUser(deps, { owner, linking, tokens });
  } catch (error) {
    if (!(error instanceof DocuSignFault)) throw error;
    deps.log.warn({ tenant: owner.tenant, fault: error.code, kind: error.kind }, "linking failed");
    return error.kind === "not-permitted" ? "not-admin" : "failed";
  }
}

type Login = { readonly owner: Owner; readonly linking: Linking; readonly tokens: Tokens };

type Candidate = Login & {
  readonly user: DocuSignUser;
  readonly account: DocuSignUser["accounts"][number];
  readonly docusign: DocuSignAccount;
};

async function linkUser(deps: Deps, login: Login): Promise<LinkingResult> {
  const { linking, tokens } = login;
  const user = await deps.oauth.getUserInfo(tokens.accessToken);
  const account = user.accounts.find((one) => one.isDefault);
  if (account === undefined) return "not-admin";
  const docusign = deps.openWithToken(account, tokens.accessToken);
  if (!isDsAdmin(await docusign.getUser(user.userId), deps.adminProfiles)) return "not-admin";

  const candidate = { ...login, user, account, docusign };
  const current = await findCurrentLink(deps.db, linking.tenant);
  if (current === null) return await createLink(deps, candidate);
  const same = current.user.id === user.userId && current.account.id === account.accountId;
  return current.state === "error" && same ? await repairLink(deps, candidate, current.id) : "already-linked";
}

async function createLink(
  deps: Uses<"db" | "largeImport" | "log" | "now" | "openAccount" | "publicUrl" | "vault">,
  candidate: Candidate,
): Promise<LinkingResult> {
  const total = await countUnlessUnfinished(deps, candidate);
  const id = newLinkId();
  const large = total !== null && total >= deps.largeImport;
  try {
    if ((await commitLink(deps, candidate, { id, total, large })) === "group-not-found")
      return "group-not-found";
  } catch (error) {
    if (isUniqueViolation(error, "link_one_at_a_time")) return "already-linked";
    throw error;
  }
  await connectLink(deps, id);
  return large ? "awaiting-approval" : "linked";
}

/** Null if DocuSign cannot finish the count. The first listing then counts. */
async function countUnlessUnfinished(
  { largeImport, log, now }: Uses<"largeImport" | "log" | "now">,
  { docusign, linking }: Candidate,
): Promise<number | null> {
  try {
    return await countCompleted(docusign, { to: now(), enough: largeImport });
  } catch (error) {
    if (!(error instanceof DocuSignFault) || !isUnfinished(error)) throw error;
    log.warn(
      { tenant: linking.tenant, fault: error.code },
      "DocuSign could not finish the count of a linking",
    );
    return null;
  }
}

async function commitLink(
  deps: Uses<"db" | "now" | "vault">,
  { owner, linking, tokens, user, account }: Candidate,
  { id, total, large }: { id: LinkId; total: number | null; large: boolean },
): Promise<"linked" | "group-not-found"> {
  const now = deps.now();
  return await deps.db.transaction().execute(async (tx) => {
    if (!(await hasGroup(tx, linking.tenant, linking.groupId))) return "group-not-found";
    const next = { tenant: linking.tenant, accountId: account.accountId, userId: user.userId };
    await storeLink(tx, {
      id,
      tenant: linking.tenant,
      groupId: linking.groupId,
      state: large ? "awaiting-approval" : "active",
      account: { id: account.accountId, name: account.name, baseUri: account.baseUri },
      user: { id: user.userId, name: user.name, email: user.email },
      linkedAt: now,
      ...(await startsOn(tx, next, linking.from)),
      certificates: linking.certificates,
      approval: large ? "awaited" : "not-needed",
      connect: { sent: "pending", received: "pending", sentId: null, receivedId: null },
      firstImportTotal: total,
    });
    await storeTokens(tx, deps.vault, { linkId: id, tokens: toLinkTokens(tokens, now), now });
    await changeLink(tx, id, { checkedAt: now });
    const details = { groupId: linking.groupId, accountId: account.accountId, userId: user.userId };
    await recordAudit(tx, {
      tenant: linking.tenant,
      linkId: id,
      at: now,
      by: owner,
      action: "linked",
      details,
    });
    if (!large) await enqueueReconciliation(tx, { linkId: id, hour: now, runAt: null, first: true });
    return "linked";
  });
}

/** The same user logged in to the same account again: resumes the link and fills its gap (import-rules 5). */
async function repairLink(
  deps: Uses<"db" | "log" | "now" | "openAccount" | "publicUrl" | "vault">,
  candidate: Candidate,
  id: LinkId,
): Promise<LinkingResult> {
  const result = await deps.db.transaction().execute(async (tx) => {
    const link = await lockLink(tx, id, "update");
    if (link === null || link.state === "ended") return "link-not-found";
    if (!(await hasGroup(tx, link.tenant, candidate.linking.groupId))) return "group-not-found";
    await commitRepair(deps, tx, candidate, link);
    return link.approval === "awaited" ? "awaiting-approval" : "linked";
  });
  if (result === "linked" || result === "awaiting-approval") await connectLink(deps, id);
  return result;
}

async function commitRepair(
  deps: Uses<"now" | "vault">,
  tx: Database,
  { owner, linking, tokens, user, account }: Candidate,
  link: Link,
): Promise<void> {
  const now = deps.now();
  await storeTokens(tx, deps.vault, { linkId: link.id, tokens: toLinkTokens(tokens, now), now });
  await changeLink(tx, link.id, { groupId: linking.groupId, account, user, checkedAt: now });
  await recoverLink(tx, link, now);
  await recordAudit(tx, {
    tenant: link.tenant,
    linkId: link.id,
    at: now,
    by: owner,
    action: "repaired",
    details: { groupId: linking.groupId, cause: link.cause },
  });
}

/** Connect is optional: the next reconciliation creates what DocuSign does not create now. */
async function connectLink(
  deps: Uses<"db" | "log" | "now" | "openAccount" | "publicUrl">,
  id: LinkId,
): Promise<void> {
  const link = await findLink(deps.db, id);
  if (link === null) return;
  await ensureConnect(deps, link, deps.openAccount(link, undefined, "person"));
}

function newLinkId(): LinkId {
  const id = parseUuid<LinkId>(randomUUID());
  if (id === null) throw new Error("randomUUID returned an invalid UUID");
  return id;
}
