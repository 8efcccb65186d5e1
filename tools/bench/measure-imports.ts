import { type Child, startChild } from "./child.ts";
import type { Bench, Row } from "./report.ts";
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
  await using senders = await startChild("./senders.ts");
  const limit = CONCURRENCY / (CALLS * (LATENCY_MS / 1000));
  await importMany(stage, senders, 2 * CONCURRENCY);
  const here = await importMany(stage, senders, ENVELOPES);
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

/**
 * Envelopes of all links complete; returns the imports a second from when all are announced to the last contract. What
 * many events at once cost is measured by itself.
 */
export async function importMany(stage: Stage, senders: Child, count: number): Promise<number> {
  const before = await stage.countContracts();
  const announced = await Promise.all(
    stage.links.map(async ({ id, user }) => {
      const wish = { accountId: user.accountId, count: count / stage.links.length };
      const ids = await stage.docusign.ask<string[]>("conclude", wish);
      return ids.map((envelopeId) => ({ linkId: id, envelopeId }));
    }),
  );
  // As they come in life: each link's now and then, not one link's after the other's.
  const mixed = (announced[0] ?? []).flatMap((_, turn) => announced.flatMap((own) => own[turn] ?? []));
  await senders.ask("prepareThese", mixed);
  await senders.ask("sendAll", { port: Number(new URL(stage.program.url).port), senders: SENDERS });
  const begin = performance.now();
  const left = before + count - (await stage.countContracts());
  await untilContracts(stage, before + count);
  return (left * 1000) / (performance.now() - begin);
}
