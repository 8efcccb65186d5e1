import assert from "node:assert/strict";
import type { MoveOf } from "./moves.ts";
import { seeContracts } from "./observe.ts";
import { shownLink } from "./shown-link.ts";
import { isSqueezed, pickOf, type Stage, type Tenant, tell, troublesOf } from "./stage.ts";
import { boundsOfEnd } from "./windows.ts";

/** The owner deletes the link; while DocuSign is down nothing may change. */
export async function playEnd(stage: Stage, { tenant: number, down }: MoveOf<"end">): Promise<void> {
  const { world } = stage;
  const tenant = pickOf(stage.tenants, number);
  const { current } = tenant;
  if (current === null) return;
  await seeContracts(stage, tenant);
  const before = await shownLink(stage, tenant);
  const isWell = before?.state === "active" && troublesOf(stage, tenant).length === 0 && !stage.isDisturbed;
  if (down) world.docusign.goDown();
  const { status } = await (await world.api(tenant.name)).send("DELETE", "/v1/link");
  world.docusign.comeUp();
  tell(stage, `${tenant.name} deletes its link${down ? " while DocuSign is down" : ""}: ${status}`);
  const squeezed = isSqueezed(stage, current.link.account);
  if (down && before?.state === "active") assert.equal(status, 502, "DocuSign could not be reached");
  if (!down && !squeezed) assert.equal(status, 204, "nothing keeps the link from being deleted");
  if (status === 204) return noteEnd(stage, tenant, isWell && !squeezed);
  const after = await shownLink(stage, tenant);
  assert.deepEqual([after?.id, after?.state, after?.groupId], [before?.id, before?.state, before?.groupId]);
}

function noteEnd(stage: Stage, tenant: Tenant, isWell: boolean): void {
  const { current } = tenant;
  if (current === null) return;
  const endedAt = new Date(stage.world.clock.now);
  current.link.endedAt = endedAt;
  tenant.current = null;
  tenant.endings.push(
    boundsOfEnd({
      link: current.link,
      endedAt,
      envelopes: stage.envelopes,
      isImported: ({ envelopeId }) => tenant.contracts.some((one) => one.envelopeId === envelopeId),
      sureUntil: current.sureUntil,
      isWell,
    }),
  );
}
