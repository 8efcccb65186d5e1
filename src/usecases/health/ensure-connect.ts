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
import {
  type ConnectCheck,
  findConnectChecks,
  storeConnectChecks,
} from "../../store/links/connect-checks.ts";
import { changeLink } from "../../store/links/link-writes.ts";
import type { ConnectSide, ConnectState, Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { maySwitchOn, whyOff } from "./why-off.ts";

type Type = ConnectConfiguration["type"];
type SideState = { readonly state: ConnectSide; readonly id: string | null; readonly check: ConnectCheck };
type TypedConfiguration = {
  readonly type: Type;
  readonly state: string;
  readonly id: string | null;
  readonly check: ConnectCheck;
};
type Deps = Uses<"db" | "log" | "now" | "publicUrl">;

/**
 * Creates the link's Connect configurations, or finds and repairs existing ones (design decisions 1 and 2). If the
 * account has no Connect, or a person switched ours off, records that; the link then relies on reconciliation
 * (import-rules 5). Switches on what DocuSign disabled, once in 24 hours. DocuSign's refusals here do not change the
 * link's own state.
 */
export async function ensureConnect(deps: Deps, link: Link, account: DocuSignAccount): Promise<ConnectState> {
  const { connect: before } = link;
  const checks = await findConnectChecks(deps.db, link.id);
  const sent = await ensureSide(deps, link, account, {
    type: "custom",
    state: before.sent,
    id: before.sentId,
    check: checks.sent,
  });
  const received = await ensureSide(deps, link, account, {
    type: "customrecipient",
    state: before.received,
    id: before.receivedId,
    check: checks.received,
  });
  const connect = { sent: sent.state, sentId: sent.id, received: received.state, receivedId: received.id };
  await changeLink(deps.db, link.id, { connect });
  await storeConnectChecks(deps.db, link.id, { sent: sent.check, received: received.check }, deps.now());
  return connect;
}

async function ensureSide(
  deps: Deps,
  link: Link,
  account: DocuSignAccount,
  before: TypedConfiguration,
): Promise<SideState> {
  const { type } = before;
  try {
    const wanted = wantedConfiguration(deps.publicUrl, link, before);
    const existing = findOurs(await account.listConnectConfigurations(), wanted);
    if (existing === null) return await create(account, wanted, before);
    return await repair(deps, { link, account, wanted, before }, existing);
  } catch (error) {
    if (!(error instanceof DocuSignFault)) throw error;
    deps.log.warn({ linkId: link.id, type, fault: error.code }, "Connect configuration not created");
    // Keep the id: an existing configuration must be removed when the link ends.
    const isUnsure = isTransient(error) || isOurCredentialsFault(error);
    if (isUnsure) return { ...before, state: unsure(before.state) };
    return { ...before, state: "not-available", check: { ...before.check, off: null } };
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

async function create(
  account: DocuSignAccount,
  wanted: ConnectConfiguration,
  { check }: TypedConfiguration,
): Promise<SideState> {
  const { id } = await account.createConnectConfiguration(wanted);
  if (!wanted.enabled) return { state: "switched-off", id, check };
  return { state: "active", id, check: { ...check, off: null } };
}

type Repair = {
  readonly link: Link;
  readonly account: DocuSignAccount;
  readonly wanted: ConnectConfiguration;
  readonly before: TypedConfiguration;
};

/** Leaves a configuration off if a person switched it off, even when the listing omits `enabled`. */
async function repair(
  deps: Uses<"log" | "now">,
  work: Repair,
  existing: ListedConnectConfiguration,
): Promise<SideState> {
  const { account, wanted } = work;
  const { id, enabled, intact, url } = existing;
  if (!(enabled ?? wanted.enabled)) return await switchOn(deps, work, existing);
  const isElsewhere = url !== null && !isSameAddress(url, wanted.url);
  if (!intact || isElsewhere) await account.updateConnectConfiguration({ ...wanted, id, enabled: true });
  return { state: "active", id, check: { ...work.before.check, off: null } };
}

/** Switches a configuration on again if DocuSign disabled it. */
async function switchOn(
  { log, now }: Uses<"log" | "now">,
  { link, account, wanted, before }: Repair,
  existing: ListedConnectConfiguration,
): Promise<SideState> {
  const { id } = existing;
  const check = { ...before.check, off: await whyOff(link, account, existing, now()) };
  if (!maySwitchOn(check, now())) return { state: "switched-off", id, check };
  await account.updateConnectConfiguration({ ...wanted, id, enabled: true });
  log.warn(
    { linkId: link.id, type: wanted.type, reason: check.off },
    "Connect configuration switched on again",
  );
  return { state: "active", id, check: { off: null, enabledAt: now() } };
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
