import { createEmptyDatabase } from "../../test/support/postgres.ts";
import { type Child, startChild } from "./child.ts";
import type { FloorLink } from "./floor/floor.mjs";
import { readProcessorSeconds } from "./processors.ts";
import type { Bench } from "./report.ts";
import type { SeededLink } from "./seed.ts";
import type { Stage } from "./stage.ts";

/** The floor in a process and a database of its own, beside torikomi and at the same DocuSign. */
export type Floor = AsyncDisposable & { readonly program: Child; readonly links: readonly FloorLink[] };

export async function startFloor({ adminUrl }: Bench, { links }: Pick<Stage, "links">): Promise<Floor> {
  await using opened = new AsyncDisposableStack();
  const { connectionString } = opened.use(await createEmptyDatabase(adminUrl));
  const program = opened.use(await startChild("./floor-program.ts", [connectionString]));
  const floorLinks = links.map(floorLink);
  await program.ask("setUp", floorLinks);
  const kept = opened.move();
  return {
    program,
    links: floorLinks,
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

export function floorLink({ id, user }: SeededLink): FloorLink {
  return { id, accountId: user.accountId, baseUrl: user.baseUri, token: user.accessToken };
}

/** The processor time of a turn, of the program and of PostgreSQL. */
export type Used = { readonly programMs: number; readonly postgresMs: number };

/** Measures a turn of a program with this process id. */
export async function measureUse(
  { postmaster }: Bench,
  pid: number,
  turn: () => Promise<unknown>,
): Promise<Used> {
  const read = async (): Promise<number[]> =>
    await Promise.all([readProcessorSeconds([pid]), readProcessorSeconds([postmaster])]);
  const [program = 0, postgres = 0] = await read();
  await turn();
  const [programAfter = 0, postgresAfter = 0] = await read();
  return { programMs: (programAfter - program) * 1000, postgresMs: (postgresAfter - postgres) * 1000 };
}

export function totalOf({ programMs, postgresMs }: Used): number {
  return programMs + postgresMs;
}

/** The sum of turns, for each of so many units. */
export function perUnit(turns: readonly Used[], units: number): Used {
  const sum = (read: (one: Used) => number): number =>
    turns.reduce((total, one) => total + read(one), 0) / units;
  return { programMs: sum((one) => one.programMs), postgresMs: sum((one) => one.postgresMs) };
}

export function describeUse({ programMs, postgresMs }: Used): string {
  return `${(programMs + postgresMs).toFixed(2)} ms (program ${programMs.toFixed(2)}, PostgreSQL ${postgresMs.toFixed(2)})`;
}
