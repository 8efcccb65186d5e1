import { randomUUID } from "node:crypto";
import type { DocuSignAccount } from "../../docusign/api/account.ts";
import { DocuSignFault, isOurCredentialsFault, isTransient } from "../../docusign/faults/faults.ts";
import { decideFault } from "../../domain/fault-policy.ts";
import {
  findCertificate,
  recordCertificate,
  type StoredCertificate,
} from "../../store/contracts/certificates.ts";
import type { LedgerEntry } from "../../store/ledger/envelopes.ts";
import type { Link } from "../../store/links/links.ts";
import type { Uses } from "../capabilities.ts";
import { factsOf } from "./import-faults.ts";

export type CertificateWork = {
  readonly link: Link;
  readonly entry: LedgerEntry;
  readonly account: DocuSignAccount;
};

/** DocuSign's id of the certificate of completion among an envelope's documents. */
const CERTIFICATE = "certificate";

/**
 * Stores the envelope's certificate of completion, which costs one call unless it is stored already. Returns null if the
 * link takes none, if DocuSign refuses it, or if the envelope would be parked for it alone. Other faults are thrown.
 */
export async function storeCertificate(
  deps: Uses<"db" | "documents" | "log" | "now">,
  { link, entry, account }: CertificateWork,
): Promise<StoredCertificate | null> {
  if (!link.certificates) return null;
  const { tenant, envelopeId } = entry;
  const known = await findCertificate(deps.db, tenant, envelopeId);
  if (known !== null) return known;
  try {
    const key = `certificates/${randomUUID()}`;
    const written = await deps.documents.put(key, await account.downloadDocument(envelopeId, CERTIFICATE));
    return await recordCertificate(deps.db, { tenant, envelopeId, now: deps.now(), key, ...written });
  } catch (error) {
    const { code } = factsOf(error);
    if (!isRefusal(error) && !wouldPark(error, entry, deps.now())) throw error;
    deps.log.warn({ linkId: link.id, envelopeId, fault: code }, "imported without its certificate");
    return null;
  }
}

const RETRIED: ReadonlySet<number> = new Set([401, 408, 429]);

/** DocuSign rejected this call for good. A rejected token, key or limit concerns other calls too. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof DocuSignFault) || isTransient(error) || isOurCredentialsFault(error)) return false;
  const { httpStatus, kind } = error;
  if (httpStatus === null || kind === "authorization-gone") return false;
  return httpStatus >= 400 && httpStatus < 500 && !RETRIED.has(httpStatus);
}

/** The envelope's own documents are stored, so only the certificate would keep it from being imported. */
function wouldPark(error: unknown, { attempts }: LedgerEntry, now: Date): boolean {
  const place = { step: "document", attempts, isListed: true, isOnAnotherSite: false } as const;
  const reaction = decideFault(factsOf(error), place, now);
  return reaction.kind === "wait" && reaction.until === null;
}
