import { type Kysely, sql } from "kysely";

/**
 * Adds to links the state of moved accounts, slow listings and configurations that are off. Envelopes
 * keep the members of signing groups.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table link
    add column address_asked_at timestamptz(3),
    add column uncounted boolean not null default false,
    add column listing_pace jsonb,
    add column listing_slow_since timestamptz(3),
    add column connect_sent_off text,
    add column connect_received_off text,
    add column connect_off_since timestamptz(3),
    add column connect_sent_enabled_at timestamptz(3),
    add column connect_received_enabled_at timestamptz(3)`,
  `comment on column link.address_asked_at is 'when DocuSign was last asked if the account moved to another site'`,
  `comment on column link.uncounted is 'true if DocuSign could not count the envelopes at linking, so that the first listing does'`,
  `comment on column link.listing_pace is 'how much a listing asks for at once; null means the maximum'`,
  `comment on column link.listing_slow_since is 'since when listings ask for less than the maximum'`,
  `comment on column link.connect_sent_off is 'why the configuration is off: person, paused, docusign or deliveries-failed; null if it is on'`,
  `comment on column link.connect_off_since is 'since when a configuration is off'`,
  `comment on column link.connect_sent_enabled_at is 'when the configuration was last switched on again'`,

  "alter table envelope add column group_members jsonb",
  `comment on column envelope.group_members is 'members of signing groups when the completed envelope was first judged; null if it has no group or was judged by version 0.1'`,
];
