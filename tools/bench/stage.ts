import { sql } from "kysely";
import { type OpenDatabase, openDatabase } from "../../src/store/database.ts";
import { type Cabinet, startCabinet } from "../../test/support/cabinet/cabinet.ts";
import { createTestDatabase } from "../../test/support/postgres.ts";
import { type Child, startChild } from "./child.ts";
import { signedMessage } from "./messages.ts";
import { type Program, type ProgramWish, startProgram } from "./program.ts";
import type { Bench } from "./report.ts";
import { addLinks, type SeededLink } from "./seed.ts";
import { uncounted } from "./statements.ts";

/** DocuSign, the cabinet, a database with links, and the program upon them: what most measurements play on. */
export type Stage = AsyncDisposable & {
  readonly docusign: Child;
  readonly program: Program;
  readonly database: OpenDatabase;
  readonly links: readonly SeededLink[];
  /** Starts another program of the same service. */
  readonly wish: ProgramWish;
  /** The API as the link's tenant reads it; each reader has a budget of requests of its own. */
  get(link: SeededLink, path: string, reader?: string): Promise<any>;
  /** Posts the event of a completed envelope as Connect does; resolves with the answer. */
  tell(link: SeededLink, envelopeId: string): Promise<void>;
  countContracts(): Promise<number>;
  /** The calls of DocuSign since the last time: `all`, those that listed, and those that looked at Connect. */
  takeCalls(): Promise<{ all: number; listing: number; connect: number }>;
};

export type StageWish = Pick<ProgramWish, "role" | "environment"> & {
  readonly links: number;
  readonly latencyMs?: number;
  /** How much longer each flush of PostgreSQL takes, as with a synchronous standby. */
  readonly flushMs?: number;
};

/** Sets up everything and waits until the program is ready. */
export async function setStage({ adminUrl }: Bench, wish: StageWish): Promise<Stage> {
  await using opened = new AsyncDisposableStack();
  const { connectionString } = opened.use(await createTestDatabase(adminUrl));
  const database = opened.adopt(
    openDatabase(uncounted(connectionString)),
    async ({ close }) => await close(),
  );
  if (wish.flushMs !== undefined) await delayFlushes(database, wish.flushMs);
  const docusign = opened.use(await startChild("./docusign.ts", [String(wish.latencyMs ?? 0)]));
  const links = await addLinks(database.db, await docusign.ask("addUsers", wish.links));
  const cabinet = opened.use(
    await startCabinet({ clientId: "page", clientSecret: "page", redirectUris: [] }),
  );
  const whole = {
    ...wish,
    connectionString,
    docusignUrl: await docusign.ask<string>("url"),
    cabinetIssuer: cabinet.issuer,
  };
  const program = opened.use(await startProgram(whole));
  const kept = opened.move();
  return {
    docusign,
    program,
    database,
    links,
    wish: whole,
    get: createReader(cabinet, program),
    tell: async (link, envelopeId) => await tell(program, link, envelopeId),
    countContracts: async () => {
      const { rows } = await sql<{ count: number }>`select count(*)::int as count from contract`.execute(
        database.db,
      );
      return rows[0]?.count ?? 0;
    },
    takeCalls: async () => sumUp(await docusign.ask<Record<string, number>>("takeCalls")),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

/** For connections that are opened from now on. PostgreSQL waits before each flush. */
async function delayFlushes({ db }: OpenDatabase, ms: number): Promise<void> {
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(db);
  const name = sql.id(rows[0]?.name ?? "");
  await sql`alter database ${name} set commit_siblings = 0`.execute(db);
  await sql`alter database ${name} set commit_delay = ${sql.lit(ms * 1_000)}`.execute(db);
}

function sumUp(calls: Record<string, number>): Awaited<ReturnType<Stage["takeCalls"]>> {
  const sum = (isMeant: (template: string) => boolean): number =>
    Object.entries(calls).reduce((total, [template, count]) => total + (isMeant(template) ? count : 0), 0);
  return {
    all: sum(() => true),
    listing: sum((template) => template === "/envelopes"),
    connect: sum((template) => template.startsWith("/connect")),
  };
}

function createReader(cabinet: Cabinet, program: Program): Stage["get"] {
  const tokens = new Map<string, Promise<string>>();
  return async (link, path, reader = "reader") => {
    const key = `${link.tenant} ${reader}`;
    const wish = { tenant: link.tenant, sub: reader, scope: "contracts:read links:read" };
    const token = tokens.get(key) ?? cabinet.token(wish);
    tokens.set(key, token);
    const response = await fetch(`${program.url}${path}`, {
      headers: { authorization: `Bearer ${await token}` },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return await response.json();
  };
}

async function tell(program: Program, { id }: SeededLink, envelopeId: string): Promise<void> {
  const { headers, body } = signedMessage(envelopeId);
  const response = await fetch(`${program.url}/connect/${id}`, {
    method: "POST",
    headers,
    body: new Uint8Array(body),
  });
  if (!response.ok) throw new Error(`the event was answered with ${response.status}`);
  await response.arrayBuffer();
}
