import type { Task, TaskList, TaskSpec } from "graphile-worker";
import type { Logger } from "pino";
import { z } from "zod";
import { type EnvelopeId, type LinkId, parseUuid } from "../domain/identifiers.ts";
import { startOfHour } from "../domain/schedule.ts";
import type { Uses } from "../usecases/capabilities.ts";
import { beginHour } from "../usecases/deletions/begin-hour.ts";
import { probeDocumentStore } from "../usecases/importing/document-store.ts";
import { runBacklogTurn } from "../usecases/importing/import-backlog.ts";
import { importEnvelope } from "../usecases/importing/import-envelope.ts";
import { wakeBacklog } from "../usecases/importing/wake-backlog.ts";
import { emptyEventBodies } from "../usecases/keeping/empty-event-bodies.ts";
import { eraseDocuments } from "../usecases/keeping/erase-documents.ts";
import { tidy } from "../usecases/keeping/housekeeping.ts";
import { continueReconciliation } from "../usecases/reconciling/continue-reconciliation.ts";
import { reconcileLinks } from "../usecases/reconciling/reconcile-links.ts";
import type { LinkShare } from "./link-share.ts";
import { traceJob } from "./trace-job.ts";
import { unlockDeadWorkers } from "./worker-pools.ts";

/** Dependencies of all tasks. */
export type TaskUses = Uses<
  | "adminProfiles"
  | "budgets"
  | "db"
  | "documents"
  | "eventRetentionDays"
  | "lanes"
  | "largeImport"
  | "log"
  | "metrics"
  | "notifier"
  | "now"
  | "openAccount"
  | "prepareTokens"
  | "publicUrl"
> & {
  readonly log: Pick<Logger, "debug" | "info">;
  /** Runs a job's work so that all its log lines carry the job id. */
  readonly withJobId: <T>(jobId: string, work: () => T) => T;
};

/** All tasks by name: parse the payload, call the use case, queue the next job. */
export function createTasks(deps: TaskUses, share: LinkShare): TaskList {
  const tasks: Record<string, Task> = {
    "import-envelope": share.within(async (payload) => await importOne(deps, importPayload.parse(payload))),
    "import-backlog": share.within(
      async (payload, { abortSignal }) =>
        await runBacklogTurn(deps, { ...backlogPayload.parse(payload), signal: abortSignal }),
    ),
    "reconcile-all": async (payload) => await beginHour(deps, hourOf(payload, deps.now())),
    "reconcile-link": share.within(
      async (payload) => await continueReconciliation(deps, reconcilePayload.parse(payload)),
    ),
    "reconcile-links": share.withinHour(
      async (payload, { abortSignal }) =>
        await reconcileLinks(deps, { ...hourPayload.parse(payload), signal: abortSignal }),
    ),
    "probe-documents": async () => await probeDocumentStore(deps),
    "erase-documents": async () => await eraseDocuments(deps),
    "empty-event-bodies": async () => void (await emptyEventBodies(deps, deps.now())),
    housekeeping: async () => void (await tidy(deps)),
    "rescue-jobs": async (payload, { addJob }) => {
      await rescueJobs(deps);
      if (cronPayload.safeParse(payload).success) await addJob("rescue-jobs", {}, betweenMinutes(deps.now()));
    },
  };
  return Object.fromEntries(Object.entries(tasks).map(([name, task]) => [name, observed(deps, task)]));
}

/** The schedule has minute resolution, and a dead worker's jobs must be released within a minute. */
function betweenMinutes(now: Date): TaskSpec {
  const runAt = new Date(now.getTime() + 30_000);
  return { jobKey: "rescue-jobs-between", runAt, maxAttempts: 1, priority: -20 };
}

/** Runs every half minute; its log lines would hide the others. */
const ROUTINE: ReadonlySet<string> = new Set(["rescue-jobs"]);

/** The queue logs why a job failed, under its id. */
function observed({ withJobId, log, now }: TaskUses, task: Task): Task {
  return async (payload, helpers) => {
    const { id, task_identifier: name, attempts: attempt } = helpers.job;
    const about = aboutPayload.safeParse(payload).data;
    const begun = now().getTime();
    await withJobId(id, async () => {
      await traceJob({ ...about, task: name, id, attempt }, async () => void (await task(payload, helpers)));
      const line = { task: name, attempt, ...about, durationMs: now().getTime() - begun };
      log[ROUTINE.has(name) ? "debug" : "info"](line, "job done");
    });
  };
}

const aboutPayload = z.object({ linkId: z.guid().exactOptional(), envelopeId: z.guid().exactOptional() });

const linkId = z.string().transform((text, context) => parseUuid<LinkId>(text) ?? wrong(context));
const envelopeId = z.string().transform((text, context) => parseUuid<EnvelopeId>(text) ?? wrong(context));
const importPayload = z.object({ linkId, envelopeId, foundBy: z.enum(["event", "replay"]) });
const backlogPayload = z.object({ linkId, lane: z.int().min(0) });
const reconcilePayload = z.object({ linkId, hour: z.coerce.date() });
const hourPayload = z.object({ linkIds: z.array(linkId), hour: z.coerce.date() });
const cronPayload = z.object({ _cron: z.object({ ts: z.coerce.date() }) });

function wrong(context: z.RefinementCtx): never {
  context.addIssue({ code: "custom", message: "is no UUID" });
  return z.NEVER;
}

async function importOne(deps: TaskUses, request: z.infer<typeof importPayload>): Promise<void> {
  const outcome = await importEnvelope(deps, request);
  deps.metrics.importEnded(outcome.kind);
  if (outcome.kind === "waiting") await wakeBacklog(deps.db, request.linkId, deps.now());
}

async function rescueJobs(deps: Uses<"db" | "log" | "metrics">): Promise<void> {
  deps.metrics.workersRescued((await unlockDeadWorkers(deps)).length);
}

/** The scheduled hour, also if the job runs later. */
function hourOf(payload: unknown, now: Date): Date {
  const cron = cronPayload.safeParse(payload);
  return startOfHour(cron.success ? cron.data._cron.ts : now);
}
