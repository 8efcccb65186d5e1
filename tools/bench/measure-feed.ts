import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type ContractId, type EnvelopeId, parseUuid } from "../../src/domain/identifiers.ts";
import { recordChanges } from "../../src/store/contracts/changes.ts";
import type { NewContract } from "../../src/store/contracts/contracts.ts";
import { openNotifier } from "../../src/store/notifier.ts";
import { storeContracts } from "../../test/support/store-contracts.ts";
import type { Bench, Row } from "./report.ts";
import { addLedger, type SeededLink } from "./seed.ts";
import { type Stage, setStage } from "./stage.ts";
import { median, percentile } from "./statistics.ts";

const WARM_UP = 10;
const CONTRACTS = 60;
const GOAL_MS = 50;
/** So that the reader waits at the feed before anything is committed. */
const SETTLE_MS = 20;

/** From a contract's commit until a reader that waits at the feed has it. */
export async function measureFeed(bench: Bench): Promise<Row[]> {
  await using stage = await setStage(bench, { role: "serve", links: 1 });
  const [link] = stage.links;
  if (link === undefined) throw new Error("no link");
  const { db } = stage.database;
  await using opened = new AsyncDisposableStack();
  const notifier = openNotifier(stage.wish.connectionString);
  opened.defer(notifier.close);
  await addLedger(db, [link], WARM_UP + CONTRACTS);
  const envelopes = await db.selectFrom("envelope").select("envelope_id").execute();
  const times: number[] = [];
  let after = 0;
  for (const [turn, { envelope_id: id }] of envelopes.entries()) {
    const news = stage.get(link, `/v1/changes?after=${after}&wait=30`);
    await sleep(SETTLE_MS);
    await commit(stage, contractOf(link, parseUuid<EnvelopeId>(id)!));
    const begin = performance.now();
    notifier.changed(link.tenant);
    after = (await news).next;
    if (turn >= WARM_UP) times.push(performance.now() - begin);
  }
  const here = median(times);
  return [
    {
      measured: "change feed: contract committed to delivered, median",
      here: `${here.toFixed(1)} ms`,
      against: `95th percentile ${percentile(times, 0.95).toFixed(1)} ms`,
      result: `${here.toFixed(1)} ms`,
      goal: `< ${GOAL_MS} ms`,
      met: here < GOAL_MS,
    },
  ];
}

async function commit(stage: Stage, contract: NewContract): Promise<void> {
  await stage.database.db.transaction().execute(async (tx) => {
    await recordChanges(tx, "imported", await storeContracts(tx, [contract]), contract.importedAt);
  });
}

function contractOf(link: SeededLink, envelopeId: EnvelopeId): NewContract {
  const now = new Date();
  return {
    id: parseUuid<ContractId>(randomUUID())!,
    tenant: link.tenant,
    groupId: "group-1",
    linkId: link.id,
    fileName: "業務委託契約書.pdf",
    concludedOn: "2031-01-15",
    importedAt: now,
    certificate: null,
    pages: 1,
    bytes: 1_000,
    sha256: "0".repeat(64),
    documentKey: randomUUID(),
    source: {
      envelopeId,
      documentId: "1",
      accountId: parseUuid(link.user.accountId)!,
      completedAt: now,
      subject: "ご契約のお願い",
      position: 1,
      sender: { name: "山田 花子", email: "hanako@example.com" },
      recipients: null,
    },
  };
}
