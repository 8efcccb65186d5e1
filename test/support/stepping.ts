import type { LinkId } from "../../src/domain/identifiers.ts";
import {
  type ReconcileRequest,
  type ReconcileStep,
  reconcileStep,
} from "../../src/usecases/reconciling/reconcile-link.ts";
import { linkIdOf } from "./linked-world.ts";
import type { World } from "./world.ts";

/** A manual run by an operator. */
type Asked = Pick<ReconcileRequest, "manual" | "from">;

/** A step of the link's reconciliation towards this moment. */
export async function stepOf(world: World, linkId: LinkId, asked: Asked = {}): Promise<ReconcileStep> {
  return await reconcileStep(world.service.foundation.tasks, { ...asked, linkId, to: world.clock.now });
}

export async function stepNow(world: World, asked: Asked = {}): Promise<ReconcileStep> {
  return await stepOf(world, await linkIdOf(world), asked);
}

/** Steps until nothing more is to be done now. */
export async function stepOn(world: World, asked: Asked = {}): Promise<ReconcileStep> {
  const step = await stepNow(world, asked);
  return step.kind === "more" ? await stepOn(world, asked) : step;
}
