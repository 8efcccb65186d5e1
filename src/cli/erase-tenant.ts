import type { Uses } from "../usecases/capabilities.ts";
import { eraseTenant, type TenantErasure } from "../usecases/deletions/erase-tenant.ts";
import { type EraseCommand, EXIT } from "./arguments.ts";
import { formatCounts } from "./format.ts";
import { printLine, type Terminal } from "./terminal.ts";

/** `torikomi erase-tenant`: erases everything of a customer who leaves, and prints what it erased. */
export async function runErase(
  deps: Uses<"adminProfiles" | "db" | "documents" | "log" | "now" | "openAccount" | "publicUrl">,
  { tenant, force }: EraseCommand,
  terminal: Terminal,
): Promise<number> {
  const erasure = await eraseTenant(deps, tenant, force);
  for (const line of linesOf(tenant, erasure)) printLine(terminal, line);
  return erasure.kind === "not-now" ? EXIT.notNow : EXIT.done;
}

function linesOf(tenant: string, erasure: TenantErasure): string[] {
  switch (erasure.kind) {
    case "unknown-tenant":
      return [`there is no data of ${tenant}`];
    case "not-now":
      return [`nothing was erased: ${REASONS[erasure.reason]}`];
    case "erased":
      return [
        `erased ${tenant}`,
        `  link       ${erasure.hadLink ? "ended" : "no link was active"}`,
        `  documents  ${erasure.documents}`,
        `  rows       ${formatCounts(erasure.rows)}`,
        `  tombstones ${erasure.tombstones}`,
      ];
  }
}

const REASONS = {
  "docusign-unavailable":
    "DocuSign did not remove the link's Connect configurations. Try again later, or use --force to leave them there",
  "document-store-unavailable": "the document store takes no tombstone",
} as const;
