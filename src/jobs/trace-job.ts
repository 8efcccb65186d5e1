import { type Attributes, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";

/** A job that is about to run, by what may be told of it. */
export type TracedJob = {
  readonly task: string;
  readonly id: string;
  readonly attempt: number;
  readonly linkId?: string;
  readonly envelopeId?: string;
};

/**
 * Runs the job's work as a trace of its own, and passes on what it throws: the log tells that, under the job's id.
 * Without OpenTelemetry's SDK it only runs.
 */
export async function traceJob(job: TracedJob, work: () => Promise<void>): Promise<void> {
  const options = { kind: SpanKind.CONSUMER, root: true, attributes: describeJob(job) };
  await trace.getTracer("torikomi").startActiveSpan(job.task, options, async (span) => {
    try {
      await work();
    } catch (error) {
      span.setAttribute("error.type", error instanceof Error ? error.name : typeof error);
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

function describeJob({ id, attempt, linkId, envelopeId }: TracedJob): Attributes {
  return {
    "torikomi.job_id": id,
    "torikomi.attempt": attempt,
    "torikomi.link_id": linkId,
    "torikomi.envelope_id": envelopeId,
  };
}
