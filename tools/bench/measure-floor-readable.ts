import { type Floor, startFloor } from "./floor-stage.ts";
import { timeReadable } from "./measure-readable.ts";
import { signedMessage } from "./messages.ts";
import type { Bench, Row } from "./report.ts";
import { type Stage, setStage } from "./stage.ts";
import { countStatements, describeStatements, totalCalls } from "./statements.ts";
import { median, percentile } from "./statistics.ts";

/** Until V8 has compiled what an event runs: in the first hundreds, an event takes twice the processor time. */
const WARM_UP = 400;
const ENVELOPES = 300;
const COUNTED = 20;
const MOST_RATIO = 3;

/** From an event's first byte until its contract is readable, beside the floor; event by event in turn. */
export async function measureFloorReadable(bench: Bench): Promise<Row[]> {
  await using stage = await setStage(bench, { role: "all", links: 1 });
  await using floor = await startFloor(bench, stage);
  const url = await floor.program.ask<string>("startReceiver");
  const ours: number[] = [];
  const floors: number[] = [];
  let after = 0;
  const next = async (): Promise<number> => {
    const { ms, next } = await timeReadable(stage, after);
    after = next;
    return ms;
  };
  for (let turn = 0; turn < WARM_UP + ENVELOPES; turn += 1) {
    const [here, there] = [await next(), await timeFloor(stage, floor, url)];
    if (turn >= WARM_UP) ours.push(here);
    if (turn >= WARM_UP) floors.push(there);
  }
  const statements = await countStatements(stage.database, async () => {
    for (let turn = 0; turn < COUNTED; turn += 1) await next();
  });
  process.stdout.write(`${describeStatements(statements, COUNTED)}\n`);
  return [
    compare("median", median(ours), median(floors)),
    compare("95th percentile", percentile(ours, 0.95), percentile(floors, 0.95)),
    {
      measured: "statements from a lone event to its contract's delivery",
      here: (totalCalls(statements) / COUNTED).toFixed(1),
      against: "the floor: 3",
      result: (totalCalls(statements) / COUNTED).toFixed(1),
      goal: "–",
      met: true,
    },
  ];
}

async function timeFloor({ docusign }: Stage, { program, links }: Floor, url: string): Promise<number> {
  const [link] = links;
  if (link === undefined) throw new Error("no link");
  const wish = { accountId: link.accountId, count: 1 };
  const [envelopeId = ""] = await docusign.ask<string[]>("conclude", wish);
  const readable = program.ask("untilReadable", envelopeId);
  const begin = performance.now();
  const { headers, body } = signedMessage(envelopeId);
  const response = await fetch(`${url}/connect/${link.id}`, {
    method: "POST",
    headers,
    body: new Uint8Array(body),
  });
  if (!response.ok) throw new Error(`the floor answered with ${response.status}`);
  await response.arrayBuffer();
  await readable;
  return performance.now() - begin;
}

function compare(what: string, here: number, floor: number): Row {
  const ratio = here / floor;
  return {
    measured: `event to contract readable beside the floor, ${what}`,
    here: `${here.toFixed(1)} ms`,
    against: `the floor: ${floor.toFixed(1)} ms`,
    result: `${ratio.toFixed(2)} ×`,
    goal: `≤ ${MOST_RATIO} ×`,
    met: ratio <= MOST_RATIO,
  };
}
