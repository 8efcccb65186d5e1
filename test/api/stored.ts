import { createHash, randomUUID } from "node:crypto";
import { parseUuid } from "../../src/domain/identifiers.ts";
import { recordCertificate } from "../../src/store/contracts/certificates.ts";
import { recordChanges } from "../../src/store/contracts/changes.ts";
import type { NewContract } from "../../src/store/contracts/contracts.ts";
import { claimEnvelope } from "../../src/store/ledger/claims.ts";
import { settleEnvelope } from "../../src/store/ledger/settlements.ts";
import { storeGroup } from "../../src/store/links/groups.ts";
import { storeLink } from "../../src/store/links/link-writes.ts";
import type { Link } from "../../src/store/links/links.ts";
import { withSession } from "../../src/store/locks.ts";
import { storeContracts } from "../support/store-contracts.ts";
import type { World } from "../support/world.ts";

/** Parses a UUID as one of our ids. */
export function id<Id extends NonNullable<ReturnType<typeof parseUuid>>>(text: string = randomUUID()): Id {
  const parsed = parseUuid<Id>(text);
  if (parsed === null) throw new Error(`${text} is not a UUID`);
  return parsed;
}

/** Stores a link in the database only; DocuSign does not know it. */
export async function storeTestLink(
  world: Pick<World, "service" | "clock">,
  wish: { tenant?: string; id?: string; state?: Link["state"] } = {},
): Promise<Link["id"]> {
  const { db } = world.service.foundation.serving;
  const { tenant = "tenant-1", state = "active" } = wish;
  const linkId = id<Link["id"]>(wish.id);
  await storeGroup(db, tenant, { id: "group-1", name: "契約書" }, world.clock.now);
  await storeLink(db, {
    id: linkId,
    tenant,
    groupId: "group-1",
    state,
    account: { id: id(), name: "甲", baseUri: "http://127.0.0.1:9" },
    user: { id: id(), name: "山田", email: "yamada@example.com" },
    linkedAt: world.clock.now,
    sentFrom: null,
    receivedFrom: null,
    startDate: null,
    certificates: false,
    approval: "not-needed",
    connect: { sent: "active", received: "active", sentId: null, receivedId: null },
    firstImportTotal: 0,
  });
  return linkId;
}

export type ContractWish = Partial<Omit<NewContract, "linkId">> & {
  linkId: Link["id"];
  envelopeId?: string;
  bytesOf?: Buffer;
};

/** Stores a contract as an import would: its bytes, its envelope in the ledger, its place in the feed. */
export async function storeTestContract(
  world: Pick<World, "service" | "clock">,
  wish: ContractWish,
): Promise<NewContract> {
  const { serving, tasks } = world.service.foundation;
  const { linkId, envelopeId = randomUUID(), bytesOf = Buffer.from("%PDF-1.7 a document"), ...rest } = wish;
  const now = rest.importedAt ?? world.clock.now;
  const contract: NewContract = {
    id: id(),
    tenant: "tenant-1",
    groupId: "group-1",
    fileName: "契約書.docx",
    concludedOn: "2031-01-15",
    importedAt: now,
    pages: 1,
    bytes: bytesOf.byteLength,
    sha256: createHash("sha256").update(bytesOf).digest("hex"),
    certificate: null,
    documentKey: `contracts/${randomUUID()}`,
    linkId,
    source: {
      envelopeId: id(envelopeId),
      documentId: "1",
      accountId: id(),
      completedAt: now,
      subject: "ご契約",
      position: 1,
      sender: { name: "佐藤 太郎", email: "taro@example.jp" },
      recipients: [{ name: "鈴木 花子", email: "hanako@example.jp", role: "signer", completedAt: null }],
    },
    ...rest,
  };
  const { tenant, source } = contract;
  await tasks.documents.put(contract.documentKey, chunks(bytesOf));
  const claim = { envelopeId: source.envelopeId, linkId, foundBy: "event", now, leaseUntil: now } as const;
  await withSession(serving.db, async (session) => await claimEnvelope(session, claim));
  await serving.db.transaction().execute(async (tx) => {
    await storeContracts(tx, [contract]);
    await recordChanges(tx, "imported", [contract], now);
    const decided = { state: "imported", reason: "sent", completedAt: now } as const;
    await settleEnvelope(tx, {
      ...claim,
      tenant,
      ...decided,
      now,
      facts: { status: "completed", sentByAccount: true },
    });
  });
  tasks.notifier.changed(tenant);
  return contract;
}

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Stores the certificate of completion of an envelope, as an import would. */
export async function storeTestCertificate(
  world: Pick<World, "service" | "clock">,
  { tenant, source }: NewContract,
): Promise<void> {
  const { serving, tasks } = world.service.foundation;
  const key = `certificates/${randomUUID()}`;
  const written = await tasks.documents.put(key, chunks(Buffer.from("%PDF-1.7 a certificate")));
  const now = world.clock.now;
  await recordCertificate(serving.db, { tenant, envelopeId: source.envelopeId, now, key, ...written });
}
