import type { Link } from "../store/links/links.ts";
import type { Uses } from "../usecases/capabilities.ts";
import {
  type DryRunEnvelope,
  type DryRunReconciliation,
  dryRunReconciliation,
} from "../usecases/operating/dry-run.ts";
import { EXIT, type ReconcileCommand } from "./arguments.ts";
import { describeObstacle, formatCounts, titleOf } from "./format.ts";
import { showProgress } from "./progress.ts";
import { printJson, printLine, type Terminal } from "./terminal.ts";

/** `torikomi reconcile --dry-run`: shows what would be imported or excluded, and by which rule. */
export async function dryRunLinks(
  deps: Uses<"budgets" | "db" | "now" | "openAccount">,
  links: readonly Link[],
  command: ReconcileCommand,
  terminal: Terminal,
): Promise<number> {
  const predicted: DryRunReconciliation[] = [];
  for (const link of links) {
    if (terminal.signal.aborted) break;
    const one = await dryRunLink(deps, link, command, terminal);
    predicted.push(one);
    if (!command.json) for (const line of linesOf(one)) printLine(terminal, line);
  }
  if (command.json) printJson(terminal, { dryRun: true, links: predicted.map(toJson) });
  const isAll = predicted.length === links.length && predicted.every(({ obstacle }) => obstacle === null);
  return isAll ? EXIT.done : EXIT.notNow;
}

async function dryRunLink(
  deps: Uses<"budgets" | "db" | "now" | "openAccount">,
  link: Link,
  { from, to, json }: ReconcileCommand,
  terminal: Terminal,
): Promise<DryRunReconciliation> {
  using progress = showProgress(terminal, titleOf(link), json);
  return await dryRunReconciliation(deps, link, {
    from,
    to,
    signal: terminal.signal,
    onProgress: progress.show,
  });
}

/** More lines would hide the summary; `--json` prints all. */
const MOST_LINES = 50;

function linesOf({ link, from, to, envelopes, calls, obstacle }: DryRunReconciliation): string[] {
  const left = envelopes.length - MOST_LINES;
  return [
    `${titleOf(link)}: dry run, nothing is written`,
    `  window    ${from.toISOString()} to ${to.toISOString()}`,
    ...envelopes.slice(0, MOST_LINES).map(envelopeLine),
    ...(left > 0 ? [`  … and ${left} more: --json prints all`] : []),
    `  listed    ${envelopes.length}: ${formatCounts(summarize(envelopes))}`,
    `  took      ${calls} calls`,
    ...(obstacle === null ? [] : [`  not all of it can be seen now: ${describeObstacle(obstacle, link)}`]),
  ];
}

function envelopeLine({ envelopeId, completedAt, outcome, reason }: DryRunEnvelope): string {
  return `  ${envelopeId}  ${completedAt?.toISOString() ?? "completed at an unknown time"}  ${outcome}: ${reason}`;
}

/** Counts the outcomes; exclusions by rule. */
function summarize(envelopes: readonly DryRunEnvelope[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome, reason } of envelopes) {
    const name = outcome === "excluded" ? `excluded (${reason})` : outcome;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function toJson({ link, from, to, envelopes, calls, obstacle }: DryRunReconciliation): object {
  const summary = summarize(envelopes);
  return { linkId: link.id, tenant: link.tenant, from, to, envelopes, summary, calls, notNow: obstacle };
}
