import { createHash, randomUUID } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { DocuSignFault } from "../../docusign/faults/faults.ts";
import type { ContractId } from "../../domain/identifiers.ts";
import {
  countReadable,
  findContract,
  listReadable,
  moveDocument,
  type ReadableContract,
} from "../../store/contracts/contracts.ts";
import { findCurrentLink } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";

type Deps = Uses<"db" | "documents" | "openAccount">;

export type Damage = {
  readonly id: ContractId;
  readonly finding: "missing" | "wrong-length" | "wrong-hash";
  /** Why the bytes could not be fetched again; null if they were, or if no repair was requested. */
  readonly failure: string | null;
  readonly repaired: boolean;
};

export type Verification = {
  readonly examined: number;
  readonly damages: readonly Damage[];
  /** True if it was interrupted. */
  readonly isPartial: boolean;
};

export type VerifyOptions = {
  /** Null means all tenants. */
  readonly tenant: string | null;
  /** Reads the bytes and compares their hashes. */
  readonly deep: boolean;
  readonly repair: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
};

const STEP = 200;
const AT_ONCE = 8;

/**
 * Checks that the bytes of every readable contract are in the document store, with the right length or hash. With
 * `repair`, fetches what is missing or wrong through the link of its tenant. Stored bytes are replaced only by those that
 * the contract was imported with.
 */
export async function verifyDocuments(deps: Deps, options: VerifyOptions): Promise<Verification> {
  const total = await countReadable(deps.db, options.tenant);
  const damages: Damage[] = [];
  let examined = 0;
  let after: ContractId | null = null;
  while (!options.signal.aborted) {
    const contracts: ReadableContract[] = await listReadable(deps.db, {
      tenant: options.tenant,
      after,
      limit: STEP,
    });
    const last = contracts.at(-1);
    if (last === undefined) break;
    after = last.id;
    for (let start = 0; start < contracts.length && !options.signal.aborted; start += AT_ONCE) {
      const some = contracts.slice(start, start + AT_ONCE);
      const found = await Promise.all(some.map(async (contract) => await examine(deps, contract, options)));
      damages.push(...found.filter((one) => one !== null));
      examined += some.length;
      options.onProgress(examined, Math.max(examined, total));
    }
  }
  return { examined, damages, isPartial: options.signal.aborted };
}

async function examine(
  deps: Deps,
  contract: ReadableContract,
  { deep, repair }: VerifyOptions,
): Promise<Damage | null> {
  const finding = await findDamage(deps, contract, deep);
  if (finding === null) return null;
  const current = await findContract(deps.db, contract.tenant, contract.id);
  // It was deleted in the meantime.
  if (current === null || current.deletedAt !== null) return null;
  const failure = repair ? await fetchAgain(deps, contract) : null;
  return { id: contract.id, finding, failure, repaired: repair && failure === null };
}

async function findDamage(
  { documents }: Uses<"documents">,
  { documentKey, bytes, sha256 }: ReadableContract,
  deep: boolean,
): Promise<Damage["finding"] | null> {
  const size = await documents.size(documentKey);
  if (size === null) return "missing";
  if (size !== bytes) return "wrong-length";
  if (!deep) return null;
  const stream = await documents.open(documentKey);
  if (stream === null) return "missing";
  const hash = createHash("sha256");
  await pipeline(stream, hash);
  return hash.digest("hex") === sha256 ? null : "wrong-hash";
}

/** Returns why the document cannot be fetched; null if it has been. */
async function fetchAgain(deps: Deps, contract: ReadableContract): Promise<string | null> {
  const link = await findCurrentLink(deps.db, contract.tenant);
  if (link === null) return "the tenant has no link";
  const account = deps.openAccount(link);
  const key = `contracts/${randomUUID()}`;
  try {
    const source = await account.downloadDocument(contract.envelopeId, contract.documentId);
    const { sha256 } = await deps.documents.put(key, source);
    if (sha256 === contract.sha256 && (await moveDocument(deps.db, contract, key))) {
      await deps.documents.erase(contract.documentKey);
      return null;
    }
    await deps.documents.erase(key);
    return "DocuSign returns other bytes than it did at the import";
  } catch (error) {
    if (error instanceof DocuSignFault) return error.message;
    throw error;
  }
}
