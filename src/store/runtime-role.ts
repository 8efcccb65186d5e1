import { type Kysely, type RawBuilder, sql } from "kysely";
import { FUNCTIONS, OTHER_SCHEMAS, type Privilege, privilegesFor, type Relation } from "./privileges.ts";
import type { DB } from "./schema.ts";

/** The role that `DATABASE_RUNTIME_ROLE` names cannot be granted what serving and working need, or has more. */
export class RuntimeRoleUnfit extends Error {
  override readonly name = "RuntimeRoleUnfit";

  constructor(role: string, problem: string) {
    super(`DATABASE_RUNTIME_ROLE: the role ${JSON.stringify(role)} ${problem}`);
  }
}

/** Throws a RuntimeRoleUnfit, with what to do, unless the role exists and can be limited. Changes nothing. */
export async function checkRuntimeRole(db: Kysely<DB>, role: string): Promise<void> {
  const { rows } = await sql<{ isUnlimited: boolean; isOwner: boolean }>`
    select rolsuper or rolbypassrls as "isUnlimited", pg_has_role(oid, current_user, 'usage') as "isOwner"
    from pg_roles where rolname = ${role}`.execute(db);
  const [found] = rows;
  if (found === undefined) throw new RuntimeRoleUnfit(role, "does not exist: create it, then migrate again");
  if (found.isUnlimited)
    throw new RuntimeRoleUnfit(role, "is a superuser or bypasses row-level security: use a different one");
  if (found.isOwner)
    throw new RuntimeRoleUnfit(role, "is the role that migrates, or a member of it: use a different one");
}

/**
 * Lets the role use each table from the moment it exists, until `grantRuntimeRole` ends that. Processes of the previous
 * version keep running during a migration, and a trigger of the new schema may use a new table.
 */
export async function openNewTables(db: Kysely<DB>, role: string): Promise<void> {
  await sql`alter default privileges in schema ${await ourSchema(db)}
    grant select, insert, update, delete on tables to ${sql.id(role)}`.execute(db);
}

async function closeNewTables<Schema>(db: Kysely<Schema>, role: string): Promise<void> {
  const { rows } = await sql`
    select from pg_default_acl, aclexplode(defaclacl) as granted
    where defaclnamespace = current_schema()::regnamespace and granted.grantee = ${idOf(role)}`.execute(db);
  if (rows.length > 0)
    await sql`alter default privileges in schema ${await ourSchema(db)}
      revoke all on tables from ${sql.id(role)}`.execute(db);
}

/** Our tables lie in the first schema of the search path. */
async function ourSchema<Schema>(db: Kysely<Schema>): Promise<RawBuilder<unknown>> {
  const { rows } = await sql<{ name: string }>`select current_schema() as name`.execute(db);
  return sql.id(rows[0]?.name ?? "public");
}

/**
 * Grants the role exactly what serving and working need, and revokes whatever else it was granted on our tables, views and
 * sequences. Changes only what differs, so that repeated calls change nothing. Tables that we do not know stay as they
 * are. To be called by their owner.
 */
export async function grantRuntimeRole<Schema>(db: Kysely<Schema>, role: string): Promise<void> {
  await closeNewTables(db, role);
  await grantSchemas(db, role);
  for (const relation of await listRelations(db, role)) {
    const wanted = privilegesFor(relation);
    if (wanted === null) continue;
    await changePrivileges(db, role, relation, wanted);
    if (relation.isGuarded && wanted.length > 0) await admit(db, role, relation);
  }
  await grantFunctions(db, role);
}

async function grantFunctions<Schema>(db: Kysely<Schema>, role: string): Promise<void> {
  const { rows } = await sql<{ signature: string }>`
    select oid::regprocedure::text as signature from pg_proc
    where pronamespace = current_schema()::regnamespace and proname in (${sql.join(FUNCTIONS)})
      and not has_function_privilege(${role}, oid, 'EXECUTE')`.execute(db);
  for (const { signature } of rows)
    await sql`grant execute on function ${sql.raw(signature)} to ${sql.id(role)}`.execute(db);
}

async function grantSchemas<Schema>(db: Kysely<Schema>, role: string): Promise<void> {
  const { rows } = await sql<{ name: string; isOpen: boolean; isGranted: boolean }>`
    select nspname as name, has_schema_privilege(${role}, oid, 'USAGE') as "isOpen",
      exists (select from aclexplode(nspacl) as granted where privilege_type = 'CREATE'
        and granted.grantee = ${idOf(role)}) as "isGranted"
    from pg_namespace where ${isOurSchema}`.execute(db);
  for (const { name, isOpen, isGranted } of rows) {
    const schema = sql`schema ${sql.id(name)}`;
    if (!isOpen) await sql`grant usage on ${schema} to ${sql.id(role)}`.execute(db);
    if (isGranted) await sql`revoke create on ${schema} from ${sql.id(role)}`.execute(db);
  }
}

function idOf(role: string): RawBuilder<number> {
  return sql`(select oid from pg_roles where rolname = ${role})`;
}

const isOurSchema = sql`(nspname = current_schema() or nspname in (${sql.join(OTHER_SCHEMAS)}))`;

type ListedRelation = Relation & {
  readonly isSequence: boolean;
  readonly held: readonly string[];
  /** Row-level security is on, and no policy admits the role. */
  readonly isGuarded: boolean;
};

/** Lists the tables, views and sequences of our schemas with what the role itself was granted on them. */
export async function listRelations<Schema>(db: Kysely<Schema>, role: string): Promise<ListedRelation[]> {
  const { rows } = await sql<ListedRelation>`
    select nspname as schema, class.relname as name, parent.relname as "partitionOf",
      class.relkind = 'S' as "isSequence",
      class.relkind = 'S' and exists (
        select from pg_depend where objid = class.oid and deptype = 'i'
      ) as "isIdentity",
      array(
        select privilege_type from aclexplode(class.relacl) as granted
        where granted.grantee = ${idOf(role)} order by 1
      ) as held,
      class.relrowsecurity and not exists (
        select from pg_policy where polrelid = class.oid and ${idOf(role)} = any(polroles)
      ) as "isGuarded"
    from pg_class as class join pg_namespace on pg_namespace.oid = class.relnamespace
      left join pg_inherits on inhrelid = class.oid left join pg_class as parent on parent.oid = inhparent
    where ${isOurSchema} and class.relkind in ('r', 'p', 'v', 'S')
    order by 1, 2`.execute(db);
  return rows;
}

async function changePrivileges<Schema>(
  db: Kysely<Schema>,
  role: string,
  { schema, name, isSequence, held }: ListedRelation,
  wanted: readonly Privilege[],
): Promise<void> {
  const on = sql`on ${sql.raw(isSequence ? "sequence" : "table")} ${sql.id(schema, name)}`;
  const missing = wanted.filter((privilege) => !held.includes(privilege));
  const needless = held.filter((privilege) => !wanted.some((one) => one === privilege));
  if (missing.length > 0)
    await sql`grant ${sql.raw(missing.join(", "))} ${on} to ${sql.id(role)}`.execute(db);
  if (needless.length > 0)
    await sql`revoke ${sql.raw(needless.join(", "))} ${on} from ${sql.id(role)}`.execute(db);
}

/** graphile-worker's tables have row-level security without a policy, which hides every row from all but their owner. */
async function admit<Schema>(db: Kysely<Schema>, role: string, { schema, name }: Relation): Promise<void> {
  // Named after the role, since each role needs its own.
  await sql`create policy ${sql.id(role)} on ${sql.id(schema, name)} to ${sql.id(role)}
    using (true) with check (true)`.execute(db);
}
