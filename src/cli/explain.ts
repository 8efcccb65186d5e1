import { tenantsOfEnvelope } from "../store/ledger/envelopes.ts";
import { listCurrentLinks } from "../store/links/links.ts";
import type { Uses } from "../usecases/capabilities.ts";
import { explainEnvelope } from "../usecases/explaining/explain-envelope.ts";
import { EXIT, type ExplainCommand } from "./arguments.ts";
import { explanationLines, type TenantsExplanation } from "./explanation-lines.ts";
import { printJson, printLine, type Terminal } from "./terminal.ts";

type Deps = Uses<"budgets" | "db" | "importTiming" | "now" | "openAccount">;

/**
 * `torikomi explain`: for the given tenant; otherwise for all tenants that have the envelope or, if none has it, for those
 * whose linked user finds it in DocuSign. If it is unknown and DocuSign cannot be reached, the exit status is 75.
 */
export async function runExplain(deps: Deps, command: ExplainCommand, terminal: Terminal): Promise<number> {
  const explanations = await explainTo(deps, command, terminal);
  const isKnown = explanations.some(({ outcome }) => outcome !== "unknown");
  if (command.json) printJson(terminal, toJson(command, explanations));
  else if (explanations.length === 0) printLine(terminal, NOBODY[terminal.language](command.envelopeId));
  else
    for (const line of explanations.flatMap((one) => explanationLines(one, terminal.language)))
      printLine(terminal, line);
  if (isKnown) return EXIT.done;
  return explanations.some(({ waitingFor }) => waitingFor !== null) ? EXIT.notNow : EXIT.failed;
}

const NOBODY = {
  en: (id: string) => `envelope ${id} was not found here or in DocuSign`,
  ja: (id: string) =>
    `エンベロープ ${id} は見つかりませんでした。記録がなく、連携ユーザーが閲覧できるDocuSignのエンベロープにもありません。`,
} as const;

async function explainTo(
  deps: Deps,
  { envelopeId, tenant }: ExplainCommand,
  { language, signal }: Terminal,
): Promise<TenantsExplanation[]> {
  const known = tenant === null ? await tenantsOfEnvelope(deps.db, envelopeId) : [tenant];
  const tenants = known.length > 0 ? known : (await listCurrentLinks(deps.db)).map((link) => link.tenant);
  const explanations: TenantsExplanation[] = [];
  for (const one of tenants) {
    if (signal.aborted) break;
    const explanation = await explainEnvelope(deps, { tenant: one, envelopeId, asker: "operator" }, language);
    if (explanation !== null) explanations.push({ tenant: one, ...explanation });
  }
  const found = explanations.filter(({ outcome }) => outcome !== "unknown");
  return found.length > 0 ? found : explanations;
}

/** One explanation for a given tenant, otherwise a list. */
function toJson(command: ExplainCommand, explanations: readonly TenantsExplanation[]): object {
  const told = explanations.map(({ contracts, ...rest }) => ({
    ...rest,
    contracts: contracts.map(({ id, fileName, groupId, importedAt, deletedAt, source }) => ({
      id,
      documentId: source.documentId,
      fileName,
      groupId,
      importedAt,
      deletedAt,
    })),
  }));
  if (command.tenant === null) return { envelopeId: command.envelopeId, explanations: told };
  return (
    told[0] ?? {
      tenant: command.tenant,
      envelopeId: command.envelopeId,
      outcome: "unknown",
      reason: "not-found",
    }
  );
}
