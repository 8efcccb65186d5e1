import type { Uses } from "../usecases/capabilities.ts";
import { type Damage, type Verification, verifyDocuments } from "../usecases/operating/verify-documents.ts";
import { EXIT, type VerifyCommand } from "./arguments.ts";
import { amount } from "./format.ts";
import { showCount } from "./progress.ts";
import { printLine, type Terminal } from "./terminal.ts";

/** `torikomi verify-documents`: prints the ids of contracts whose bytes are missing or wrong. */
export async function runVerify(
  deps: Uses<"db" | "documents" | "openAccount">,
  { tenant, deep, repair }: VerifyCommand,
  terminal: Terminal,
): Promise<number> {
  const result = await verify();
  for (const damage of result.damages) printLine(terminal, lineOf(damage));
  printLine(terminal, summaryOf(result, repair));
  if (result.damages.some(({ repaired }) => !repaired)) return EXIT.failed;
  return result.isPartial ? EXIT.notNow : EXIT.done;

  async function verify(): Promise<Verification> {
    using progress = showCount(terminal, "verifying documents");
    const { signal } = terminal;
    return await verifyDocuments(deps, { tenant, deep, repair, signal, onProgress: progress.show });
  }
}

const FINDINGS = { missing: "missing", "wrong-length": "wrong length", "wrong-hash": "wrong hash" } as const;

function lineOf({ id, finding, failure, repaired }: Damage): string {
  if (repaired) return `${id} ${FINDINGS[finding]}, repaired`;
  return `${id} ${FINDINGS[finding]}${failure === null ? "" : `, not repaired: ${failure}`}`;
}

function summaryOf({ examined, damages, isPartial }: Verification, repair: boolean): string {
  const repaired = damages.filter((damage) => damage.repaired).length;
  return [
    `checked ${amount(examined, "contract")}: ${damages.length} missing or wrong`,
    ...(repair ? [`${repaired} repaired`] : []),
    ...(isPartial ? ["interrupted"] : []),
  ].join(", ");
}
