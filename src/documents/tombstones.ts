import { createHash } from "node:crypto";
import { json } from "node:stream/consumers";
import { z } from "zod";
import {
  type AccountId,
  type ContractId,
  type EnvelopeId,
  type LinkId,
  parseUuid,
  type UserId,
} from "../domain/identifiers.ts";
import type { Tombstone } from "../domain/tombstone.ts";
import type { DocumentStore } from "./documents.ts";

/** A tombstone as its key describes it. A tenant's tombstone has no id. */
export type ListedTombstone = {
  readonly key: string;
  readonly kind: Tombstone["kind"];
  readonly id: string | null;
};

const FOLDER = "deleted";

/**
 * Stores a tombstone as `deleted/YYYY-MM-DD/TENANT/KIND-ID`. The day is that of the deletion in UTC, and TENANT a hash,
 * so that all tombstones of a tenant are found without reading any. Idempotent.
 */
export async function writeTombstone(store: Pick<DocumentStore, "put">, tombstone: Tombstone): Promise<void> {
  await store.put(keyOf(tombstone), oneChunk(JSON.stringify(tombstone)));
}

/** Removes the tombstone of a deletion that failed. Idempotent. */
export async function withdrawTombstone(
  store: Pick<DocumentStore, "erase">,
  tombstone: Tombstone,
): Promise<void> {
  await store.erase(keyOf(tombstone));
}

/** Lists the tombstones of all days from one moment to another, both included. */
export async function* listTombstones(
  store: Pick<DocumentStore, "list">,
  { from, to }: { from: Date; to: Date },
): AsyncGenerator<ListedTombstone, void, undefined> {
  const last = dayOf(to);
  for (let day = from; dayOf(day) <= last; day = new Date(day.getTime() + DAY_MS)) {
    for await (const { key } of store.list(`${FOLDER}/${dayOf(day)}`)) {
      const listed = parseKey(key);
      if (listed !== null) yield listed;
    }
  }
}

/** Lists the keys of all tombstones of a tenant, whatever their day. */
export async function listTombstonesOf(
  store: Pick<DocumentStore, "list">,
  tenant: string,
): Promise<string[]> {
  const keys: string[] = [];
  const part = `/${hashOf(tenant)}/`;
  for await (const { key } of store.list(FOLDER)) if (key.includes(part)) keys.push(key);
  return keys;
}

/** Reads a listed tombstone; null if it was withdrawn in the meantime. Throws if it is not one of ours. */
export async function readTombstone(
  store: Pick<DocumentStore, "open">,
  key: string,
): Promise<Tombstone | null> {
  const stream = await store.open(key);
  if (stream === null) return null;
  const parsed = TOMBSTONE.safeParse(await json(stream).catch(() => null));
  if (!parsed.success) throw new Error(`the object ${key} of the document store is not a tombstone`);
  return parsed.data;
}

/** Returns the key of a tombstone. */
export function keyOf(tombstone: Tombstone): string {
  const { tenant, deletedAt } = tombstone;
  const name = tombstone.kind === "tenant" ? "tenant" : `${tombstone.kind}-${tombstone.id}`;
  return [FOLDER, dayOf(deletedAt), hashOf(tenant), name].join("/");
}

const DAY_MS = 24 * 60 * 60 * 1000;

function dayOf(moment: Date): string {
  return moment.toISOString().slice(0, "2026-11-30".length);
}

/** A tenant may have any characters, and a key may not. */
function hashOf(tenant: string): string {
  return createHash("sha256").update(tenant).digest("hex").slice(0, 32);
}

const NAME = /\/(?:(?<kind>contract|link)-(?<id>[0-9a-f-]{36})|tenant)$/;

function parseKey(key: string): ListedTombstone | null {
  const { groups } = NAME.exec(key) ?? {};
  if (groups === undefined) return null;
  const { kind, id } = groups;
  if (kind !== "contract" && kind !== "link") return { key, kind: "tenant", id: null };
  return { key, kind, id: id ?? null };
}

async function* oneChunk(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from(text);
}

const moment = z.iso.datetime().transform((text) => new Date(text));

function idOf<Id extends AccountId | ContractId | EnvelopeId | LinkId | UserId>(
  text: string,
  context: z.RefinementCtx,
): Id {
  const id = parseUuid<Id>(text);
  if (id !== null) return id;
  context.addIssue({ code: "custom", message: "must be a UUID" });
  return z.NEVER;
}

const TOMBSTONE = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("contract"),
    id: z.string().transform(idOf<ContractId>),
    tenant: z.string(),
    envelopeId: z.string().transform(idOf<EnvelopeId>),
    documentId: z.string(),
    deletedAt: moment,
  }),
  z.object({
    kind: z.literal("link"),
    id: z.string().transform(idOf<LinkId>),
    tenant: z.string(),
    accountId: z.string().transform(idOf<AccountId>),
    userId: z.string().transform(idOf<UserId>),
    deletedAt: moment,
    sentFrom: moment.nullable(),
    receivedFrom: moment.nullable(),
    sentUntil: moment.nullable(),
    receivedUntil: moment.nullable(),
  }),
  z.object({ kind: z.literal("tenant"), tenant: z.string(), deletedAt: moment }),
]);
