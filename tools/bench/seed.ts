import { randomUUID } from "node:crypto";
import { type RawBuilder, sql } from "kysely";
import type { LinkId } from "../../src/domain/identifiers.ts";
import { parseUuid } from "../../src/domain/identifiers.ts";
import type { Database } from "../../src/store/database.ts";
import { storeTokens } from "../../src/store/links/link-tokens.ts";
import { createVault } from "../../src/store/links/vault.ts";

/** A user who has let the service in, as the simulator knows them. */
export type LinkedUser = {
  readonly accountId: string;
  readonly userId: string;
  readonly email: string;
  readonly baseUri: string;
  readonly accessToken: string;
  readonly refreshToken: string;
};

export type SeededLink = { readonly id: LinkId; readonly tenant: string; readonly user: LinkedUser };

export const ENCRYPTION_KEY = { id: "bench", key: Buffer.alloc(32, 7) };

const LINKED_FOR_MS = 30 * 24 * 60 * 60 * 1000;
const HOUR_MS = 60 * 60 * 1000;

/**
 * Links as they are once their first import is through and hours have passed: of these users, of users whom no DocuSign
 * knows, or the very same as in another database.
 */
export async function addLinks(
  db: Database,
  wish: number | readonly LinkedUser[] | readonly SeededLink[],
): Promise<SeededLink[]> {
  const users = typeof wish === "number" ? Array.from({ length: wish }, strangeUser) : wish;
  const links = users.map((user, index) =>
    "tenant" in user ? user : { id: parseUuid<LinkId>(randomUUID())!, tenant: `tenant-${index + 1}`, user },
  );
  await insertLinks(db, links);
  const vault = createVault([ENCRYPTION_KEY]);
  const now = new Date();
  for (const { id, user } of links) {
    const tokens = { ...user, accessExpiresAt: new Date(now.getTime() + 8 * HOUR_MS) };
    await storeTokens(db, vault, { linkId: id, tokens, now });
  }
  return links;
}

function strangeUser(): LinkedUser {
  return {
    accountId: randomUUID(),
    userId: randomUUID(),
    email: "user@example.com",
    baseUri: "http://127.0.0.1:9",
    accessToken: "none",
    refreshToken: "none",
  };
}

async function insertLinks(db: Database, links: readonly SeededLink[]): Promise<void> {
  const now = Date.now();
  const linkedAt = new Date(now - LINKED_FOR_MS);
  const reached = new Date(Math.floor(now / HOUR_MS) * HOUR_MS - HOUR_MS);
  await sql`
    insert into cabinet_group (tenant, id, name, created_at)
    select unnest(${links.map(({ tenant }) => tenant)}::text[]), 'group-1', '契約書', ${linkedAt}`.execute(
    db,
  );
  await sql`
    insert into link (
      id, tenant, group_id, state, account_id, account_name, base_uri, user_id, user_name, user_email, linked_at,
      sent_from, received_from, sent_reached, received_reached, approval, first_import_total,
      first_import_started_at, first_import_listed_at, first_import_done_at, checked_at, fully_checked_at,
      colleague_sent_at, connect_sent, connect_received, connect_sent_id, connect_received_id
    )
    select id, tenant, 'group-1', 'active', account_id, '甲', base_uri, user_id, '山田', email, ${linkedAt},
      ${linkedAt}::timestamptz, ${linkedAt}::timestamptz, ${reached}::timestamptz, ${reached}::timestamptz, 'not-needed', 0,
      ${linkedAt}::timestamptz, ${linkedAt}::timestamptz, ${linkedAt}::timestamptz, ${new Date(now)}::timestamptz, ${new Date(now)}::timestamptz,
      ${reached}::timestamptz, 'active', 'active', '1', '2'
    from unnest(
      ${links.map(({ id }) => id)}::uuid[], ${links.map(({ tenant }) => tenant)}::text[],
      ${links.map(({ user }) => user.accountId)}::uuid[], ${links.map(({ user }) => user.baseUri)}::text[],
      ${links.map(({ user }) => user.userId)}::uuid[], ${links.map(({ user }) => user.email)}::text[]
    ) as t (id, tenant, account_id, base_uri, user_id, email)`.execute(db);
}

/** Makes a link one whose first import has not begun. */
export async function restartFirstImport(db: Database, link: SeededLink): Promise<void> {
  await sql`
    update link set first_import_started_at = null, first_import_listed_at = null, first_import_done_at = null,
      sent_reached = null, received_reached = null, colleague_sent_at = null
    where id = ${link.id}`.execute(db);
}

/** Settled lines of the ledger, spread evenly over the links and over their time. */
export async function addLedger(db: Database, links: readonly SeededLink[], rows: number): Promise<void> {
  const each = Math.round(rows / links.length);
  await sql`
    insert into envelope (
      tenant, envelope_id, link_id, state, reason, completed_at, facts, found_by, found_at, decided_at, attempts, last_attempt_at
    )
    select tenant, gen_random_uuid(), id,
      case when n % 10 = 0 then 'excluded' else 'imported' end, case when n % 10 = 0 then 'not-ours' else 'sent' end,
      at, '{"senderAccount": "00000000-0000-4000-8000-000000000000"}', 'event', at, at, 1, at
    from unnest(${links.map(({ tenant }) => tenant)}::text[], ${links.map(({ id }) => id)}::uuid[]) as link (tenant, id),
      generate_series(1, ${each}::int) as n,
      lateral (select now() - interval '2 days' - n * interval '28 days' / ${each}::int as at) as moment`.execute(
    db,
  );
}

/** Makes known, as imported, one envelope of each link that DocuSign has too. */
export async function addKnown(
  db: Database,
  links: readonly SeededLink[],
  envelopeIds: readonly string[],
  completedAt: Date,
): Promise<void> {
  await sql`
    insert into envelope (tenant, envelope_id, link_id, state, reason, completed_at, found_by, found_at, decided_at)
    select tenant, envelope_id, link_id, 'imported', 'sent', ${completedAt}, 'event', ${completedAt}, ${completedAt}
    from unnest(
      ${links.map(({ tenant }) => tenant)}::text[], ${envelopeIds}::uuid[], ${links.map(({ id }) => id)}::uuid[]
    ) as t (tenant, envelope_id, link_id)`.execute(db);
}

const FILE_NAME = sql<string>`'業務委託契約書 ' || n || '.pdf'`;

/** Contracts of one tenant, imported one after the other into ten groups. A name is made of the number `n` of its contract. */
export async function addContracts(
  db: Database,
  link: SeededLink,
  rows: number,
  fileName: RawBuilder<string> = FILE_NAME,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    // The envelopes that they came of are nothing to those who read pages.
    await sql`set local session_replication_role = replica`.execute(tx);
    await sql`
      insert into contract (
        id, tenant, envelope_id, document_id, link_id, group_id, file_name, concluded_on, completed_at, account_id,
        subject, pages, bytes, sha256, document_key, imported_at, deleted_at
      )
      select gen_random_uuid(), ${link.tenant}, gen_random_uuid(), '1', ${link.id}, 'group-' || n % 10,
        ${fileName}, (at at time zone 'Asia/Tokyo')::date, at, ${link.user.accountId}::uuid,
        '業務委託契約書のご確認', 3, 123456, repeat('0', 64), 'contracts/' || n, at, case when n % 50 = 0 then at end
      from generate_series(1, ${rows}::int) as n,
        lateral (select now() - (${rows}::int - n) * interval '5 years' / ${rows}::int as at) as moment`.execute(
      tx,
    );
  });
}

/** As autovacuum leaves tables that have stood for a while. */
export async function settleTables(db: Database): Promise<void> {
  await sql`vacuum (analyze) envelope, contract, link, link_token, cabinet_group`.execute(db);
}
