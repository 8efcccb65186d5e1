import type { DocuSignAccount } from "../../docusign/api/account.ts";
import type {
  ConnectConfiguration,
  ListedConnectConfiguration,
} from "../../docusign/api/connect-configuration.ts";
import {
  DocuSignFault,
  deniesRight,
  isOurCredentialsFault,
  isTransient,
  unlessRefused,
} from "../../docusign/faults/faults.ts";
import { isSameAddress } from "../../docusign/wire/addresses.ts";
import type { Database } from "../../store/database.ts";
import { changeLink } from "../../store/links/link-writes.ts";
import type { ConnectSide, ConnectState, Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";

type Type = ConnectConfiguration["type"];
type SideState = { readonly state: ConnectSide; readonly id: string | null };
type TypedConfiguration = { readonly type: Type; readonly state: string; readonly id: string | null };

/**
 * Creates the link's Connect configurations, or finds and repairs existing ones (design decisions 1 and 2). If the
 * account has no Connect, or someone switched ours off, records that; the link then relies on reconciliation
 * (import-rules 5). DocuSign's refusals here do not change the link's own state.
 */
export async function ensureConnect(
  deps: Uses<"db" | "log" | "publicUrl">,
  link: Link,
  account: DocuSignAccount,
): Promise<ConnectState> {
  const { connect: before } = link;
  const sent = await ensureSide(deps, link, account, {
    type: "custom",
    state: before.sent,
    id: before.sentId,
  });
  const received = await ensureSide(deps, link, account, {
    type: "customrecipient",
    state: before.received,
    id: before.receivedId,
  });
  const connect = { sent: sent.state, sentId: sent.id, received: received.state, receivedId: received.id };
  await changeLink(deps.db, link.id, { connect });
  return connect;
}

async function ensureSide(
  deps: Uses<"log" | "publicUrl">,
  link: Link,
  account: DocuSignAccount,
  before: TypedConfiguration,
): Promise<SideState> {
  const { type } = before;
  try {
    const wanted = wantedConfiguration(deps.publicUrl, link, before);
    const existing = findOurs(await account.listConnectConfigurations(), wanted);
    return existing === null ? await create(account, wanted) : await repair(account, wanted, existing);
  } catch (error) {
    if (!(error instanceof DocuSignFault)) throw error;
    deps.log.warn({ linkId: link.id, type, fault: error.code }, "Connect configuration not created");
    // Keep the id: an existing configuration must be removed when the link ends.
    const isUnsure = isTransient(error) || isOurCredentialsFault(error);
    return { state: isUnsure ? unsure(before.state) : "not-available", id: before.id };
  }
}

/** Prefers the configuration with the id we stored over others with our address. */
function findOurs(
  listed: readonly ListedConnectConfiguration[],
  wanted: ConnectConfiguration,
): ListedConnectConfiguration | null {
  const ours = listed.filter((one) => isOurs(one, wanted));
  return ours.find(({ id }) => id === wanted.id) ?? ours[0] ?? null;
}

/**
 * Matches by address first. DocuSign may list an address in another form or not at all; then the stored id matches. A
 * different name rules that match out, because DocuSign may reuse the id of a removed configuration.
 */
function isOurs(listed: ListedConnectConfiguration, wanted: ConnectConfiguration): boolean {
  if (listed.type !== wanted.type) return false;
  if (isSameAddress(listed.url, wanted.url)) return true;
  return listed.id === wanted.id && (listed.name ?? wanted.name) === wanted.name;
}

/**
 * A transient fault, or a rejection of our own credentials, proves nothing about the configuration. Keeps what a
 * person or the plan decided; anything else becomes pending, for the next check.
 */
function unsure(state: string): ConnectSide {
  return state === "switched-off" || state === "not-available" ? state : "pending";
}

/** Marks the configurations as pending, so that the next reconciliation checks them. */
export async function leavePending(db: Database, { id, connect }: Link): Promise<void> {
  const { sent, received } = connect;
  await changeLink(db, id, { connect: { ...connect, sent: unsure(sent), received: unsure(received) } });
}

async function create(account: DocuSignAccount, wanted: ConnectConfiguration): Promise<SideState> {
  const { id } = await account.createConnectConfiguration(wanted);
  return { state: wanted.enabled ? "active" : "switched-off", id };
}

/** Leaves a configuration off if someone switched it off, even when the listing omits `enabled`. */
async function repair(
  account: DocuSignAccount,
  wanted: ConnectConfiguration,
  existing: ListedConnectConfiguration,
): Promise<SideState> {
  const { id, enabled, intact, url } = existing;
  if (!(enabled ?? wanted.enabled)) return { state: "switched-off", id };
  const isElsewhere = url !== null && !isSameAddress(url, wanted.url);
  if (!intact || isElsewhere) await account.updateConnectConfiguration({ ...wanted, id, enabled: true });
  return { state: "active", id };
}

/** The configuration as it should be, under its stored id. */
function wantedConfiguration(
  publicUrl: string,
  link: Link,
  { type, id, state }: TypedConfiguration,
): ConnectConfiguration {
  return {
    id,
    type,
    name: `torikomi ${type === "custom" ? "sent" : "received"}`,
    url: addressOf(publicUrl, link),
    enabled: state !== "switched-off",
    userIds: type === "custom" ? [] : [link.user.id],
  };
}

function addressOf(publicUrl: string, { id }: Pick<Link, "id">): string {
  return `${publicUrl}/connect/${id}`;
}

/**
 * Removes the link's configurations from DocuSign. A refusal (authorization gone, no longer admin) does not stop the
 * deletion (service.md, settled details).
 * Throws the fault if DocuSign is unreachable, rejects our credentials, or does not remove what the user may remove: a
 * deletion never half-happens (import-rules 5).
 */
export async function removeConnect(
  { publicUrl }: Uses<"publicUrl">,
  link: Link,
  account: DocuSignAccount,
): Promise<void> {
  const { sent, received, sentId, receivedId } = link.connect;
  // DocuSign may have created a pending configuration without answering.
  const isSure = sent !== "pending" && received !== "pending";
  const found = isSure ? [] : ((await unlessRefused(account.listConnectConfigurations())) ?? []);
  const ours = found.filter(({ url }) => isSameAddress(url, addressOf(publicUrl, link))).map(({ id }) => id);
  const ids = new Set([sentId, receivedId, ...ours].filter((id) => id !== null));
  for (const id of ids) await removeUnlessDenied(account, id);
}

async function removeUnlessDenied(account: DocuSignAccount, id: string): Promise<void> {
  try {
    await account.deleteConnectConfiguration(id);
  } catch (error) {
    if (!(error instanceof DocuSignFault) || !deniesRight(error)) throw error;
  }
}
