import assert from "node:assert/strict";
import { sql } from "kysely";
import { createBrowser } from "./browser.ts";
import type { World } from "./world.ts";

/** Begins a linking as the owner of the tenant; returns the address that the browser is to be sent to. */
export async function begin(world: World, { tenant = "tenant-1", group = "group-1" } = {}): Promise<string> {
  const caller = await world.api(tenant);
  assert.equal((await caller.send("PUT", `/v1/groups/${group}`, { name: "契約書" })).status, 200);
  const { status, body } = await caller.send("POST", "/v1/link", { groupId: group });
  assert.equal(status, 201, JSON.stringify(body));
  return body.authorizationUrl;
}

/** The results of a linking, here and at DocuSign. */
export async function traces(world: World): Promise<Record<string, number>> {
  const { db } = world.service.foundation.working;
  const count = async (table: string): Promise<number> => {
    const { rows } = await sql<{ count: string }>`select count(*) from ${sql.table(table)}`.execute(db);
    return Number(rows[0]?.count);
  };
  const configurations = [...world.docusign.state.accounts.values()].flatMap((account) =>
    world.docusign.configurations(account),
  );
  return {
    begun: await count("linking"),
    links: await count("link"),
    tokens: await count("link_token"),
    audit: await count("audit"),
    jobs: await count("graphile_worker.jobs"),
    configurations: configurations.length,
  };
}

export const NO_TRACE = { begun: 0, links: 0, tokens: 0, audit: 0, jobs: 0, configurations: 0 };

/** Comes back from DocuSign in a browser of its own, signed in at the cabinet as the person. */
export async function comeBack(world: World, returnAddress: string, person = world.owner()): Promise<string> {
  world.cabinet.nextSignIn(person);
  const { trail } = await createBrowser().get(returnAddress);
  return trail.map((address) => new URL(address).searchParams.get("result")).findLast(Boolean) ?? "none";
}
