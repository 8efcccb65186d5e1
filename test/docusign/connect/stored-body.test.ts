import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConnectMessage } from "../../../src/docusign/connect/connect-message.ts";
import { withoutDocuments } from "../../../src/docusign/connect/stored-body.ts";
import { assertLinear } from "../../support/cpu-time.ts";
import { fixture } from "../fixtures.ts";

const ENVELOPE = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
const KIB = 1024;
const SHORT = "JVBERi0xLjc=";
const LONG = "JVBE".repeat(1_000);

function sim(envelopeSummary: object): string {
  return JSON.stringify({ event: "envelope-completed", data: { envelopeId: ENVELOPE, envelopeSummary } });
}

function xml(inside: string): string {
  const status = `<EnvelopeStatus><EnvelopeID>${ENVELOPE}</EnvelopeID><Status>Completed</Status>${inside}</EnvelopeStatus>`;
  return `<DocuSignEnvelopeInformation>${status}</DocuSignEnvelopeInformation>`;
}

/** The stored form, which must parse as the same message; null if nothing is stored. */
function stored(body: string | Buffer): string | null {
  const bytes = Buffer.from(body);
  const message = parseConnectMessage(bytes);
  assert.ok(message !== null);
  const kept = withoutDocuments(bytes, message);
  if (kept === null) return null;
  assert.deepEqual(parseConnectMessage(kept), message);
  return Buffer.from(kept).toString();
}

test("a body without documents is stored byte by byte", () => {
  for (const body of [
    sim({
      emailBlurb: `${"本契約は、".repeat(2_000)}\\"PDF\\"`,
      customFields: [{ name: "data", value: "x" }],
    }),
    JSON.stringify({ event: "account-something" }),
    fixture("connect-legacy-completed.xml")
      .toString()
      .replace(/PDFBytes/g, "Other"),
    xml(`<Subject>${"A long subject of many words ".repeat(100)}</Subject>`),
  ])
    assert.equal(stored(body), body);
});

const JSON_CONTENTS: Readonly<Record<string, (contents: string) => object>> = {
  "a document": (PDFBytes) => ({ envelopeDocuments: [{ documentId: "1", PDFBytes, name: "a.pdf" }] }),
  "a document in lower case": (pdfBytes) => ({ envelopeDocuments: [{ pdfBytes }] }),
  "a document under its other name": (documentBase64) => ({ envelopeDocuments: [{ documentBase64 }] }),
  "an attachment": (data) => ({ recipients: { signers: [{ recipientAttachments: [{ data, name: "b" }] }] } }),
};

for (const [what, summaryOf] of Object.entries(JSON_CONTENTS)) {
  test(`${what} is left out of JSON, however short it is`, () => {
    for (const contents of [SHORT, LONG]) assert.equal(stored(sim(summaryOf(contents))), sim(summaryOf("")));
  });
}

test("long base64 is left out of JSON under any name, in either alphabet, with line breaks or as a data address", () => {
  for (const novel of [LONG, `${LONG}-_==`, `${LONG}\r\n${LONG}`, `data:application/pdf;base64,${LONG}`])
    assert.equal(stored(sim({ novel, name: 'a\\"b' })), sim({ novel: "", name: 'a\\"b' }));
});

test("text that looks like a field stays", () => {
  const note = `${LONG}" "PDFBytes":"${SHORT}" b\\`;

  assert.equal(stored(sim({ PDFBytes: SHORT, note })), sim({ PDFBytes: "", note }));
});

test("documents and attachments are left out of XML, also those within CDATA or behind a prefix", () => {
  for (const contents of [SHORT, LONG]) {
    const inside = (text: string): string =>
      `<DocumentPDFs><DocumentPDF><Name>a</Name><PDFBytes>${text}</PDFBytes></DocumentPDF></DocumentPDFs>
       <d:PDFBytes a="x>y"><![CDATA[${text}]]></d:PDFBytes><!-- ${SHORT} -->
       <Attachments><Attachment><Data>${text}</Data><Label>b</Label></Attachment></Attachments>`;
    assert.equal(stored(xml(inside(contents))), xml(inside("")));
  }
  assert.equal(stored(xml(`<Novel>${LONG}</Novel>`)), xml("<Novel></Novel>"));
});

test("a message with 24 MiB of documents is stored in less than a kilobyte", () => {
  const documents = "JVBE".repeat(6 * KIB * KIB);

  for (const body of [
    sim({ envelopeDocuments: [{ PDFBytes: documents }, { PDFBytes: SHORT }] }),
    xml(`<PDFBytes>${documents}</PDFBytes>`),
  ])
    assert.ok((stored(body)?.length ?? Number.NaN) < KIB);
});

test("nothing is stored of a body that exceeds 256 KiB without its documents", () => {
  const words = (bytes: number): string => "a b ".repeat(bytes / 4);
  const limit = 256 * KIB - 1_000;

  for (const body of [sim({ PDFBytes: LONG, text: words(limit) }), xml(`<Text>${words(limit)}</Text>`)])
    assert.notEqual(stored(body), null);
  for (const body of [
    sim({ text: words(256 * KIB) }),
    sim({ PDFBytes: LONG, text: words(256 * KIB) }),
    xml(`<PDFBytes>${LONG}</PDFBytes><Text>${words(256 * KIB)}</Text>`),
  ])
    assert.equal(stored(body), null);
});

test("many small contents take linear time", () => {
  assertLinear(700_000, (size) => {
    const cells = Array.from({ length: size }, () => ({ data: SHORT, note: '"' }));
    const body = Buffer.from(sim({ cells }));
    const message = parseConnectMessage(body);
    assert.ok(message !== null);
    return () => assert.equal(withoutDocuments(body, message), null);
  });
});
