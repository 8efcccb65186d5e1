import assert from "node:assert/strict";
import type { Api } from "../world.ts";

type Contract = { readonly id: string };

/** A cabinet service that mirrors the tenant's contracts by following the feed, and can be killed at any time. */
export type Reader = {
  readonly mirror: ReadonlyMap<string, Contract>;
  /** Positions of the entries that it was given, in their order. */
  readonly positions: readonly number[];
  /** Reads one page. If it is killed, it has taken over the items, and has not stored its position. */
  read(api: Api, options: { limit: number; killed: boolean }): Promise<"more" | "end">;
};

export function createReader(): Reader {
  const mirror = new Map<string, Contract>();
  const positions: number[] = [];
  let after: number | null = null;
  return {
    mirror,
    positions,
    async read(api, { limit, killed }) {
      const from = after === null ? "" : `&after=${after}`;
      const { status, body } = await api.get(
        `/v1/changes?types=imported,deleted,restored&limit=${limit}${from}`,
      );
      assert.equal(status, 200, JSON.stringify(body));
      for (const { sequence, type, contract } of body.items) {
        positions.push(sequence);
        if (type === "imported") mirror.set(contract.id, contract);
        if (type === "deleted") mirror.delete(contract.id);
        if (type === "restored") await compare(mirror, api);
      }
      if (!killed) after = body.next;
      return body.items.length === 0 ? "end" : "more";
    },
  };
}

/** Obeys a `restored` entry: contracts that were taken since may be unknown. */
async function compare(mirror: Map<string, Contract>, api: Api): Promise<void> {
  const listed = await listAll(api);
  const known = new Set(listed.map(({ id }) => id));
  for (const id of mirror.keys()) if (!known.has(id)) mirror.delete(id);
  for (const contract of listed) mirror.set(contract.id, contract);
}

/** All contracts of the tenant, as the API lists them. */
export async function listAll(api: Api): Promise<any[]> {
  const items: any[] = [];
  let cursor = "";
  for (;;) {
    const { status, body } = await api.get(`/v1/contracts?limit=200${cursor}`);
    assert.equal(status, 200, JSON.stringify(body));
    items.push(...body.items);
    if (body.nextCursor === null) return items;
    cursor = `&cursor=${encodeURIComponent(body.nextCursor)}`;
  }
}
