import assert from "node:assert/strict";
import { test } from "node:test";
import { XMLParser } from "fast-xml-parser";
import { aggregateMessage, sign, simMessage } from "../support/docusign/connect-message.ts";
import { createEnvelopeVerbs } from "../support/docusign/envelope-verbs.ts";
import { createPeople } from "../support/docusign/people.ts";
import { docusignSchema } from "../support/docusign/schema.ts";
import { createDocuSignState, type DocuSignState, type Envelope } from "../support/docusign/state.ts";
import { xmlMessage } from "../support/docusign/xml-message.ts";
import { rowsOf, within } from "./client.ts";
import { isSignedWith, jsonOf } from "./listener.ts";

async function concluded(): Promise<{ state: DocuSignState; envelope: Envelope }> {
  const state = createDocuSignState(() => new Date("2026-03-31T15:20:00.540Z"));
  const people = createPeople(state);
  const from = people.addUser(people.addAccount(), {
    name: "山田 & 子",
    email: "yamada@example.com",
    role: "DS Admin",
  });
  const verbs = createEnvelopeVerbs(state, async () => {});
  const to = [{ name: "乙", email: "otsu@example.com" }];
  const envelope = await verbs.concludeEnvelope({
    from,
    to,
    completedAt: new Date("2026-03-31T15:00:00.500Z"),
  });
  return { state, envelope };
}

test("the bare JSON message names the envelope and nothing else", async () => {
  const { state, envelope } = await concluded();

  const body = simMessage(state, envelope);

  assert.deepEqual(jsonOf({ body }), {
    event: "envelope-completed",
    apiVersion: "v2.1",
    uri: `/restapi/v2.1/accounts/${envelope.accountId}/envelopes/${envelope.envelopeId}`,
    retryCount: 0,
    configurationId: 10_363_315,
    generatedDateTime: "2026-03-31T15:20:00.5400000Z",
    data: { accountId: envelope.accountId, userId: envelope.senderId, envelopeId: envelope.envelopeId },
  });
});

test("with includeData a JSON message holds the envelope as DocuSign describes it", async () => {
  const { state, envelope } = await concluded();

  const custom = within(
    jsonOf({ body: simMessage(state, envelope, { includeData: ["custom_fields"] }) }),
    "data",
    "envelopeSummary",
  );
  const full = within(
    jsonOf({ body: simMessage(state, envelope, { includeData: ["recipients", "documents"] }) }),
    "data",
    "envelopeSummary",
  );

  assert.equal(within(custom, "recipients"), undefined);
  assert.equal(within(custom, "completedDateTime"), "2026-03-31T15:00:00.5Z");
  assert.equal(rowsOf(within(full, "recipients", "signers"))[0]?.["email"], "otsu@example.com");
  const [document] = rowsOf(within(full, "envelopeDocuments"));
  assert.match(Buffer.from(String(document?.["PDFBytes"]), "base64").toString("latin1"), /^%PDF-/);
  const schema = docusignSchema();
  assert.deepEqual(
    [custom, full].flatMap((summary) => schema.valueProblems("envelope", summary)),
    [],
  );
});

test("the aggregate JSON message is the envelope itself", async () => {
  const { state, envelope } = await concluded();

  const message = jsonOf({ body: aggregateMessage(state, envelope, { includeData: ["recipients"] }) });

  assert.deepEqual([within(message, "event"), within(message, "status")], [undefined, "completed"]);
  assert.equal(within(message, "envelopeId"), envelope.envelopeId);
  assert.equal(within(message, "sender", "accountId"), envelope.accountId);
});

test("the XML message tells local times of its offset, whatever the style of the XML", async () => {
  const { state, envelope } = await concluded();
  const numbers = [0.9, 0.1, 0.5, 0.7, 0.3];
  let turn = 0;
  const shuffle = (): number => numbers[turn++ % numbers.length] ?? 0;

  const styles = [{}, { namespace: "prefix" as const }, { namespace: "none" as const, shuffle }];
  const bodies = styles.map((style) =>
    xmlMessage(state, envelope, { ...style, timeZoneOffset: 9, timeZone: "Tokyo Standard Time" }),
  );

  const parser = new XMLParser({ removeNSPrefix: true, parseTagValue: false });
  for (const body of bodies) {
    const information = within(parser.parse(body), "DocuSignEnvelopeInformation");
    const status = within(information, "EnvelopeStatus");
    assert.equal(within(information, "TimeZoneOffset"), "9");
    assert.equal(within(status, "EnvelopeID"), envelope.envelopeId);
    assert.equal(within(status, "Status"), "Completed");
    assert.equal(within(status, "Completed"), "2026-04-01T00:00:00.5");
    assert.equal(within(status, "TimeGenerated"), "2026-04-01T00:20:00.54");
    const recipient = within(status, "RecipientStatuses", "RecipientStatus");
    assert.equal(within(recipient, "RecipientId"), envelope.recipients[0]?.recipientIdGuid);
    assert.equal(within(recipient, "Signed"), "2026-04-01T00:00:00.5");
  }
  const [plain = "", prefixed = "", mixed = ""] = bodies.map((body) => body.toString());
  assert.match(
    plain,
    /<DocuSignEnvelopeInformation xmlns="http:\/\/www.docusign.net\/API\/3.0"><EnvelopeStatus>/,
  );
  assert.match(prefixed, /<ds:DocuSignEnvelopeInformation xmlns:ds="http:\/\/www.docusign.net\/API\/3.0">/);
  assert.doesNotMatch(mixed, /xmlns|<EnvelopeStatus><RecipientStatuses>/);
  assert.match(plain, /<UserName>山田 &amp; 子<\/UserName>/);
});

test("the XML message can leave its time zone unsaid, and bring documents and the sender's account", async () => {
  const { state, envelope } = await concluded();

  const silent = xmlMessage(state, envelope, { timeZoneOffset: null, unsaidOffset: -8 }).toString();
  const full = xmlMessage(state, envelope, { documents: true, senderAccount: "4197223" }).toString();

  assert.doesNotMatch(silent, /TimeZone|DocumentPDF|CustomField/);
  assert.match(silent, /<Completed>2026-03-31T07:00:00.5<\/Completed>/);
  assert.match(full, /<DocumentPDF><Name>契約書.pdf<\/Name><PDFBytes>JVBERi0/);
  assert.match(full, /<DocumentType>SUMMARY<\/DocumentType>/);
  assert.match(full, /<Name>AccountId<\/Name>.*<Value>4197223<\/Value>/);
  assert.match(full, /<TimeZone>Pacific Standard Time<\/TimeZone><TimeZoneOffset>-7<\/TimeZoneOffset>/);
});

test("a signature is the base64 HMAC-SHA256 of the bytes, one for each key", () => {
  const body = Buffer.from("Hi There");

  // The first case of RFC 4231, whose key is twenty bytes 0x0b.
  const headers = sign(body, ["\u000b".repeat(20), "another"]);

  const expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
  assert.equal(Buffer.from(headers["X-DocuSign-Signature-1"] ?? "", "base64").toString("hex"), expected);
  const lower = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  assert.ok(isSignedWith({ body, headers: lower }, ["\u000b".repeat(20), "another"]));
  assert.deepEqual(sign(body, []), {});
});
