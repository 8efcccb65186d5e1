import { randomUUID } from "node:crypto";
import { type LinkId, parseUuid } from "../../domain/identifiers.ts";
import { FEED_TYPES, readFeed } from "../../store/contracts/feed.ts";
import type { Database } from "../../store/database.ts";
import { type ConnectEvent, recordEvents } from "../../store/events/record-events.ts";
import { enqueueRehearsal } from "../../store/queue/queue.ts";
import { queryWithin, rehearse } from "../../store/rehearsal.ts";
import { required } from "../../store/rows.ts";

/** Any will do: the rehearsed event has no body. */
const SLOT_HOURS = 24;

/** Tries what serving needs: queueing a job, recording an event and reading the feed. Leaves nothing behind. */
export async function rehearseServing(db: Database): Promise<void> {
  await rehearse(db, async (tx) => {
    for (const step of [queueJob, recordEvent, readChanges]) await step(tx);
  });
}

export async function rehearseQueueing(db: Database): Promise<void> {
  await rehearse(db, queueJob);
}

export async function rehearseRecording(db: Database): Promise<void> {
  await rehearse(db, recordEvent);
}

export async function rehearseReading(db: Database): Promise<void> {
  await rehearse(db, readChanges);
}

async function queueJob(tx: Database): Promise<void> {
  await enqueueRehearsal(tx, `rehearsal:${randomUUID()}`);
}

/**
 * For no link, so that nothing is written and no link is locked. PostgreSQL checks all privileges of the statement, and
 * that the session can write, before it runs it.
 */
async function recordEvent(tx: Database): Promise<void> {
  const event: ConnectEvent = {
    linkId: required(parseUuid<LinkId>("00000000-0000-4000-8000-000000000000")),
    identity: randomUUID(),
    format: "json-sim",
    event: "rehearsal",
    envelopeId: null,
    accountId: null,
    configurationId: null,
    generatedAt: null,
    receivedAt: new Date(0),
    body: null,
    forwardings: [],
    import: null,
  };
  const [recorded] = await recordEvents(queryWithin(tx), [event], SLOT_HOURS);
  if (recorded !== "no-link") throw new Error(`an event of no link counts as ${recorded}`);
}

async function readChanges(tx: Database): Promise<void> {
  await readFeed(tx, { tenant: "rehearsal", after: 0, limit: 1, types: new Set(FEED_TYPES) });
}
