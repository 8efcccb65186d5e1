import assert from "node:assert/strict";
import type { Stage, Tenant } from "./stage.ts";

export type ShownLink = {
  readonly id: string;
  readonly state: string;
  readonly groupId: string;
  readonly sentFrom: string | null;
  readonly receivedFrom: string | null;
  readonly from: string | null;
  readonly cause: { readonly code: string } | null;
  readonly totals: Readonly<Record<"atDocuSign" | "imported" | "excluded" | "deleted" | "waiting", number>>;
};

/** `GET /v1/link`; null if there is none. */
export async function shownLink({ world }: Stage, { name, current }: Tenant): Promise<ShownLink | null> {
  const { status, body } = await (await world.api(name)).get("/v1/link");
  if (status === 404) return null;
  assert.equal(status, 200, JSON.stringify(body));
  assert.ok(current === null || current.link.id === body.id, "a link is a different one than before");
  return body;
}
