import { type Kysely, sql } from "kysely";

/**
 * Lets a reconciliation count each envelope once even if pages overlap, and record differences from DocuSign's count.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table reconciliation
    add column counted_ids uuid[] not null default '{}',
    add column unannounced int not null default 0,
    add column unreadable int not null default 0,
    add column docusign_count int not null default 0,
    add column rows_seen int not null default 0,
    add column unlisted int not null default 0,
    add column unlisted_ids uuid[] not null default '{}',
    add column difference jsonb`,
  `comment on column reconciliation.counted_ids is 'envelopes that the next page lists again: they are counted already'`,
  `comment on column reconciliation.unannounced is 'missed ones of which an active Connect configuration should have told'`,
  `comment on column reconciliation.docusign_count is 'rows of both sides as DocuSign counted them when the side began'`,
  `comment on column reconciliation.rows_seen is 'rows of both sides that were listed, each once'`,
  `comment on column reconciliation.unlisted is 'full checks: envelopes of the ledger that DocuSign no longer lists'`,
  `comment on column reconciliation.unlisted_ids is 'the first of them'`,
  `comment on column reconciliation.difference is 'full checks: what differs between the ledger and DocuSign; null where nothing does'`,

  `create index envelope_of_link_by_completion on envelope (link_id, completed_at)`,
  `create index envelope_waiting_by_finding on envelope (link_id, found_at) where state = 'waiting'`,
];
