import type { Message } from "../support/docusign/connect-post.ts";
import type { World } from "../support/world.ts";
import { type Cast, castPeople, GROUPS, TENANTS } from "./cast.ts";
import type { PlayedEnvelope, PlayedLink } from "./model.ts";
import type { WorldPlan } from "./moves.ts";
import type { Ending } from "./windows.ts";

/** A contract that was seen and must not change. */
export type SeenContract = {
  readonly id: string;
  readonly envelopeId: string;
  readonly documentId: string;
  readonly groupId: string;
  readonly linkId: string;
  isDeleted: boolean;
};

export type Tenant = {
  readonly name: string;
  readonly contracts: SeenContract[];
  /** The change feed as it was read last: `type id`, in its order. */
  feed: readonly string[];
  readonly groups: Set<string>;
  readonly links: PlayedLink[];
  readonly endings: Ending[];
  /** The unended link, as far as it is known. */
  current: Current | null;
};

export type Current = {
  readonly link: PlayedLink;
  groupId: string;
  /** DocuSign refuses its tokens. */
  revoked: boolean;
  /** A large import that the owner has not approved. */
  awaitsApproval: boolean;
  sureUntil: Date | null;
  isPaused: boolean;
};

/** Everything that happened so far, for the model and for the story. */
export type Stage = {
  readonly world: World;
  readonly plan: WorldPlan;
  readonly cast: Cast;
  readonly envelopes: PlayedEnvelope[];
  readonly tenants: readonly Tenant[];
  readonly story: string[];
  /** Faults occur only while it is bad. */
  readonly weather: { isBad: boolean };
  /** Events that come later than those after them. */
  readonly late: Message[];
  /** By account id: no calls before. */
  readonly squeezedUntil: Map<string, Date>;
  /** By account id: calls that other integrations made in this hour. */
  readonly spent: Map<string, { readonly hour: number; readonly calls: number }>;
  /** Users who are DS Admin no more, and who are closed. */
  readonly demoted: Set<string>;
  readonly closed: Set<string>;
  /** A worker died, or DocuSign failed, since all was well. */
  isDisturbed: boolean;
};

/** A new world in which the tenants have only their groups. */
export async function openStage(world: World, plan: WorldPlan): Promise<Stage> {
  const { docusign } = world;
  // DocuSign does not document if an old refresh token survives; a worker's death between the two must not matter here.
  docusign.keepOldRefreshTokens();
  docusign.holdDeliveries();
  if (plan.hourly !== null) docusign.setLimits({ hourly: plan.hourly });
  for (const tenant of TENANTS) {
    const api = await world.api(tenant);
    for (const group of GROUPS) await api.send("PUT", `/v1/groups/${group}`, { name: group });
  }
  return {
    world,
    plan,
    cast: castPeople(world, plan.plans),
    envelopes: [],
    tenants: TENANTS.map((name) => ({
      name,
      contracts: [],
      feed: [],
      groups: new Set<string>(GROUPS),
      links: [],
      endings: [],
      current: null,
    })),
    story: [],
    weather: { isBad: false },
    late: [],
    squeezedUntil: new Map(),
    spent: new Map(),
    demoted: new Set(),
    closed: new Set(),
    isDisturbed: false,
  };
}

/** A sentence of the story, with the clock's minute. */
export function tell({ story, world }: Stage, sentence: string): void {
  story.push(`${world.clock.now.toISOString().slice(5, 16).replace("T", " ")}  ${sentence}`);
}

/** Returns the item at the index modulo the length; undefined if there is none. */
export function pick<Thing>(things: readonly Thing[], number: number): Thing | undefined {
  return things[number % Math.max(1, things.length)];
}

/** Like `pick` for a list that is never empty. */
export function pickOf<Thing>(things: readonly Thing[], number: number): Thing {
  const thing = pick(things, number);
  if (thing === undefined) throw new Error("there is nothing to pick from");
  return thing;
}

/** True if the account's calls are refused, or so few are left that imports may wait for the next hour. */
export function isSqueezed({ squeezedUntil, world, plan, spent }: Stage, account: string): boolean {
  const now = world.clock.now;
  if ((squeezedUntil.get(account) ?? now) > now) return true;
  if (plan.hourly === null) return false;
  const hour = hourOf(now);
  const own = world.docusign.calls.filter((call) => call.accountId === account && hourOf(call.at) === hour);
  const others = spent.get(account);
  const calls = own.length + (others?.hour === hour ? others.calls : 0);
  return calls > plan.hourly * 0.6;
}

export function hourOf(moment: Date): number {
  return Math.floor(moment.getTime() / 3_600_000);
}

/** The causes that keep the link from importing; empty if there are none. */
export function troublesOf({ demoted, closed }: Stage, tenant: Tenant): string[] {
  const { current } = tenant;
  if (current === null) return [];
  const { userId } = current.link.user;
  return [
    ...(current.revoked ? ["authorization-revoked"] : []),
    ...(demoted.has(userId) ? ["not-admin"] : []),
    ...(closed.has(userId) ? ["authorization-revoked", "not-admin"] : []),
    ...(tenant.groups.has(current.groupId) ? [] : ["group-missing"]),
  ];
}
