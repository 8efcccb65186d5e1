import assert from "node:assert/strict";
import { isShown, judge, type PlayedEnvelope } from "./model.ts";
import { isSqueezed, type Stage, type Tenant, troublesOf } from "./stage.ts";

const MOST = 4;

/** Asks why some envelopes were imported or not, and holds the stable codes against the rules. */
export async function explainSome(
  stage: Stage,
  tenant: Tenant,
  { hour, isHealthy }: { hour: Date; isHealthy: boolean },
): Promise<void> {
  const { envelopes, world } = stage;
  const turn = Math.floor(hour.getTime() / 3_600_000) % 3;
  const sample = envelopes.filter(({ number }) => number % 3 === turn).slice(-MOST);
  const api = await world.api(tenant.name);
  for (const envelope of sample) {
    const expected = isHealthy
      ? codesOf(tenant, envelope, hour)
      : codesOfIll(stage, tenant, { envelope, hour });
    if (expected === null) continue;
    const { status, body } = await api.get(`/v1/envelopes/${envelope.envelopeId}`);
    const said = status === 404 ? "nothing" : `${body.outcome} ${body.reason}`;
    assert.ok(
      expected.includes(said),
      `${envelope.subject} is explained to ${tenant.name} as ${said}, not as ${expected.join(" or ")}`,
    );
  }
}

/** The permitted explanations of the envelope; null if the rules leave it open. */
function codesOf(tenant: Tenant, envelope: PlayedEnvelope, hour: Date): string[] | null {
  const { current } = tenant;
  if (current === null) return null;
  const settled = codesOfContracts(tenant, envelope);
  if (settled !== null) return settled;
  if (!isShown(envelope, current.link)) return isStrange(tenant, envelope) ? ["nothing"] : null;
  const { completedAt, listedFrom } = envelope;
  if (completedAt !== null && (completedAt >= hour || listedFrom > hour)) return null;
  const { wanted, reasons } = judge(envelope, current.link);
  return wanted === "yes" ? null : reasons.map((reason) => `excluded ${reason}`);
}

/** Envelopes wait visibly for a missing group. Other problems of a link may keep an envelope unknown. */
function codesOfIll(
  stage: Stage,
  tenant: Tenant,
  { envelope, hour }: { envelope: PlayedEnvelope; hour: Date },
): string[] | null {
  const { current } = tenant;
  const settled = codesOfContracts(tenant, envelope);
  if (settled !== null || current === null || current.awaitsApproval) return settled;
  const { completedAt, listedFrom } = envelope;
  const isDue = completedAt !== null && completedAt < hour && listedFrom <= hour;
  const isWaiting = isDue && judge(envelope, current.link).wanted === "yes";
  const isGroupGone = troublesOf(stage, tenant).join() === "group-missing";
  if (current.isPaused) return null;
  return isWaiting && isGroupGone && !isSqueezed(stage, current.link.account)
    ? ["waiting group-missing"]
    : null;
}

/** An imported envelope stays imported or deleted, whatever happens to links. */
function codesOfContracts(tenant: Tenant, envelope: PlayedEnvelope): string[] | null {
  const contracts = tenant.contracts.filter(({ envelopeId }) => envelopeId === envelope.envelopeId);
  const [first] = contracts;
  if (first === undefined) return null;
  if (contracts.every(({ isDeleted }) => isDeleted)) return ["deleted deleted-in-cabinet"];
  const importer = tenant.links.find(({ id }) => id === first.linkId);
  if (importer === undefined) return null;
  const own = judge(envelope, importer).reasons.map((reason) => `imported ${reason}`);
  return importer.id === tenant.current?.link.id ? own : [...own, "imported already"];
}

/** The envelope was never visible to a link of the tenant, and no event was forged. */
function isStrange({ links }: Tenant, envelope: PlayedEnvelope): boolean {
  return !envelope.isForged && links.every((link) => !isShown(envelope, link));
}
