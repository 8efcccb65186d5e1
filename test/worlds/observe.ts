import assert from "node:assert/strict";
import type { Api } from "../support/world.ts";
import { dateInJapan, judge, type PlayedEnvelope } from "./model.ts";
import type { SeenContract, Stage, Tenant } from "./stage.ts";

/**
 * Reads the tenant's contracts, which must be those of before and new ones that the link may import, each as the
 * rules say, and remembers them.
 */
export async function seeContracts(stage: Stage, tenant: Tenant): Promise<void> {
  const api = await stage.world.api(tenant.name);
  const shown = await readPages(api, "/v1/contracts", ({ nextCursor }) =>
    nextCursor === null ? null : `cursor=${nextCursor}`,
  );
  for (const seen of tenant.contracts) {
    const now = shown.find(({ id }) => id === seen.id);
    if (seen.isDeleted) assert.equal(now, undefined, `${nameOf(stage, seen)} was deleted and is there`);
    else assert.equal(now?.groupId, seen.groupId, `${nameOf(stage, seen)} has gone, or to another group`);
  }
  for (const one of shown.toReversed()) {
    if (!tenant.contracts.some(({ id }) => id === one.id))
      tenant.contracts.push(checkNew(stage, tenant, one));
  }
}

function checkNew(stage: Stage, tenant: Tenant, shown: any): SeenContract {
  const { envelopeId, documentId } = shown.source;
  const envelope = stage.envelopes.find((one) => one.envelopeId === envelopeId);
  const { current } = tenant;
  const name = `${tenant.name}'s contract ${envelope?.subject}, document ${documentId}`;
  assert.ok(envelope !== undefined && current !== null, `${name} comes from nowhere`);
  const twice = tenant.contracts.some(
    (one) => one.envelopeId === envelopeId && one.documentId === documentId,
  );
  assert.ok(!twice, `${name} was imported already`);
  assert.notEqual(
    judge(envelope, current.link).wanted,
    "no",
    `${name} is none of the link's: ${judge(envelope, current.link).reasons.join()}`,
  );
  assert.equal(current.isPaused, false, `${name} was imported during a pause`);
  assert.equal(current.awaitsApproval, false, `${name} was imported before the owner's go`);
  checkFields(name, envelope, current, shown);
  return {
    id: shown.id,
    envelopeId,
    documentId,
    groupId: shown.groupId,
    linkId: current.link.id,
    isDeleted: false,
  };
}

function checkFields(
  name: string,
  envelope: PlayedEnvelope,
  current: NonNullable<Tenant["current"]>,
  shown: any,
): void {
  const { completedAt, documents, subject } = envelope;
  assert.ok(completedAt !== null, `${name} is not completed`);
  assert.deepEqual(
    {
      group: shown.groupId,
      fileName: shown.fileName,
      concludedOn: shown.concludedOn,
      uploadedBy: shown.uploadedBy,
      subject: shown.source.subject,
      position: shown.source.position,
      accountId: shown.source.accountId,
      completedAt: shown.source.completedAt,
    },
    {
      group: current.groupId,
      fileName: documents.find(({ documentId }) => documentId === shown.source.documentId)?.name,
      concludedOn: dateInJapan(completedAt),
      uploadedBy: "DocuSign",
      subject,
      position: documents.findIndex(({ documentId }) => documentId === shown.source.documentId) + 1,
      accountId: current.link.account,
      completedAt: completedAt.toISOString(),
    },
    name,
  );
}

/** The change feed: what was read before, then news; each import exactly once, and each deletion after its import. */
export async function seeFeed(stage: Stage, tenant: Tenant): Promise<void> {
  const api = await stage.world.api(tenant.name);
  const items = await readPages(api, "/v1/changes", ({ items: page, next }) =>
    page.length === 0 ? null : `after=${next}`,
  );
  const feed = items.map(({ type, contract }) => `${type} ${contract.id}`);
  assert.deepEqual(feed.slice(0, tenant.feed.length), tenant.feed, "the feed has another past");
  tenant.feed = feed;
  const sequences = items.map(({ sequence }) => Number(sequence));
  assert.deepEqual(
    sequences,
    [...new Set(sequences)].sort((one, other) => one - other),
    "the feed's order",
  );
  const expected = tenant.contracts.flatMap(({ id, isDeleted }) => [
    `imported ${id}`,
    ...(isDeleted ? [`deleted ${id}`] : []),
  ]);
  assert.deepEqual(feed.toSorted(), expected.toSorted(), "the feed contains every change once");
  for (const { id } of tenant.contracts.filter(({ isDeleted }) => isDeleted))
    assert.ok(
      feed.indexOf(`imported ${id}`) < feed.indexOf(`deleted ${id}`),
      "a deletion precedes its import",
    );
}

/** The items of all pages; `next` names the page after one, or null. */
async function readPages(api: Api, path: string, next: (page: any) => string | null): Promise<any[]> {
  const items: any[] = [];
  for (let query: string | null = "limit=200"; query !== null; ) {
    const { status, body } = await api.get(`${path}?${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    items.push(...body.items);
    const following: string | null = next(body);
    query = following === null ? null : `limit=200&${following}`;
  }
  return items;
}

function nameOf({ envelopes }: Stage, { envelopeId, documentId }: SeenContract): string {
  const envelope = envelopes.find((one) => one.envelopeId === envelopeId);
  return `the contract ${envelope?.subject}, document ${documentId},`;
}
