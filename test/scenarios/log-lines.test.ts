import assert from "node:assert/strict";
import { test } from "node:test";
import { CUSTOMER, createLinkedCompanies } from "../support/linked-world.ts";
import { linesOf } from "../support/reconciling.ts";

test("all log lines of a job have its id, and its last line names the envelope and link", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.service.foundation.log.level = "info";
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(1, { status: 503 }, "/envelopes/{envelopeId}");

  await world.runJobs();

  const [putOff] = linesOf(world, "import postponed");
  const done = linesOf(world, "job done");
  const [first] = done.filter(({ task }) => task === "import-envelope");
  assert.equal(first.envelopeId, envelope.envelopeId);
  assert.equal(first.linkId, putOff.linkId);
  assert.match(first.jobId, /^\d+$/);
  assert.equal(putOff.jobId, first.jobId);
  assert.equal(typeof first.durationMs, "number");
  assert.deepEqual(
    done.filter(({ jobId, requestId }) => jobId === undefined || requestId !== undefined),
    [],
  );
});

test("all log lines of a request have the request id that its caller received", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const api = await world.api();
  world.docusign.goDown();

  const refused = await api.send("DELETE", "/v1/link");

  assert.equal(refused.status, 502);
  const [failed] = linesOf(world, "deletion failed");
  assert.equal(failed.requestId, refused.headers.get("x-request-id"));
  assert.equal(failed.jobId, undefined);
});
