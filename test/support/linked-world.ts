import assert from "node:assert/strict";
import { type EnvelopeId, type LinkId, parseUuid } from "../../src/domain/identifiers.ts";
import type { ImportRequest } from "../../src/usecases/importing/import-envelope.ts";
import type { EnvelopeWish, RecipientWish } from "./docusign/envelopes.ts";
import type { Account, Envelope, User } from "./docusign/state.ts";
import { type Answer, createWorld, type World, type WorldOptions } from "./world.ts";

/** A world with a company and one of its business partners, of which nothing is linked yet. */
export type Companies = AsyncDisposable & {
  readonly world: World;
  readonly account: Account;
  /** DS Admin of the account. */
  readonly admin: User;
  /** DS Sender of the account. */
  readonly colleague: User;
  /** DS Sender of another account. */
  readonly partner: User;
};

/** The company and its partner, who have not concluded anything with each other yet. */
export async function createCompanies(options: WorldOptions = {}): Promise<Companies> {
  const world = await createWorld(options);
  const { docusign } = world;
  const account = docusign.addAccount({ name: "株式会社甲" });
  return {
    world,
    account,
    admin: docusign.addUser(account, { name: "山田", role: "DS Admin" }),
    colleague: docusign.addUser(account, { name: "佐藤", role: "DS Sender" }),
    partner: docusign.addUser(docusign.addAccount({ name: "取引先" }), { name: "鈴木", role: "DS Sender" }),
    [Symbol.asyncDispose]: async () => await world[Symbol.asyncDispose](),
  };
}

/** Like `createCompanies`, with the admin linked and the first import through. */
export async function createLinkedCompanies(options: WorldOptions = {}): Promise<Companies> {
  const companies = await createCompanies(options);
  assert.equal(await companies.world.link(companies.admin), "linked");
  await companies.world.runJobs();
  return companies;
}

/** Somebody whom DocuSign does not know. */
export const CUSTOMER: RecipientWish = { name: "客", email: "kyaku@example.com" };

/** Concludes an envelope of which every event is lost. */
export async function concludeUnheard(
  world: World,
  wish: EnvelopeWish & { completedAt?: Date },
): Promise<Envelope> {
  const { docusign } = world;
  docusign.holdDeliveries();
  const envelope = await docusign.concludeEnvelope(wish);
  docusign.held.splice(0);
  docusign.releaseDeliveries();
  return envelope;
}

/** The subjects of the tenant's contracts, one for each contract, in alphabetical order. */
export async function subjects(world: World, tenant?: string): Promise<string[]> {
  return (await world.contracts(tenant)).map((contract) => String(contract.source.subject)).sort();
}

/** `GET /v1/link` as it stands. */
export async function linkOf(world: World, tenant?: string): Promise<any> {
  const { status, body } = await (await world.api(tenant)).get("/v1/link");
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** The current link's id, as use cases take it. */
export async function linkIdOf(world: World, tenant?: string): Promise<LinkId> {
  return parseUuid<LinkId>((await linkOf(world, tenant)).id) ?? assert.fail("no id");
}

/** The envelope's import under the current link, as an event asks for it. */
export async function importRequestOf(
  world: World,
  { envelopeId }: Pick<Envelope, "envelopeId">,
): Promise<ImportRequest> {
  const id = parseUuid<EnvelopeId>(envelopeId) ?? assert.fail("no id");
  return { linkId: await linkIdOf(world), envelopeId: id, foundBy: "event" };
}

/** `GET /v1/links`, the oldest first. */
export async function historyOf(world: World, tenant?: string): Promise<any[]> {
  const { body } = await (await world.api(tenant)).get("/v1/links");
  return body.items.toReversed();
}

export async function endLink(world: World, tenant?: string): Promise<Answer> {
  return await (await world.api(tenant)).send("DELETE", "/v1/link");
}

/** The service's answer about an envelope, in short: `imported sent`, `excluded not-ours`, `nothing`. */
export async function fateOf(
  world: World,
  envelope: Pick<Envelope, "envelopeId">,
  tenant?: string,
): Promise<string> {
  const { status, body } = await (await world.api(tenant)).get(`/v1/envelopes/${envelope.envelopeId}`);
  if (status === 404) return "nothing";
  assert.equal(status, 200, JSON.stringify(body));
  return `${body.outcome} ${body.reason}`;
}

/** All that `GET /v1/envelopes/{id}` says. */
export async function explain(world: World, { envelopeId }: Pick<Envelope, "envelopeId">): Promise<any> {
  return (await (await world.api()).get(`/v1/envelopes/${envelopeId}`)).body;
}
