import { reconcileAll } from "../../src/usecases/reconciling/reconcile-all.ts";
import type { Bench, Row } from "./report.ts";
import { setStage } from "./stage.ts";
import { lastFullHour, untilContracts } from "./waiting.ts";

const ENVELOPES = 40;

/** How many calls of DocuSign an imported envelope of one file costs. */
export async function measureCalls(bench: Bench): Promise<Row[]> {
  await using stage = await setStage(bench, { role: "all", links: 1 });
  const [link] = stage.links;
  if (link === undefined) throw new Error("no link");
  const { accountId } = link.user;
  const count = ENVELOPES;
  await stage.takeCalls();

  for (const id of await stage.docusign.ask<string[]>("conclude", { accountId, count }))
    await stage.tell(link, id);
  await untilContracts(stage, count);
  const byEvent = await stage.takeCalls();

  const hour = lastFullHour();
  const completedAt = new Date(hour.getTime() - 60_000);
  await stage.docusign.ask("conclude", { accountId, count, completedAt });
  await reconcileAll({ db: stage.database.db, now: () => new Date() }, hour);
  await untilContracts(stage, 2 * count);
  const { all, listing, connect } = await stage.takeCalls();
  const beside = `${listing} calls to list them all, ${connect} to look at Connect, which had told of none`;
  return [
    rowOf("brought by an event", byEvent.all / count, { least: 2, beside: null }),
    rowOf("found by reconciliation", (all - listing - connect) / count, { least: 1, beside }),
  ];
}

function rowOf(way: string, calls: number, { least, beside }: { least: number; beside: string | null }): Row {
  return {
    measured: `DocuSign calls per single-file envelope ${way}`,
    here: calls.toFixed(2),
    against: `the least possible: ${least}${beside === null ? "" : `; beside ${beside}`}`,
    result: calls.toFixed(2),
    goal: `≤ ${least}`,
    met: calls <= least,
  };
}
