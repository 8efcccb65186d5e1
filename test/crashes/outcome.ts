import { sql } from "kysely";
import { eraseOrphans } from "../../src/usecases/keeping/erase-orphans.ts";
import type { World } from "../support/world.ts";

/** The final state as a tenant, an operator and DocuSign see it, without random or time-dependent values. */
export async function tellOutcome(world: World) {
  return {
    contracts: await rowsOf(
      world,
      `select envelope_id, document_id, group_id, deleted_at is not null as deleted, erased_at is not null as erased
       from contract order by 1, 2`,
    ),
    ledger: await rowsOf(world, "select envelope_id, state, reason from envelope order by 1"),
    feed: await rowsOf(world, "select type, count(*)::int from change group by 1 order by 1"),
    events: await rowsOf(
      world,
      `select event, envelope_id, exists (select from event_body where slot = body_slot and event_id = id) as body
       from connect_event order by 1, 2`,
    ),
    links: await rowsOf(
      world,
      `select user_name, state, cause, connect_sent, connect_received, group_id,
         (select count(*)::int from link_token where link_id = link.id) as tokens,
         (select count(*)::int from reconciliation where link_id = link.id and state = 'running') as running
       from link order by linked_at, id`,
    ),
    leftOver: await rowsOf(world, "select task_identifier, last_error from graphile_worker.jobs"),
    linkings: (await rowsOf(world, "select 1 from linking")).length,
    configurations: await tellConfigurations(world),
    documents: await tellDocuments(world),
  };
}

async function rowsOf(world: World, query: string): Promise<unknown[]> {
  return (await sql.raw(query).execute(world.service.foundation.working.db)).rows;
}

/** Our configurations at DocuSign: those of existing links, and those without a link. */
async function tellConfigurations(world: World): Promise<{ type: string; of: string }[]> {
  const links = await world.service.foundation.working.db
    .selectFrom("link")
    .select(["id", "state"])
    .execute();
  const found = [...world.docusign.state.accounts.values()]
    .flatMap((account) => world.docusign.configurations(account))
    .map(({ configurationType: type, urlToPublishTo: url }) => {
      const link = links.find(({ id }) => url.endsWith(id));
      return { type, of: link === undefined ? "no link" : `a link that is ${link.state}` };
    });
  return found.sort((one, other) => one.type.localeCompare(other.type));
}

/** The state after the nightly orphan clean-up. */
async function tellDocuments(world: World): Promise<{ needed: number; missing: number; orphans: number }> {
  const { db, documents } = world.service.foundation.tasks;
  await eraseOrphans(world.service.foundation.tasks);
  const keys = (await Array.fromAsync(documents.list("contracts"))).map(({ key }) => key);
  const rows = await db
    .selectFrom("contract")
    .select("document_key")
    .where("erased_at", "is", null)
    .execute();
  const needed = rows.map((row) => row.document_key);
  return {
    needed: needed.length,
    missing: needed.filter((key) => !keys.includes(key)).length,
    orphans: keys.filter((key) => !needed.includes(key)).length,
  };
}
