import assert from "node:assert/strict";
import { test } from "node:test";
import { accountA, accountB, contentDocument, decide, recipient, sentFrom, x } from "./envelopes.ts";

const certificate = contentDocument("certificate", { name: "Summary", type: "summary" });

test("an envelope whose documents were purged at DocuSign is excluded, whether they are listed or not", () => {
  const states = [
    "documents_purged",
    "documents_and_metadata_purged",
    "documents_and_metadata_and_redact_purged",
    "Documents_Purged",
  ];
  for (const purgeState of states) {
    for (const documents of [[contentDocument("1")], [], null]) {
      assert.equal(
        decide(sentFrom(accountA, { purgeState, documents })),
        "exclude: documents-purged",
        purgeState,
      );
    }
  }
});

test("an envelope that is only queued for purging, or not purged, is imported", () => {
  for (const purgeState of ["documents_queued", "documents_and_metadata_queued", "unpurged", "", null]) {
    assert.equal(decide(sentFrom(accountA, { purgeState })), "import: sent", String(purgeState));
  }
});

test("purged documents exclude an envelope that may be ours, whatever else is unknown", () => {
  const purged = { purgeState: "documents_purged", completedAt: null, recipients: null };

  assert.equal(decide(sentFrom(null, purged)), "exclude: documents-purged");
});

test("purged documents do not hide that an envelope is not ours", () => {
  const purged = sentFrom(accountB, { purgeState: "documents_purged", recipients: [recipient(x)] });

  assert.equal(decide(purged), "exclude: not-ours");
});

test("an envelope that holds only the certificate of completion is excluded", () => {
  assert.equal(decide(sentFrom(accountA, { documents: [certificate] })), "exclude: no-documents");
  assert.equal(decide(sentFrom(accountA, { documents: [] })), "exclude: no-documents");
  assert.equal(
    decide(sentFrom(accountA, { documents: [certificate, contentDocument("1")] })),
    "import: sent",
  );
});
