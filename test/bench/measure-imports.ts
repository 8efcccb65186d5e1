import type { Bench } from "./bench.ts";
import type { Row } from "./report.ts";
import { type Stage, setStage } from "./stage.ts";
import { untilContracts } from "./waiting.ts";

const LATENCY_MS = 200;
const CONCURRENCY = 10;
/** The envelope and its document. */
const CALLS = 2;
/** So many that the first and the last second count for little: what lasts is measured. */
const ENVELOPES = 1_000;
/** As DocuSign does: so many at once, each sending its next event when the last one was answered. */
const SENDERS = 20;
const LEAST = 0.9;

/** How many envelopes a second events bring in while DocuSign takes its time; more than the limit cannot be. */
export async function measureImports(bench: Bench): Promise<Row[]> {
  await using stage = await setStage(bench, {
    role: "all",
    links: 5,
    latencyMs: LATENCY_MS,
    environment: { WORKER_CONCURRENCY: String(CONCURRENCY) },
  });
  const limit = CONCURRENCY / (CALLS * (LATENCY_MS / 1000));
  await importMany(stage, 2 * CONCURRENCY);
  const here = await importMany(stage, ENVELOPES);
  return [
    {
      measured: `imports a second, DocuSign answering after ${LATENCY_MS} ms`,
      here: `${here.toFixed(1)}/s`,
      against: `the limit: ${CONCURRENCY} ÷ (${CALLS} × ${LATENCY_MS} ms) = ${limit}/s`,
      result: `${(here / limit).toFixed(2)} ×`,
      goal: `≥ ${LEAST} ×`,
      met: here / limit >= LEAST,
    },
  ];
}

/** Envelopes of all links complete; gives the imports a second from the first event to the last contract. */
async function importMany(stage: Stage, count: number): Promise<number> {
  const before = await stage.countContracts();
  const links = await Promise.all(
    stage.links.map(async (link) => {
      const wish = { accountId: link.user.accountId, count: count / stage.links.length };
      const ids = await stage.docusign.ask<string[]>("conclude", wish);
      return ids.map((id) => async () => await stage.tell(link, id));
    }),
  );
  // As they come in life: each link's now and then, not one link's after the other's.
  const told = (links[0] ?? []).flatMap((_, turn) => links.flatMap((tells) => tells[turn] ?? []));
  const begin = performance.now();
  const left = told.values();
  const send = async (): Promise<void> => {
    for (const tell of left) await tell();
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  await untilContracts(stage, before + count);
  return (count * 1000) / (performance.now() - begin);
}
