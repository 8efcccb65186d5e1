import assert from "node:assert/strict";
import { minimalEvent, post } from "../support/connect.ts";
import type { Delivery } from "../support/docusign/connect-post.ts";
import { shuffled } from "../support/docusign/shuffled.ts";
import type { DocuSignSimulator } from "../support/docusign/simulator.ts";
import { createRandom, type Random } from "../support/random.ts";
import type { MoveOf } from "./moves.ts";
import { pick, pickOf, type Stage, type Tenant, tell } from "./stage.ts";

const DROPPED = 0.3;
const REPEATED = 0.2;
const AT_ONCE = 8;

/** Held Connect messages arrive, arrive twice, in a different order, in part, or never. */
export async function playMail(stage: Stage, { fate, seed }: MoveOf<"mail">): Promise<void> {
  const { late, world } = stage;
  const { docusign } = world;
  const { held } = docusign;
  if (held.length + late.length === 0) return;
  tell(stage, `mail: of ${held.length} events ${SAID[fate]}`);
  const random = createRandom(seed);
  if (fate === "lost") held.splice(0);
  if (fate === "half") held.splice(0, held.length, ...held.filter(() => random.chance(0.5)));
  if (fate === "shuffled") held.splice(0, held.length, ...shuffled(held, random.next));
  if (fate === "mixed") mix(stage, random);
  const posted = fate === "twice" ? await docusign.deliverTwice("all") : await deliverAll(docusign, fate);
  for (const { message, status } of posted) noteAnswer(stage, message, status);
}

async function deliverAll(docusign: DocuSignSimulator, fate: MoveOf<"mail">["fate"]): Promise<Delivery[]> {
  if (fate !== "mixed") return await docusign.deliver("all");
  const posted: Delivery[] = [];
  while (docusign.held.length > 0) posted.push(...(await docusign.deliver(AT_ONCE, { atOnce: true })));
  return posted;
}

/** Some events are lost and some come twice; a part of the rest, in any order, comes now, and the others later. */
function mix({ late, world }: Stage, random: Random): void {
  const { held } = world.docusign;
  const arriving = held
    .splice(0)
    .filter(() => !random.chance(DROPPED))
    .flatMap((message) => (random.chance(REPEATED) ? [message, message] : [message]));
  const all = shuffled([...late.splice(0), ...arriving], random.next);
  held.push(...all.splice(0, Math.ceil(all.length * random.next())));
  late.push(...all);
}

const SAID: Readonly<Record<MoveOf<"mail">["fate"], string>> = {
  arrives: "all arrive",
  twice: "all arrive twice",
  lost: "all are lost",
  shuffled: "all arrive in another order",
  half: "a part is lost",
  mixed: "some are lost, some arrive twice, some later",
};

/** Recorded for a link that has not ended, refused for one that has; what is recorded of a forwarding is known. */
function noteAnswer(
  { tenants, envelopes }: Stage,
  message: { url: string; event: string; envelopeId: string },
  status: number | null,
): void {
  const tenant = tenants.find(({ links }) => links.some(({ id }) => message.url.endsWith(id)));
  const isCurrent = tenant?.current?.link.id !== undefined && message.url.endsWith(tenant.current.link.id);
  assert.equal(status, isCurrent ? 200 : 410, `the answer to ${message.event}`);
  if (tenant === undefined || !isCurrent || message.event !== "recipient-reassign") return;
  const played = envelopes.find(({ envelopeId }) => envelopeId === message.envelopeId);
  if (played === undefined) return;
  (played.completedAt === null ? played.toldBefore : played.toldAfter).add(tenant.name);
}

/** A forged completion arrives: for an envelope that is not completed, or one that is not the link's. */
export async function playForge(stage: Stage, { how, tenant, which }: MoveOf<"forge">): Promise<void> {
  const { world, tenants, envelopes } = stage;
  const { current, name }: Tenant = pickOf(tenants, tenant);
  const target = pick([...envelopes, undefined], which);
  if (current === null) return;
  tell(
    stage,
    `somebody posts a completion of ${target?.subject ?? "an unknown envelope"} to ${name}'s link, ${how}`,
  );
  const event = minimalEvent(
    { generatedDateTime: new Date(world.clock.now.getTime() + which).toISOString() },
    target === undefined ? {} : { envelopeId: target.envelopeId },
  );
  const { status } = await post(
    world,
    current.link.id,
    event,
    how === "wrong key" ? { key: "the key of nobody" } : {},
  );
  if (target !== undefined) target.isForged ||= how === "signed";
  assert.equal(status, how === "wrong key" ? 401 : 200, "the answer to what was forged");
}
