import assert from "node:assert/strict";
import type { User } from "./docusign/state.ts";
import { type Companies, endLink } from "./linked-world.ts";
import type { World } from "./world.ts";

/** Another DS Admin of the account. */
export function addAdmin({ world, account }: Companies, name: string): User {
  return world.docusign.addUser(account, { name, role: "DS Admin" });
}

/** Ends the tenant's link and links the user, without any time between; then the first import is through. */
export async function relink(world: World, user: User): Promise<void> {
  assert.equal((await endLink(world)).status, 204);
  assert.equal(await world.link(user), "linked");
  await world.runJobs();
}
