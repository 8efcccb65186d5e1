import assert from "node:assert/strict";
import { markCompleted, markPurged } from "./docusign/envelope-changes.ts";
import { createEnvelope, type EnvelopeWish } from "./docusign/envelopes.ts";
import type { Envelope } from "./docusign/state.ts";
import type { World } from "./world.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** `GET /v1/reconciliations`, the newest first: of runs that begin while the clock stands, the full check comes last. */
export async function entriesOf(world: World, tenant?: string): Promise<any[]> {
  const { status, body } = await (await world.api(tenant)).get("/v1/reconciliations?limit=200");
  assert.equal(status, 200, JSON.stringify(body));
  return body.items.toSorted(
    (one: any, other: any) =>
      other.startedAt.localeCompare(one.startedAt) ||
      Number(other.kind === "full") - Number(one.kind === "full"),
  );
}

/** Moves the clock to the next full hour, reconciles, and returns the entry of that hour. */
export async function entryOfNextHour(world: World, tenant?: string): Promise<any> {
  await world.runHour();
  const [entry] = await entriesOf(world, tenant);
  assert.equal(entry?.to, world.clock.now.toISOString());
  return entry;
}

/** The failure reasons of runs, as operators find them in the database. */
export async function failuresOf({ service }: World): Promise<(string | null)[]> {
  const rows = await service.foundation.working.db
    .selectFrom("reconciliation")
    .select("failure")
    .where("state", "=", "failed")
    .orderBy("started_at")
    .execute();
  return rows.map(({ failure }) => failure);
}

/** The counts of envelopes in an entry. */
export function countsOf({ listed, known, missed, excluded, waiting, failed }: any): object {
  return { listed, known, missed, excluded, waiting, failed };
}

/** Envelopes that were completed without anybody being told, in the order of their numbers, from 0. */
export function concludeQuietly(
  world: World,
  count: number,
  wish: (number: number) => EnvelopeWish & { completedAt: Date; purged?: boolean },
): Envelope[] {
  return Array.from({ length: count }, (_, number) => {
    const { completedAt, purged, ...rest } = wish(number);
    const envelope = createEnvelope(world.docusign.state, { sentAt: completedAt, ...rest });
    markCompleted(envelope, completedAt);
    if (purged === true) markPurged(envelope, "documents_purged");
    return envelope;
  });
}

/** The ledger, by envelope. */
export async function ledgerOf(world: World): Promise<Map<string, { state: string; reason: string }>> {
  const rows = await world.service.foundation.working.db
    .selectFrom("envelope")
    .select(["envelope_id", "state", "reason"])
    .execute();
  return new Map(rows.map(({ envelope_id, state, reason }) => [envelope_id, { state, reason }]));
}

/** The calls to DocuSign that something brings. */
export async function callsOf(world: World, act: () => Promise<unknown>): Promise<string[]> {
  const before = world.docusign.calls.length;
  await act();
  return world.docusign.calls.slice(before).map(({ method, template }) => `${method} ${template}`);
}

/** The lines of the log with this message, oldest first. */
export function linesOf({ logged }: World, message: string): any[] {
  return logged.map((line) => JSON.parse(line)).filter(({ msg }) => msg === message);
}

/** `totals` of a link add up (import-rules 6). */
export function assertAddsUp({ totals }: any): void {
  const { atDocuSign, imported, excluded, deleted, waiting } = totals;
  assert.equal(atDocuSign, imported + excluded + deleted + waiting);
}

/** `listed` of an entry is what was known, missed and excluded. */
export function assertEntryAddsUp(entry: any): void {
  const excluded = Object.values<number>(entry.excluded).reduce((sum, count) => sum + count, 0);
  assert.equal(entry.listed, entry.known + entry.missed + excluded, JSON.stringify(entry));
}
