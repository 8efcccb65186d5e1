import { randomUUID } from "node:crypto";
import type { DocuSignAccount } from "../../docusign/api/account.ts";
import { concludedOn, contentDocuments } from "../../domain/contract.ts";
import type { Envelope, EnvelopeDocument } from "../../domain/envelope.ts";
import type { ContractId } from "../../domain/identifiers.ts";
import type { Ownership } from "../../domain/ownership.ts";
import { isPurgeQueued } from "../../domain/purge.ts";
import type { Certificate, StoredCertificate } from "../../store/contracts/certificates.ts";
import { recordChanges } from "../../store/contracts/changes.ts";
import { commitImports } from "../../store/contracts/commit-import.ts";
import type { NewContract } from "../../store/contracts/contracts.ts";
import { blockAt } from "../../store/contracts/search-blocks.ts";
import { recordStoredDocument, type StoredBytes } from "../../store/contracts/stored-documents.ts";
import type { ImportFacts } from "../../store/import-facts.ts";
import { postponeEnvelope } from "../../store/ledger/claims.ts";
import type { LedgerEntry } from "../../store/ledger/envelopes.ts";
import { markEnvelopeDeleted } from "../../store/ledger/settlements.ts";
import { hasGroup } from "../../store/links/groups.ts";
import { lockLink } from "../../store/links/link-writes.ts";
import { findLink, type Link } from "../../store/links/links.ts";
import { forgetLostContracts, type LostContract } from "../../store/upkeep/tombstones.ts";
import type { Uses } from "../capabilities.ts";
import { failLink } from "../health/link-health.ts";
import type { Commit, ToCommit } from "./commit-batch.ts";
import { contractId } from "./contract-id.ts";
import { isFresh } from "./listed-envelope.ts";
import type { ImportOutcome } from "./outcome.ts";
import { storeCertificate } from "./store-certificate.ts";

export type Import = {
  readonly link: Link;
  readonly entry: LedgerEntry;
  readonly account: DocuSignAccount;
  readonly envelope: Envelope;
  /** When DocuSign returned the envelope. */
  readonly readAt: Date;
  readonly decision: Ownership;
  /** Read at or after that time. */
  readonly facts: ImportFacts;
  readonly commit: Commit;
};

/**
 * Stores the envelope's documents, then commits its contracts and ledger entry in one transaction. Returns `ask-again`
 * if the envelope must be fetched again, because its documents may have been purged meanwhile.
 */
export async function takeIn(
  deps: Uses<"db" | "documents" | "log" | "notifier" | "now">,
  work: Import,
): Promise<ImportOutcome | "ask-again"> {
  const documents = contentDocuments(work.envelope.documents ?? []);
  const { lost } = work.facts;
  const stored = await storeDocuments(
    deps,
    work,
    documents.filter(({ documentId }) => !lost.has(documentId)),
  );
  if (stored === "ask-again") return stored;
  const isDeleted = documents.every(({ documentId }) => lost.has(documentId));
  const certificate = isDeleted ? null : await storeCertificate(deps, work);
  const pairs = pair(documents, { stored: stored.documents, lost, certificate });
  try {
    return await commit(deps, work, { pairs, unrecorded: stored.unrecorded });
  } catch (error) {
    // The next attempt must not download the documents again.
    for (const document of stored.unrecorded) await recordDocument(deps, work, document).catch(() => {});
    throw error;
  }
}

type StoredDocuments = {
  readonly documents: ReadonlyMap<string, StoredBytes>;
  readonly unrecorded: readonly StoredBytes[];
};

/**
 * Downloads one document at a time, because DocuSign limits concurrent downloads. Skips documents that are already
 * stored. Each is recorded at once, and the last one with the contracts if nothing else comes before. Returns `ask-again`
 * if a document may be a placeholder for a purged one, or the next one might be.
 */
async function storeDocuments(
  deps: Uses<"db" | "documents" | "now">,
  work: Import,
  documents: readonly EnvelopeDocument[],
): Promise<StoredDocuments | "ask-again"> {
  const { link, account, envelope, readAt } = work;
  const { envelopeId } = work.entry;
  const stored = new Map(work.facts.stored);
  const missing = documents.filter(({ documentId }) => !stored.has(documentId));
  const mayBePurged = missing.length > 0 && isPurgeQueued(envelope.purgeState);
  const unrecorded: StoredBytes[] = [];
  for (const { documentId } of missing) {
    if (!isFresh(readAt, deps.now())) return "ask-again";
    const key = `contracts/${randomUUID()}`;
    const written = await deps.documents.put(key, await account.downloadDocument(envelopeId, documentId));
    const document = { documentId, key, ...written };
    const isLast = documentId === missing.at(-1)?.documentId && !link.certificates && !mayBePurged;
    if (isLast) unrecorded.push(document);
    stored.set(documentId, isLast ? document : await recordDocument(deps, work, document));
  }
  return mayBePurged ? "ask-again" : { documents: stored, unrecorded };
}

async function recordDocument(
  { db, now }: Uses<"db" | "now">,
  { entry: { tenant, envelopeId } }: Import,
  document: StoredBytes,
): Promise<StoredBytes> {
  return await recordStoredDocument(db, { tenant, envelopeId, now: now(), ...document });
}

/** `lost` is set if the document's contract was deleted before the database was set back. */
type Pair = {
  readonly document: EnvelopeDocument;
  readonly stored: Omit<StoredBytes, "documentId">;
  readonly lost: LostContract | null;
  /** That of the envelope. */
  readonly certificate: Certificate | null;
};

type Found = {
  readonly stored: ReadonlyMap<string, StoredBytes>;
  readonly lost: ReadonlyMap<string, LostContract>;
  readonly certificate: StoredCertificate | null;
};

/** A deleted contract is not downloaded again. Its length is 0, with the hash of nothing. */
const NO_BYTES = {
  key: "erased",
  bytes: 0,
  sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
};

function pair(documents: readonly EnvelopeDocument[], { stored, lost, certificate }: Found): Pair[] {
  const shared = certificate && { bytes: certificate.bytes, sha256: certificate.sha256 };
  return documents.map((document) => {
    const deleted = lost.get(document.documentId);
    if (deleted !== undefined) return { document, stored: NO_BYTES, lost: deleted, certificate: shared };
    const bytes = stored.get(document.documentId);
    if (bytes === undefined)
      throw new Error(`document ${document.documentId} was stored but is not recorded`);
    return { document, stored: bytes, lost: null, certificate: shared };
  });
}

type Taken = { readonly pairs: readonly Pair[]; readonly unrecorded: readonly StoredBytes[] };

async function commit(
  deps: Uses<"db" | "notifier" | "now">,
  work: Import,
  taken: Taken,
): Promise<ImportOutcome> {
  const live = taken.pairs.filter(({ lost }) => lost === null);
  const { verdict, stored } =
    live.length < taken.pairs.length
      ? await commitWithDeleted(deps, work, taken)
      : await work.commit(toCommit(work, taken));
  switch (verdict) {
    case "imported":
      deps.notifier.changed(work.link.tenant);
      return { kind: "imported", contracts: live.filter((one) => stored.has(idOf(work, one))).length };
    case "link-ended":
      return { kind: "link-ended" };
    case "paused":
      return await waitForResumption(deps, work);
    case "group-missing":
      return await waitForGroup(deps, work);
    case "group-changed": {
      const link = await findLink(deps.db, work.link.id);
      if (link === null) return { kind: "link-ended" };
      return await commit(deps, { ...work, link }, { ...taken, unrecorded: [] });
    }
    case "recorded-meanwhile":
      throw new Error("another import has recorded a document of the envelope meanwhile");
  }
}

/** The link was paused during the import. The documents are stored, so the envelope is imported once it is resumed. */
async function waitForResumption({ db, now }: Uses<"db" | "now">, { entry }: Import): Promise<ImportOutcome> {
  const wait = { reason: "queued", until: now() } as const;
  await postponeEnvelope(db, { ...entry, ...wait, error: null, countsAsAttempt: false });
  return { kind: "waiting", ...wait };
}

/** Runs in its own transaction: imports that hold a share lock on the link would deadlock when they change it. */
async function waitForGroup(
  deps: Uses<"db" | "now">,
  { link: { id }, entry }: Import,
): Promise<ImportOutcome> {
  await deps.db.transaction().execute(async (tx) => {
    const link = await lockLink(tx, id, "update");
    if (link?.state !== "active" || (await hasGroup(tx, link.tenant, link.groupId))) return;
    await failLink(tx, link, "group-missing");
  });
  const until = deps.now();
  await postponeEnvelope(deps.db, {
    ...entry,
    reason: "group-missing",
    until,
    error: null,
    countsAsAttempt: false,
  });
  return { kind: "waiting", reason: "group-missing", until };
}

function toCommit(
  { link, entry: { envelopeId }, envelope, decision, facts }: Import,
  { pairs, unrecorded }: Taken,
): ToCommit {
  const { completedAt } = envelope;
  if (completedAt === null) throw new Error("an envelope to import has no completion time");
  const { tenant, id: linkId, groupId } = link;
  const importedAt: ToCommit["importedAt"] = (now) => ({
    envelopeId,
    reason: decision.reason,
    completedAt,
    facts: decision.facts,
    block: blockAt(facts.blocks, now),
    contracts: pairs.map((one, index) =>
      toContract(link, { ...envelope, completedAt }, { ...one, position: index + 1 }, now),
    ),
    unrecorded,
  });
  return { tenant, linkId, groupId, importedAt };
}

/** Contracts that were deleted before the database was set back stay deleted, also for readers of the feed. */
async function commitWithDeleted(
  { db, now }: Uses<"db" | "now">,
  work: Import,
  taken: Taken,
): ReturnType<Commit> {
  const at = now();
  const { importedAt, ...shared } = toCommit(work, taken);
  const { tenant, envelopeId } = work.entry;
  const imported = importedAt(at);
  return await db.transaction().execute(async (tx) => {
    const committed = await commitImports(tx, { ...shared, now: at, envelopes: [imported] });
    const deleted = imported.contracts.filter(
      ({ id, deletedAt }) => committed.stored.has(id) && (deletedAt ?? null) !== null,
    );
    if (deleted.length === 0) return committed;
    await recordChanges(tx, "deleted", deleted, at);
    await markEnvelopeDeleted(tx, tenant, envelopeId, at);
    await forgetLostContracts(
      tx,
      deleted.map(({ id }) => id),
    );
    return committed;
  });
}

function idOf(
  { link, envelope }: Pick<Import, "link" | "envelope">,
  { document, lost }: Pick<Pair, "document" | "lost">,
): ContractId {
  return lost?.id ?? contractId(link.tenant, envelope.id, document.documentId);
}

function toContract(
  link: Link,
  envelope: Envelope & { readonly completedAt: Date },
  { document, stored, lost, certificate, position }: Pair & { readonly position: number },
  now: Date,
): NewContract {
  return {
    id: idOf({ link, envelope }, { document, lost }),
    tenant: link.tenant,
    groupId: link.groupId,
    linkId: link.id,
    fileName: document.name,
    concludedOn: concludedOn(envelope.completedAt),
    importedAt: now,
    pages: document.pages,
    bytes: stored.bytes,
    sha256: stored.sha256,
    certificate,
    documentKey: stored.key,
    deletedAt: lost?.deletedAt ?? null,
    source: {
      envelopeId: envelope.id,
      documentId: document.documentId,
      accountId: link.account.id,
      completedAt: envelope.completedAt,
      subject: envelope.subject,
      position,
      ...envelope.parties,
    },
  };
}
