import type { Bench, Row } from "./report.ts";
import { type Stage, setStage } from "./stage.ts";
import { median, percentile } from "./statistics.ts";

const WARM_UP = 15;
const ENVELOPES = 60;
const GOAL_MS = 50;

/** From an event's first byte until a service that waits at the feed has read the contract; DocuSign answers at once. */
export async function measureReadable(bench: Bench): Promise<Row[]> {
  await using stage = await setStage(bench, { role: "all", links: 1 });
  const times: number[] = [];
  let after = 0;
  for (let turn = 0; turn < WARM_UP + ENVELOPES; turn += 1) {
    const { ms, next } = await timeReadable(stage, after);
    after = next;
    if (turn >= WARM_UP) times.push(ms);
  }
  const here = median(times);
  return [
    {
      measured: "event to contract readable, DocuSign answering at once, median",
      here: `${here.toFixed(1)} ms`,
      against: `95th percentile ${percentile(times, 0.95).toFixed(1)} ms`,
      result: `${here.toFixed(1)} ms`,
      goal: `≤ ${GOAL_MS} ms`,
      met: here <= GOAL_MS,
    },
  ];
}

/** Concludes one envelope and times it; `after` is the feed's position, of which `next` is the following one. */
export async function timeReadable(stage: Stage, after: number): Promise<{ ms: number; next: number }> {
  const [link] = stage.links;
  if (link === undefined) throw new Error("no link");
  const [envelopeId = ""] = await stage.docusign.ask<string[]>("conclude", {
    accountId: link.user.accountId,
    count: 1,
  });
  const news = stage.get(link, `/v1/changes?after=${after}&wait=30`);
  const begin = performance.now();
  await stage.tell(link, envelopeId);
  const { items, next } = await news;
  await stage.get(link, `/v1/contracts/${items[0]?.contract.id}`);
  return { ms: performance.now() - begin, next };
}
