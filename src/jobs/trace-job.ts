import { type Attributes, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";

/** The parts of a job that a trace may contain. */
export type TracedJob = {
  readonly task: string;
  readonly id: string;
  readonly attempt: number;
  readonly linkId?: string;
  readonly envelopeId?: string;
};

/**
 * Runs the job's work in its own trace and rethrows its errors, which the log shows under the job id. Without
 * OpenTelemetry's SDK it only runs the work.
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
