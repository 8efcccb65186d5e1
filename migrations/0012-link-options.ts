import { type Kysely, sql } from "kysely";

/** Links get a start date, certificates of completion and a pause; a linking can return to the cabinet. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

// The trigger of migration 0007 knows these columns of links by name.
const STATEMENTS = [
  `alter table link
    add column start_date date,
    add column certificates boolean not null default false,
    add column paused_at timestamptz(3)`,
  `comment on column link.start_date is 'date in Japan from which the owner imports; sent_from and received_from include it'`,
  `comment on column link.certificates is 'imports fetch the certificate of completion too'`,
  `comment on column link.paused_at is 'when the owner paused it; its state stays that of an unpaused link, which version 0.1 knows'`,
  `alter table linking
    add column start_date date,
    add column certificates boolean not null default false,
    add column return_to text`,
  `comment on column linking.return_to is 'address in the cabinet to which the browser returns; null means the page'`,
];
