import assert from "node:assert/strict";
import type { Call } from "./docusign/exchange.ts";
import type { World } from "./world.ts";

export const isRemoval = ({ method, template }: Call): boolean =>
  method === "DELETE" && template === "/connect/{connectId}";

/** A refusal of DocuSign's that says nothing of the user's right. */
export const UNNAMED = { body: { errorCode: "UNSPECIFIED_ERROR", message: "An error occurred." } };

export async function countTokens(world: World): Promise<number> {
  const rows = await world.service.foundation.working.db.selectFrom("link_token").select("link_id").execute();
  return rows.length;
}

export async function putGroup(world: World, id: string): Promise<void> {
  const { status } = await (await world.api()).send("PUT", `/v1/groups/${id}`, { name: "契約書" });
  assert.equal(status, 200);
}
