import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConnectMessage } from "../../../src/docusign/connect/connect-message.ts";
import type { ConnectMessage } from "../../../src/docusign/connect/message-identity.ts";
import { assertLinear } from "../../support/cpu-time.ts";
import { fixture } from "../fixtures.ts";

const ENVELOPE = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
const ACCOUNT = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";

function sim(changes: object = {}, data: object = {}): object {
  return {
    event: "envelope-completed",
    apiVersion: "v2.1",
    uri: `/restapi/v2.1/accounts/${ACCOUNT}/envelopes/${ENVELOPE}`,
    retryCount: 0,
    configurationId: 10363315,
    generatedDateTime: "2022-12-09T18:32:13.2990000Z",
    data: {
      accountId: ACCOUNT,
      userId: "11111111-1111-4111-8111-111111111111",
      envelopeId: ENVELOPE,
      ...data,
    },
    ...changes,
  };
}

function parse(body: unknown): ConnectMessage | null {
  return parseConnectMessage(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)));
}

function identity(body: unknown): string | undefined {
  return parse(body)?.identity;
}

test("a JSON SIM message without a summary is read", () => {
  const message = parse(sim());

  assert.deepEqual(message, {
    format: "json-sim",
    event: "envelope-completed",
    envelopeId: ENVELOPE,
    accountId: ACCOUNT,
    configurationId: "10363315",
    generatedAt: new Date("2022-12-09T18:32:13.299Z"),
    identity: message?.identity,
    forwardings: [],
  });
});

test("the official example is read once its placeholders are filled", () => {
  const text = fixture("connect-sim-example.json").toString();
  const example: unknown = JSON.parse(text, (key, value: unknown) => {
    if (key === "event") return "envelope-completed";
    return key === "envelopeId" ? ENVELOPE.toUpperCase() : value;
  });

  const message = parse(example);

  assert.deepEqual([message?.format, message?.envelopeId, message?.accountId], ["json-sim", ENVELOPE, null]);
  assert.equal(message?.configurationId, "12345");
});

test("the content determines the format", () => {
  const json = Buffer.from(JSON.stringify(sim()));
  const xml = fixture("connect-legacy-completed.xml");

  assert.equal(parseConnectMessage(json)?.format, "json-sim");
  assert.equal(parseConnectMessage(xml)?.format, "xml");
});

test("a retry has the same identity, whatever its retryCount and the spelling of its configuration", () => {
  assert.equal(identity(sim({ retryCount: 7 })), identity(sim()));
  assert.equal(identity(sim({ configurationId: "10363315" })), identity(sim()));
});

const OTHERS: Readonly<Record<string, object>> = {
  configuration: sim({ configurationId: 2 }),
  event: sim({ event: "envelope-sent" }),
  moment: sim({ generatedDateTime: "2022-12-09T18:32:13.2990001Z" }),
  envelope: sim({}, { envelopeId: ACCOUNT }),
  recipient: sim({}, { recipientId: "1" }),
  "reassigned recipient": sim({}, { reassignedRecipientId: "1" }),
};

test("a message with a different configuration, event, time, envelope or recipient has a different identity", () => {
  const identities = [sim(), ...Object.values(OTHERS)].map(identity);

  assert.equal(new Set(identities).size, Object.keys(OTHERS).length + 1);
});

test("an identity is short and printable, whatever its parts contain", () => {
  const odd = identity(sim({ generatedDateTime: `\0${"x".repeat(100_000)}` }));

  assert.match(odd ?? "", /^json-sim:[\w-]{43}$/);
});

test("an event about something other than an envelope is read without an envelope id", () => {
  const template = parse({ event: "template-created", data: { templateId: ENVELOPE } });
  const click = parse({ event: "click-agreed", data: {} });

  assert.deepEqual([template?.event, template?.envelopeId], ["template-created", null]);
  assert.deepEqual([click?.event, click?.envelopeId], ["click-agreed", null]);
});

for (const event of ["workflow-started", "agreement-created", "notary-session-completed", "something-new"]) {
  test(`${event} is read, with and without an envelope`, () => {
    const [about, bare] = [parse(sim({ event })), parse({ event, data: { workflowId: ACCOUNT } })];

    assert.deepEqual([about?.event, about?.envelopeId], [event, ENVELOPE]);
    assert.deepEqual([bare?.event, bare?.envelopeId], [event, null]);
  });
}

test("an envelope id may be a UUID of version 8", () => {
  const envelopeId = "3f2504e0-4f89-81d3-9a0c-0305e82c3301";

  assert.equal(parse(sim({}, { envelopeId }))?.envelopeId, envelopeId);
});

test("an event about something other than an envelope may have no data, or data that is not an object", () => {
  const event = "account-something";

  for (const body of [
    { event },
    { event, data: null },
    { event, data: [] },
    { event, data: "x" },
    { event, data: 5 },
  ]) {
    const message = parse(body);

    assert.deepEqual([message?.event, message?.envelopeId, message?.accountId], [event, null, null]);
    assert.deepEqual(message?.forwardings, []);
  }
});

test("an event about something other than an envelope has the same identity as its retry and no other", () => {
  const event = "template-modified";
  const bodies = [
    sim({ event, data: undefined }),
    sim({ event: "account-something", data: null }),
    sim({ event, data: { templateId: ENVELOPE } }),
    sim({ event, data: { templateId: ACCOUNT } }),
    sim({ event, data: { clickwrapId: ACCOUNT } }),
    sim({ event, data: null, generatedDateTime: "2022-12-09T18:32:14.0000000Z" }),
  ];

  assert.equal(new Set(bodies.map(identity)).size, bodies.length);
  for (const body of bodies) assert.equal(identity({ ...body, retryCount: 3 }), identity(body));
});

test("unknown contents of the summary, recipient groups and fields are ignored", () => {
  const envelopeSummary = {
    status: 5,
    recipients: { holograms: [{}], signers: "none" },
    envelopeDocuments: [{ PDFBytes: "JVBERi0=" }],
  };

  assert.equal(parse(sim({ extra: [] }, { envelopeSummary, more: null }))?.envelopeId, ENVELOPE);
  assert.equal(parse(sim({}, { envelopeSummary: null }))?.envelopeId, ENVELOPE);
});

test("a JSON aggregate is read as the envelope itself", () => {
  const aggregate = {
    envelopeId: ENVELOPE,
    status: "Completed",
    completedDateTime: "2026-03-31T15:00:00.01Z",
  };

  const message = parse(aggregate);

  assert.deepEqual(
    [message?.format, message?.event, message?.envelopeId],
    ["json-aggregate", "envelope-completed", ENVELOPE],
  );
  assert.equal(identity({ ...aggregate, emailSubject: "x" }), message?.identity);
  assert.notEqual(
    identity({ ...aggregate, completedDateTime: "2026-03-31T15:00:00.02Z" }),
    message?.identity,
  );
});

test("legacy XML is read with its local times converted by the offset, not by the zone's name", () => {
  const message = parseConnectMessage(fixture("connect-legacy-completed.xml"));

  assert.deepEqual(message, {
    format: "xml",
    event: "envelope-completed",
    envelopeId: ENVELOPE,
    accountId: null,
    configurationId: null,
    generatedAt: new Date("2026-03-31T15:00:15.108Z"),
    identity: message?.identity,
    forwardings: [],
  });
});

const XML: readonly (readonly [file: string, event: string, generatedAt: string | undefined])[] = [
  ["connect-legacy-prefixed.xml", "envelope-voided", "2026-03-31T15:00:15.500Z"],
  ["connect-legacy-without-zone.xml", "envelope-completed", undefined],
  ["connect-legacy-own-offsets.xml", "envelope-sent", "2010-06-26T16:19:45.771Z"],
];

for (const [file, event, generatedAt] of XML) {
  test(`${file} is ${event}, generated ${generatedAt ?? "at an unknown time"}`, () => {
    const message = parseConnectMessage(fixture(file));

    assert.deepEqual([message?.event, message?.envelopeId], [event, ENVELOPE]);
    assert.equal(message?.generatedAt?.toISOString(), generatedAt);
  });
}

test("a document type within CDATA or a comment is text", () => {
  const message = parseConnectMessage(fixture("connect-legacy-doctype-in-cdata.xml"));

  assert.deepEqual([message?.event, message?.envelopeId], ["envelope-completed", CDATA_ENVELOPE]);
  assert.equal(parse(xml("<!-- <!DOCTYPE html> <!ENTITY a> -->"))?.envelopeId, ENVELOPE);
});

const CDATA_ENVELOPE = "e0000700-1111-4222-8333-000000000700";

function xml(inside: string, before = ""): string {
  const status = `<EnvelopeStatus><EnvelopeID>${ENVELOPE}</EnvelopeID><Status>Completed</Status></EnvelopeStatus>`;
  return `${before}<DocuSignEnvelopeInformation>${status}${inside}</DocuSignEnvelopeInformation>`;
}

test("the identity of XML depends on its time and status, not on other contents", () => {
  const timed = (time: string): string =>
    xml("").replace("</EnvelopeID>", `</EnvelopeID><TimeGenerated>${time}</TimeGenerated>`);

  assert.equal(
    identity(timed("2026-03-31T08:00:15")),
    identity(timed("2026-03-31T08:00:15").replace("</Status>", "</Status><Subject>x</Subject>")),
  );
  assert.notEqual(identity(timed("2026-03-31T08:00:15")), identity(timed("2026-03-31T08:00:16")));
  assert.notEqual(identity(xml("")), identity(xml("").replace("Completed", "Sent")));
});

test("a byte order mark, whitespace and comments before the content are ignored", () => {
  assert.equal(parse(`\uFEFF ${JSON.stringify(sim())}`)?.format, "json-sim");
  assert.equal(parse(`\uFEFF${xml("", "<?xml version='1.0'?>\n<!-- DocuSign -->")}`)?.format, "xml");
});

const BOMB = '<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>';

const RUBBISH: Readonly<Record<string, string | Buffer>> = {
  "an empty body": "",
  blanks: " \r\n",
  "an empty object": "{}",
  "an array": JSON.stringify([sim()]),
  null: "null",
  "a number": "42",
  "a string": '"envelope-completed"',
  "half a JSON document": JSON.stringify(sim()).slice(0, -1),
  "JSON with trailing characters": `${JSON.stringify(sim())}x`,
  "an event without data": JSON.stringify({
    event: "envelope-completed",
    envelopeId: ENVELOPE,
    status: "completed",
  }),
  "an envelope event whose data is null": JSON.stringify(sim({ data: null })),
  "a recipient event without data": JSON.stringify(sim({ event: "recipient-completed", data: undefined })),
  "an event name with invalid characters": JSON.stringify(sim({ event: "envelope completed\0" })),
  "an event name that is not a string": JSON.stringify(sim({ event: 5 })),
  "an envelope event without an envelope": JSON.stringify(sim({}, { envelopeId: undefined })),
  "an envelope id that is not a UUID": JSON.stringify(sim({}, { envelopeId: "../../etc/passwd" })),
  "a recipient event with an envelope id that is not a UUID": JSON.stringify(
    sim({ event: "recipient-sent" }, { envelopeId: "1" }),
  ),
  "an aggregate whose envelope id is not a UUID": JSON.stringify({ envelopeId: "1", status: "completed" }),
  "an aggregate without a status": JSON.stringify({ envelopeId: ENVELOPE }),
  "JSON that is not UTF-8": Buffer.from(JSON.stringify(sim({ note: "é" })), "latin1"),
  "JSON in UTF-16": Buffer.from(`\uFEFF${JSON.stringify(sim())}`, "utf16le"),
  "XML in UTF-16": Buffer.from(`\uFEFF${xml("")}`, "utf16le"),
  "another XML document": "<html><body>hello</body></html>",
  "XML with two roots": `${xml("")}${xml("")}`,
  "XML with a second root after its own": `${xml("")}<a/>`,
  "half an XML document": xml("").slice(0, -5),
  "XML that is not well-formed": xml("<a><b></a></b>"),
  "XML without an envelope":
    "<DocuSignEnvelopeInformation><TimeZone>x</TimeZone></DocuSignEnvelopeInformation>",
  "XML with two envelope ids": xml("").replace("<Status>", `<EnvelopeID>${ENVELOPE}</EnvelopeID><Status>`),
  "XML with an envelope id that is not a UUID": xml("").replace(ENVELOPE, "1"),
  "XML with a document type": xml("", "<!DOCTYPE DocuSignEnvelopeInformation>"),
  "XML with an external entity": xml("<a>&x;</a>", '<!doctype a [<!entity x SYSTEM "file:///etc/passwd">]>'),
  "XML with an element after CDATA that never ends": xml("<![CDATA[ <a/>"),
  "XML with CDATA outside its root": xml("", "<![CDATA[x]]>"),
  "XML with an attribute without quotation marks": xml("<a b=c/>"),
  "XML whose envelope id holds an element": xml("").replace(ENVELOPE, `<a/>${ENVELOPE}`),
  "XML with two envelopes": xml("<EnvelopeStatus></EnvelopeStatus>"),
  "an XML bomb": xml("<a>&b;</a>", BOMB),
  "XML of depth 10,000": xml("<a>".repeat(10_000) + "</a>".repeat(10_000)),
  "XML with a __proto__ element": xml("<__proto__><x>1</x></__proto__>"),
  "XML of ten million characters of markup": xml("<a>b</a>".repeat(1_250_000)),
};

for (const [what, body] of Object.entries(RUBBISH)) {
  test(`${what} is not a Connect message`, () => {
    assert.equal(parseConnectMessage(Buffer.from(body)), null);
  });
}

test("eight megabytes of sibling elements are read in linear time", () => {
  assertLinear(1_040_000, (size) => {
    const siblings = xml("<a>b</a>".repeat(size));
    return () => assert.equal(parse(siblings)?.envelopeId, ENVELOPE);
  });
});

test("6,000 delegations are read in linear time", () => {
  assertLinear(6_000, (size) => {
    const delegatedTo = Array.from({ length: size }, (_, index) => ({
      email: `delegate-${index}@example.jp`,
    }));
    const signers = [{ recipientId: "1", email: "giver@example.jp", delegatedTo }];
    const message = sim({ event: "recipient-delegate" }, { envelopeSummary: { recipients: { signers } } });
    return () => assert.equal(parse(message)?.forwardings.length, size);
  });
});

test("undefined entities stay plain text", () => {
  assert.equal(parse(xml("<TimeZone>&nbsp;&#9;&amp;</TimeZone>"))?.envelopeId, ENVELOPE);
});

test("attributes may hold any character but their quotation mark", () => {
  assert.equal(parse(xml(`<a b = "1>2 'x' />" c='"'>x</a><d e=""/>`))?.envelopeId, ENVELOPE);
});

test("a zone offset that is not a number leaves only the time unknown", () => {
  const body = fixture("connect-legacy-completed.xml")
    .toString()
    .replace("<TimeZoneOffset>-7<", "<TimeZoneOffset>PST<");

  assert.deepEqual([parse(body)?.envelopeId, parse(body)?.generatedAt], [ENVELOPE, null]);
});

test("a message with JSON of depth 10,000 in an unused field is read", () => {
  const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;

  assert.equal(
    parse(JSON.stringify(sim({ deep: 0 })).replace('"deep":0', `"deep":${deep}`))?.envelopeId,
    ENVELOPE,
  );
  assert.equal(parse(deep), null);
});

test("messages with 24 MiB of documents are read without keeping the documents", () => {
  const base64 = "JVBE".repeat(6 * 1024 * 1024);
  const heapBefore = process.memoryUsage().heapUsed;

  const json = parse(sim({}, { envelopeSummary: { envelopeDocuments: [{ PDFBytes: base64 }] } }));
  const old = parse(
    xml(`<DocumentPDFs><DocumentPDF><PDFBytes>${base64}</PDFBytes></DocumentPDF></DocumentPDFs>`),
  );

  assert.deepEqual([json?.envelopeId, old?.envelopeId], [ENVELOPE, ENVELOPE]);
  assert.ok(process.memoryUsage().heapUsed - heapBefore < 512 * 1024 * 1024);
});
