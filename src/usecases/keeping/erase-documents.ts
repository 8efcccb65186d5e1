import { listCertificatesToErase, markCertificateErased } from "../../store/contracts/certificates.ts";
import { listToErase, markErased } from "../../store/contracts/contracts.ts";
import type { Uses } from "../capabilities.ts";

const AT_ONCE = 100;

/** Erases the bytes of all deleted contracts and certificates. If the document store fails, the job is retried. */
export async function eraseDocuments(deps: Uses<"db" | "documents" | "now">): Promise<void> {
  for (;;) {
    const contracts = await listToErase(deps.db, AT_ONCE);
    for (const { id, documentKey } of contracts) {
      await deps.documents.erase(documentKey);
      await markErased(deps.db, id, deps.now());
    }
    const certificates = await listCertificatesToErase(deps.db, AT_ONCE);
    for (const key of certificates) {
      await deps.documents.erase(key);
      await markCertificateErased(deps.db, key, deps.now());
    }
    if (contracts.length < AT_ONCE && certificates.length < AT_ONCE) return;
  }
}
