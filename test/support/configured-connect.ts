import type { Account } from "./docusign/state.ts";
import { linkOf } from "./linked-world.ts";
import { DAY_MS } from "./reconciling.ts";
import type { World } from "./world.ts";

export const BOTH_ACTIVE = { sent: "active", received: "active" };

/** Type and address of the account's configurations. */
export function configured(world: World, account: Account): string[] {
  return world.docusign
    .configurations(account)
    .map(({ configurationType, urlToPublishTo }) => `${configurationType} ${urlToPublishTo}`)
    .sort();
}

export async function ours(world: World, tenant?: string): Promise<string[]> {
  const url = `${world.url}/connect/${(await linkOf(world, tenant)).id}`;
  return [`custom ${url}`, `customrecipient ${url}`];
}

/** The next daily check of everything. */
export async function runNextDay(world: World): Promise<void> {
  world.clock.pass(DAY_MS);
  await world.runHour();
}
