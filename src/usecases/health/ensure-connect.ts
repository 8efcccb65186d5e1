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
 * Makes the link's Connect configurations, or finds again and mends those that it has (design decisions 1 and 2).
 * Where the account has no Connect, or someone switched ours off, the link says so and lives by reconciliation
 * (import-rules 5). Whatever DocuSign refuses here says nothing about the link itself.
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
    return existing === null ? await make(account, wanted) : await mend(account, wanted, existing);
  } catch (error) {
    if (!(error instanceof DocuSignFault)) throw error;
    deps.log.warn({ linkId: link.id, type, fault: error.code }, "Connect configuration not made");
    // What is there still has to be removed when the link ends.
    const isUnsaid = isTransient(error) || isOurCredentialsFault(error);
    return { state: isUnsaid ? unsure(before.state) : "not-available", id: before.id };
  }
}

/** The one whose id we know comes before others at our address. */
function findOurs(
  listed: readonly ListedConnectConfiguration[],
  wanted: ConnectConfiguration,
): ListedConnectConfiguration | null {
  const ours = listed.filter((one) => isOurs(one, wanted));
  return ours.find(({ id }) => id === wanted.id) ?? ours[0] ?? null;
}

/**
 * An address may be listed otherwise than we wrote it, or not at all: then the id that we know tells, unless the name
 * is another, as nothing says that the id of a removed configuration is never given to somebody else's.
 */
function isOurs(listed: ListedConnectConfiguration, wanted: ConnectConfiguration): boolean {
  if (listed.type !== wanted.type) return false;
  if (isSameAddress(listed.url, wanted.url)) return true;
  return listed.id === wanted.id && (listed.name ?? wanted.name) === wanted.name;
}

/** Silence, or not being let in, says nothing against a will, nor against a plan without Connect: the next look asks again. */
function unsure(state: string): ConnectSide {
  return state === "switched-off" || state === "not-available" ? state : "pending";
}

/** Leaves it to the next reconciliation to see what there is of the link's configurations. */
export async function leavePending(db: Database, { id, connect }: Link): Promise<void> {
  const { sent, received } = connect;
  await changeLink(db, id, { connect: { ...connect, sent: unsure(sent), received: unsure(received) } });
}

async function make(account: DocuSignAccount, wanted: ConnectConfiguration): Promise<SideState> {
  const { id } = await account.createConnectConfiguration(wanted);
  return { state: wanted.enabled ? "active" : "switched-off", id };
}

/** What someone switched off stays off, shown or not: it was their will. */
async function mend(
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

/** As it is to be, under the id that it was known by. */
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
 * Removes the link's configurations at DocuSign. A refusal (authorisation gone, no longer admin) does not stop a
 * deletion (service.md, settled details); throws the fault where DocuSign cannot be reached, takes no call of ours,
 * or does not remove what the user may remove: a deletion never half-happens (import-rules 5).
 */
export async function removeConnect(
  { publicUrl }: Uses<"publicUrl">,
  link: Link,
  account: DocuSignAccount,
): Promise<void> {
  const { sent, received, sentId, receivedId } = link.connect;
  // Of one that is pending DocuSign may have made what it never answered for.
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
