import type { DocuSignAccount } from "../docusign/account.ts";
import type { ConnectConfiguration, ListedConnectConfiguration } from "../docusign/connect-configuration.ts";
import { DocuSignFault } from "../docusign/faults.ts";
import { type ConnectState, changeLink, type Link } from "../store/links.ts";
import type { HealthDeps } from "./link-health.ts";

export type ConnectDeps = HealthDeps & {
  publicUrl: string;
  log: { warn(details: object, message: string): void };
};

type Type = ConnectConfiguration["type"];
type Side = { readonly state: string; readonly id: string | null };

/**
 * Makes the link's Connect configurations, or finds again and mends those that it has (design decisions 1 and 2).
 * Where the account has no Connect, or someone switched ours off, the link says so and lives by reconciliation
 * (import-rules 5). Throws only where the authorisation is gone.
 */
export async function ensureConnect(
  deps: ConnectDeps,
  link: Link,
  account: DocuSignAccount,
): Promise<ConnectState> {
  const sent = await ensureSide(deps, link, account, "custom");
  const received = await ensureSide(deps, link, account, "customrecipient");
  const connect = { sent: sent.state, sentId: sent.id, received: received.state, receivedId: received.id };
  await changeLink(deps.db, link.id, { connect });
  return connect;
}

async function ensureSide(
  deps: ConnectDeps,
  link: Link,
  account: DocuSignAccount,
  type: Type,
): Promise<Side> {
  try {
    const wanted = wantedConfiguration(deps.publicUrl, link, type);
    const existing = (await account.listConnectConfigurations()).find(
      (one) => one.type === type && one.url === wanted.url,
    );
    return existing === undefined
      ? { state: "active", id: (await account.createConnectConfiguration(wanted)).id }
      : await mend(account, wanted, existing);
  } catch (error) {
    if (!(error instanceof DocuSignFault) || error.kind === "authorization-gone") throw error;
    deps.log.warn({ linkId: link.id, type, fault: error.code }, "Connect configuration not made");
    return {
      state: error.kind === "later" || error.kind === "throttled" ? "pending" : "not-available",
      id: null,
    };
  }
}

/** What someone switched off stays off: it was their will. */
async function mend(
  account: DocuSignAccount,
  wanted: ConnectConfiguration,
  existing: ListedConnectConfiguration,
): Promise<Side> {
  if (!existing.enabled) return { state: "switched-off", id: existing.id };
  if (!existing.intact) await account.updateConnectConfiguration({ ...wanted, id: existing.id });
  return { state: "active", id: existing.id };
}

function wantedConfiguration(publicUrl: string, link: Link, type: Type): ConnectConfiguration {
  return {
    id: null,
    type,
    name: `torikomi ${type === "custom" ? "sent" : "received"}`,
    url: `${publicUrl}/connect/${link.id}`,
    enabled: true,
    userIds: type === "custom" ? [] : [link.user.id],
  };
}

/**
 * Removes the link's configurations at DocuSign. A refusal (authorisation gone, no longer admin) does not stop a
 * deletion (service.md, settled details); throws the fault where DocuSign cannot be reached.
 */
export async function removeConnect(link: Link, account: DocuSignAccount): Promise<void> {
  for (const id of [link.connect.sentId, link.connect.receivedId]) {
    if (id !== null) await removeUnlessRefused(account, id);
  }
}

async function removeUnlessRefused(account: DocuSignAccount, id: string): Promise<void> {
  try {
    await account.deleteConnectConfiguration(id);
  } catch (error) {
    const refused = error instanceof DocuSignFault && error.kind !== "later" && error.kind !== "throttled";
    if (!refused) throw error;
  }
}
