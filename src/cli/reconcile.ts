import type { Reconciliation } from "../store/ledger/reconciliations.ts";
import type { Link } from "../store/links/links.ts";
import { applyRecentTombstones } from "../usecases/deletions/apply-tombstones.ts";
import {
  type ReconciledLink,
  type ReconcileUses,
  reconcileNow,
} from "../usecases/operating/reconcile-now.ts";
import { EXIT, type ReconcileCommand, UsageError } from "./arguments.ts";
import { dryRunLinks } from "./dry-run.ts";
import { describeObstacle, formatCounts, formatDuration, titleOf } from "./format.ts";
import { chooseLinks } from "./links.ts";
import { showProgress } from "./progress.ts";
import { printJson, printLine, type Terminal } from "./terminal.ts";

/** `torikomi reconcile`: reconciles one link after the other and prints the results of each. */
export async function runReconcile(
  deps: ReconcileUses,
  command: ReconcileCommand,
  terminal: Terminal,
): Promise<number> {
  if (command.from !== null && command.from >= deps.now()) throw new UsageError("--from lies in the future");
  if (!command.dryRun) await applyRecentTombstones(deps);
  const links = await chooseLinks(deps.db, command.link);
  if (links.length === 0 && !command.json) printLine(terminal, "there is no link to reconcile");
  if (command.dryRun) return await dryRunLinks(deps, links, command, terminal);
  return await reconcileLinks(deps, links, command, terminal);
}

async function reconcileLinks(
  deps: ReconcileUses,
  links: readonly Link[],
  command: ReconcileCommand,
  terminal: Terminal,
): Promise<number> {
  const reconciled: ReconciledLink[] = [];
  for (const link of links) {
    if (terminal.signal.aborted) break;
    const one = await reconcileLink(deps, link, command, terminal);
    reconciled.push(one);
    if (!command.json) for (const line of linesOf(one)) printLine(terminal, line);
  }
  if (command.json) printJson(terminal, { dryRun: false, links: reconciled.map(toJson) });
  const isAll = reconciled.length === links.length && reconciled.every(({ obstacle }) => obstacle === null);
  return isAll ? EXIT.done : EXIT.notNow;
}

async function reconcileLink(
  deps: ReconcileUses,
  link: Link,
  { from, to, json }: ReconcileCommand,
  terminal: Terminal,
): Promise<ReconciledLink> {
  using progress = showProgress(terminal, titleOf(link), json);
  return await reconcileNow(deps, link, { from, to, signal: terminal.signal, onProgress: progress.show });
}

function linesOf({
  link,
  runs,
  imports,
  waiting,
  failed,
  calls,
  durationMs,
  obstacle,
}: ReconciledLink): string[] {
  return [
    titleOf(link),
    ...runs.flatMap(tellRun),
    `  imported  ${imports.imported} envelopes`,
    `  waiting   ${formatCounts(waiting)}; failed ${failed}`,
    `  took      ${calls} calls, ${formatDuration(durationMs)}`,
    ...(obstacle === null ? [] : [`  not all of it can be done now: ${describeObstacle(obstacle, link)}`]),
  ];
}

function tellRun({ kind, from, to, listed, known, missed, excluded }: Reconciliation): string[] {
  // No event can have announced the envelopes of a first import.
  const news = `${kind === "first" ? "new" : "missed by events"} ${missed}`;
  return [
    `  window    ${from.toISOString()} to ${to.toISOString()} (${kind})`,
    `  listed    ${listed}: known ${known}, ${news}, excluded by rule: ${formatCounts(excluded)}`,
  ];
}

function toJson({
  link,
  runs,
  imports,
  waiting,
  failed,
  calls,
  durationMs,
  obstacle,
}: ReconciledLink): object {
  return {
    linkId: link.id,
    tenant: link.tenant,
    state: link.state,
    cause: link.cause,
    reconciliations: runs.map((run) => ({
      id: run.id,
      kind: run.kind,
      from: run.from,
      to: run.to,
      listed: run.listed,
      known: run.known,
      missed: run.missed,
      excluded: run.excluded,
    })),
    imported: imports.imported,
    waiting,
    failed,
    calls,
    durationMs,
    notNow: obstacle,
  };
}
