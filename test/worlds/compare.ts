import assert from "node:assert/strict";
import { explainSome } from "./explanations.ts";
import { isShown, judge, type PlayedEnvelope, type PlayedLink } from "./model.ts";
import { seeContracts, seeFeed } from "./observe.ts";
import { type ShownLink, shownLink } from "./shown-link.ts";
import { isSqueezed, type Stage, type Tenant, troublesOf } from "./stage.ts";

/** Compares the state after the hour with the rules. */
export async function compare(stage: Stage, hour: Date): Promise<void> {
  for (const tenant of stage.tenants) {
    await seeContracts(stage, tenant);
    await seeFeed(stage, tenant);
    const link = await compareLink(stage, tenant);
    const isHealthy = link?.state === "active" && troublesOf(stage, tenant).length === 0;
    if (isHealthy && !isHeld(stage, tenant)) await compareAccount(stage, tenant, { link, hour });
    else await explainSome(stage, tenant, { hour, isHealthy: false });
    await compareHistory(stage, tenant);
  }
  stage.isDisturbed = false;
}

function isHeld(stage: Stage, { current }: Tenant): boolean {
  return current !== null && isSqueezed(stage, current.link.account);
}

/** The link's state follows from its problems, which each hour detects if it may call DocuSign. */
async function compareLink(stage: Stage, tenant: Tenant): Promise<ShownLink | null> {
  const link = await shownLink(stage, tenant);
  const { current } = tenant;
  assert.equal(link === null, current === null, "whether there is a link");
  if (link === null || current === null) return null;
  assert.equal(link.groupId, current.groupId, "the link's group");
  const troubles = troublesOf(stage, tenant);
  const cause = link.cause?.code ?? null;
  if (link.state === "error")
    assert.ok(
      cause !== null && (troubles.includes(cause) || isHeld(stage, tenant)),
      `the cause ${cause} is none of ${troubles.join()}`,
    );
  else if (current.awaitsApproval) assert.equal(link.state, "awaiting-approval", "the link's state");
  else if (current.isPaused) assert.equal(link.state, "paused", "the link's state");
  else {
    assert.equal(link.state, "active", "the link's state");
    const unseen = troubles.filter((trouble) => trouble !== "group-missing");
    assert.ok(
      unseen.length === 0 || isHeld(stage, tenant),
      `the link is active in spite of ${unseen.join()}`,
    );
  }
  return link;
}

/** Every envelope completed before the hour is imported, excluded or deleted, and the totals agree. */
async function compareAccount(
  stage: Stage,
  tenant: Tenant,
  { link, hour }: { link: ShownLink; hour: Date },
): Promise<void> {
  const { current } = tenant;
  if (current === null) return;
  const due = stage.envelopes.filter((envelope) => isDue(envelope, hour));
  for (const envelope of due) {
    const imported = tenant.contracts.filter(({ envelopeId }) => envelopeId === envelope.envelopeId);
    const { wanted } = judge(envelope, current.link);
    if (wanted === "yes" || imported.length > 0)
      assert.equal(
        imported.length,
        envelope.documents.length,
        `${tenant.name}'s contracts of ${envelope.subject}`,
      );
  }
  compareTotals(stage, tenant, { link, due, played: current.link });
  await explainSome(stage, tenant, { hour, isHealthy: true });
  current.sureUntil = hour;
}

function isDue({ completedAt, listedFrom }: PlayedEnvelope, hour: Date): boolean {
  return completedAt !== null && completedAt < hour && listedFrom <= hour;
}

/** Later envelopes may be missing from listings, or known through an event. */
function compareTotals(
  { envelopes }: Stage,
  { contracts }: Tenant,
  { link, due, played }: { link: ShownLink; due: readonly PlayedEnvelope[]; played: PlayedLink },
): void {
  const { atDocuSign, imported, excluded, deleted, waiting } = link.totals;
  assert.equal(atDocuSign, imported + excluded + deleted + waiting, "the totals add up");
  assert.equal(waiting, 0, "nothing waits");
  const fateOf = ({ envelopeId }: PlayedEnvelope): string => {
    const all = contracts.filter((one) => one.envelopeId === envelopeId);
    if (all.length === 0) return "excluded";
    return all.every(({ isDeleted }) => isDeleted) ? "deleted" : "imported";
  };
  const sure = due.filter((envelope) => isShown(envelope, played));
  const unsure = envelopes.filter(
    (envelope) =>
      envelope.completedAt !== null &&
      !sure.includes(envelope) &&
      (isShown(envelope, played) || envelope.isForged),
  );
  for (const [fate, count] of Object.entries({ imported, excluded, deleted })) {
    const least = sure.filter((envelope) => fateOf(envelope) === fate).length;
    const most = least + unsure.filter((envelope) => fateOf(envelope) === fate).length;
    assert.ok(count >= least && count <= most, `${fate}: ${count} envelopes, not ${least} to ${most}`);
  }
}

/** All links and their original windows. */
async function compareHistory({ world }: Stage, { name, links }: Tenant): Promise<void> {
  const { body } = await (await world.api(name)).get("/v1/links?limit=200");
  const shown = body.items
    .toReversed()
    .map((one: any) => [one.id, one.sentFrom, one.receivedFrom, one.endedAt]);
  const played = links.map((one) => [one.id, iso(one.sentFrom), iso(one.receivedFrom), iso(one.endedAt)]);
  assert.deepEqual(shown, played, "the history of links");
}

function iso(moment: Date | null): string | null {
  return moment?.toISOString() ?? null;
}
