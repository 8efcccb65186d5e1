import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concludedOn, contentDocuments, downloadName } from "../../src/domain/contract.ts";
import { contentDocument } from "./envelopes.ts";

const dates = [
  { completedAt: "2026-03-31T15:00:00Z", date: "2026-04-01" },
  { completedAt: "2026-03-31T14:59:59.999Z", date: "2026-03-31" },
  { completedAt: "2026-04-01T14:59:59.999Z", date: "2026-04-01" },
  { completedAt: "2025-12-31T15:00:00Z", date: "2026-01-01" },
  { completedAt: "2024-02-28T15:00:00Z", date: "2024-02-29" },
  { completedAt: "2026-03-31T23:00:00-08:00", date: "2026-04-01" },
  // Japan had daylight saving time then, but the rule requires UTC+9.
  { completedAt: "1950-07-01T14:30:00Z", date: "1950-07-01" },
  { completedAt: "1969-12-31T14:59:59.999Z", date: "1969-12-31" },
  { completedAt: "0000-12-31T15:00:00Z", date: "0001-01-01" },
  { completedAt: "9999-12-31T14:59:59.999Z", date: "9999-12-31" },
];

for (const { completedAt, date } of dates) {
  test(`an envelope completed at ${completedAt} was concluded on ${date}`, () => {
    assert.equal(concludedOn(new Date(completedAt)), date);
  });
}

test("a time whose date has no four-digit year is rejected", () => {
  for (const moment of ["0000-12-31T14:59:59.999Z", "9999-12-31T15:00:00Z", "never"]) {
    assert.throws(() => concludedOn(new Date(moment)), /^RangeError: .*years 1 to 9999/);
  }
});

test("the date is the one in Japan's calendar at that time", () => {
  const calendar = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Tokyo" });
  // From 1952, after Japan had abolished daylight saving time.
  const moments = fc.date({
    min: new Date("1952-01-01"),
    max: new Date("9999-12-31T14:00:00Z"),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(moments, (moment) => {
      assert.equal(concludedOn(moment), calendar.format(moment));
    }),
  );
});

test("every document except the certificate of completion becomes a contract, in DocuSign's order", () => {
  const documents = [
    contentDocument("3"),
    contentDocument("certificate", { type: "summary" }),
    contentDocument("1"),
    contentDocument("2", { type: "something-new" }),
  ];

  const ids = contentDocuments(documents).map((document) => document.documentId);

  assert.deepEqual(ids, ["3", "1", "2"]);
});

test("the certificate is recognized by its type or its id, ignoring case", () => {
  const certificates = [
    contentDocument("9", { type: "summary" }),
    contentDocument("9", { type: "SUMMARY" }),
    contentDocument("certificate"),
    contentDocument("Certificate", { type: "" }),
  ];

  assert.deepEqual(contentDocuments(certificates), []);
});

const names = [
  { name: "契約書.docx", download: "契約書.docx.pdf" },
  { name: "契約書.pdf", download: "契約書.pdf" },
  { name: "CONTRACT.PDF", download: "CONTRACT.PDF" },
  { name: "pdf", download: "pdf.pdf" },
  { name: "契約書.pdf ", download: "契約書.pdf .pdf" },
  { name: "契約書.pdf.zip", download: "契約書.pdf.zip.pdf" },
  { name: "", download: ".pdf" },
];

for (const { name, download } of names) {
  test(`a document named “${name}” is downloaded as “${download}”`, () => {
    assert.equal(downloadName(name), download);
  });
}
