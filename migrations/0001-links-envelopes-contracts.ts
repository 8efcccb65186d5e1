import { type Kysely, sql } from "kysely";

/** Initial schema. Unique constraints enforce each "once"; timestamps have milliseconds, as JavaScript dates do. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table cabinet_group (
    tenant text not null,
    id text not null,
    name text not null,
    created_at timestamptz(3) not null,
    deleted_at timestamptz(3),
    primary key (tenant, id)
  )`,

  `create table link (
    id uuid primary key,
    tenant text not null,
    group_id text not null,
    state text not null check (state in ('active', 'awaiting-approval', 'error', 'ended')),
    cause text,
    account_id uuid not null,
    account_name text not null,
    base_uri text not null,
    user_id uuid not null,
    user_name text not null,
    user_email text,
    linked_at timestamptz(3) not null,
    ended_at timestamptz(3),
    sent_from timestamptz(3),
    received_from timestamptz(3),
    sent_reached timestamptz(3),
    received_reached timestamptz(3),
    sent_until timestamptz(3),
    received_until timestamptz(3),
    approval text not null check (approval in ('not-needed', 'awaited', 'given')),
    first_import_total int,
    first_import_started_at timestamptz(3),
    first_import_listed_at timestamptz(3),
    first_import_done_at timestamptz(3),
    checked_at timestamptz(3),
    fully_checked_at timestamptz(3),
    colleague_sent_at timestamptz(3),
    connect_sent text not null,
    connect_received text not null,
    connect_sent_id text,
    connect_received_id text,
    totals_at_end jsonb,
    foreign key (tenant, group_id) references cabinet_group (tenant, id),
    check ((state = 'ended') = (ended_at is not null)),
    check ((state = 'error') <= (cause is not null))
  )`,
  `create unique index link_one_at_a_time on link (tenant) where state <> 'ended'`,
  `create index link_history on link (tenant, linked_at)`,
  `comment on column link.colleague_sent_at is 'completion of the newest envelope that another user of the account sent: while listings show it, the right to see all of the account is proven'`,
  `comment on column link.sent_reached is 'every envelope the account sent that completed before this moment is in the ledger'`,
  `comment on column link.received_reached is 'every envelope the linked user received that completed before this moment is in the ledger'`,
  `comment on column link.sent_until is 'end(l) of import-rules 2.3 for what the account sent; null once ended means that nothing was accounted for'`,
  `comment on column link.received_until is 'end(l) of import-rules 2.3 for what the linked user received; null once ended means that nothing was accounted for'`,

  `create table link_token (
    link_id uuid primary key references link,
    refresh_token text not null,
    access_token text not null,
    access_expires_at timestamptz(3) not null,
    renewed_at timestamptz(3) not null
  )`,
  `comment on table link_token is 'encrypted; the row goes when the link ends'`,

  `create table linking (
    state_hash bytea primary key,
    tenant text not null,
    subject text not null,
    group_id text not null,
    code_verifier text not null,
    expires_at timestamptz(3) not null
  )`,

  `create table page_session (
    id_hash bytea primary key,
    tenant text not null,
    subject text not null,
    name text,
    role text not null check (role in ('owner', 'member')),
    csrf_token text not null,
    id_token text,
    started_at timestamptz(3) not null,
    expires_at timestamptz(3) not null
  )`,

  `create table sign_in (
    state_hash bytea primary key,
    code_verifier text not null,
    nonce text not null,
    return_to text not null,
    expires_at timestamptz(3) not null
  )`,

  `create table connect_event (
    id bigint generated always as identity primary key,
    link_id uuid not null references link,
    identity text not null,
    format text not null check (format in ('json-sim', 'json-aggregate', 'xml')),
    event text not null,
    envelope_id uuid,
    generated_at timestamptz(3),
    received_at timestamptz(3) not null,
    body bytea,
    unique (link_id, identity)
  )`,
  `comment on column connect_event.identity is 'hash of what identifies the message at DocuSign; a retry has the same'`,
  `create index connect_event_of_envelope on connect_event (envelope_id, received_at)`,
  `create index connect_event_bodies on connect_event (received_at) where body is not null`,

  `create table forwarding (
    tenant text not null,
    envelope_id uuid not null,
    event_id bigint not null references connect_event on delete cascade,
    position int not null,
    from_recipient_id text,
    from_user_id uuid,
    from_email text,
    to_recipient_id text,
    to_user_id uuid,
    to_email text,
    primary key (tenant, envelope_id, event_id, position)
  )`,

  `create table envelope (
    tenant text not null,
    envelope_id uuid not null,
    link_id uuid not null references link,
    state text not null check (state in ('waiting', 'imported', 'excluded', 'deleted')),
    reason text not null,
    completed_at timestamptz(3),
    facts jsonb not null default '{}',
    listing jsonb,
    found_by text not null check (found_by in ('event', 'reconciliation', 'replay')),
    found_at timestamptz(3) not null,
    decided_at timestamptz(3),
    attempts int not null default 0,
    last_attempt_at timestamptz(3),
    last_error text,
    waiting_until timestamptz(3),
    primary key (tenant, envelope_id)
  )`,
  `comment on column envelope.waiting_until is 'when it is due; null while waiting means parked until someone takes it up again'`,
  `comment on table envelope is 'the ledger: each envelope of a tenant once, accounted under the link that judged it last'`,
  `comment on column envelope.listing is 'what a listing said of a waiting envelope, so that its import need not ask again'`,
  `create index envelope_of_link on envelope (link_id, state, reason)`,
  `create index envelope_waiting on envelope (link_id, waiting_until) where state = 'waiting'`,

  `create table stored_document (
    tenant text not null,
    envelope_id uuid not null,
    document_id text not null,
    key text not null unique,
    bytes bigint not null,
    sha256 text not null,
    stored_at timestamptz(3) not null,
    primary key (tenant, envelope_id, document_id)
  )`,
  `comment on table stored_document is 'bytes that are in the document store; a retry does not download them again'`,

  `create table contract (
    id uuid primary key,
    tenant text not null,
    envelope_id uuid not null,
    document_id text not null,
    link_id uuid not null references link,
    group_id text not null,
    file_name text not null,
    concluded_on date not null,
    completed_at timestamptz(3) not null,
    account_id uuid not null,
    subject text,
    pages int,
    bytes bigint not null,
    sha256 text not null,
    document_key text not null,
    imported_at timestamptz(3) not null,
    deleted_at timestamptz(3),
    deleted_by text,
    erased_at timestamptz(3),
    unique (tenant, envelope_id, document_id),
    foreign key (tenant, envelope_id) references envelope
  )`,
  `comment on table contract is 'rows are never removed: a deleted contract is remembered for ever (import-rules 4)'`,
  `create index contract_page on contract (tenant, imported_at desc, id desc) where deleted_at is null`,
  `create index contract_page_of_group on contract (tenant, group_id, imported_at desc, id desc) where deleted_at is null`,
  `create index contract_to_erase on contract (deleted_at) where deleted_at is not null and erased_at is null`,

  `create sequence change_sequence`,
  `create table change (
    id bigint generated always as identity primary key,
    tenant text not null,
    type text not null check (type in ('imported', 'deleted')),
    contract_id uuid not null references contract,
    contract jsonb not null,
    recorded_at timestamptz(3) not null,
    sequence bigint unique,
    unique (contract_id, type)
  )`,
  `comment on column change.sequence is 'given at publication, in commit order, so that no gap is filled later'`,
  `create index change_unpublished on change (id) where sequence is null`,
  `create index change_feed on change (tenant, sequence) where sequence is not null`,

  `create table reconciliation (
    id uuid primary key,
    link_id uuid not null references link,
    tenant text not null,
    kind text not null check (kind in ('first', 'hourly', 'full', 'manual', 'closing')),
    state text not null check (state in ('running', 'done', 'failed')),
    window_from timestamptz(3) not null,
    window_to timestamptz(3) not null,
    side text not null check (side in ('sent', 'received')),
    cursor_from timestamptz(3) not null,
    cursor_position int not null default 0,
    started_at timestamptz(3) not null,
    ended_at timestamptz(3),
    listed int not null default 0,
    known int not null default 0,
    missed int not null default 0,
    excluded jsonb not null default '{}',
    waiting int not null default 0,
    failed int not null default 0,
    calls int not null default 0,
    colleague_seen boolean not null default false,
    at_docusign int,
    failure text
  )`,
  `create unique index reconciliation_one_at_a_time on reconciliation (link_id) where state = 'running'`,
  `create index reconciliation_page on reconciliation (tenant, started_at desc, id desc)`,

  `create table account_budget (
    account_id uuid primary key,
    hourly_limit int,
    remaining int,
    resets_at timestamptz(3),
    paused_until timestamptz(3),
    observed_at timestamptz(3) not null
  )`,

  `create table audit (
    id bigint generated always as identity primary key,
    tenant text not null,
    link_id uuid references link,
    at timestamptz(3) not null,
    subject text not null,
    action text not null,
    details jsonb not null default '{}'
  )`,
  `create index audit_of_link on audit (link_id, at)`,
];
