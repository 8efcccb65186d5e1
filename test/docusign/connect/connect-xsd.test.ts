import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseConnectMessage } from "../../../src/docusign/connect/connect-message.ts";
import { createEnvelopeVerbs } from "../../support/docusign/envelope-verbs.ts";
import { createPeople } from "../../support/docusign/people.ts";
import { createDocuSignState } from "../../support/docusign/state.ts";
import { xmlMessage } from "../../support/docusign/xml-message.ts";
import { type ElementType, readConnectSchema } from "./xsd.ts";
import { elements, localTimes, type Node, styles, writeMessage } from "./xsd-messages.ts";
import { schemaProblems } from "./xsd-problems.ts";

const STATUS = "/DocuSignEnvelopeInformation/EnvelopeStatus";

/** The schema allows any string of up to 100 characters here, but real messages contain a UUID. */
const envelopeIds = fc.uuid().chain((id) => fc.constantFrom(id, id.toUpperCase()));

const zonedTimes = fc
  .tuple(localTimes, fc.constantFrom("", "Z", "+09:00", "-07:00", "+05:30"))
  .map(([time, zone]) => `${time}${zone}`);

const FILLINGS = { [`${STATUS}/EnvelopeID`]: envelopeIds, [`${STATUS}/TimeGenerated`]: zonedTimes };
const schema = readConnectSchema();
const messages = elements(schema, FILLINGS);

test("every message that DocuSign's schema allows is read, however it is written", () => {
  fc.assert(
    fc.property(messages, styles, (root, style) => {
      const xml = writeMessage(root, style);

      const message = parseConnectMessage(Buffer.from(xml));

      assert.ok(message !== null, xml);
      assert.equal(message.format, "xml");
      assert.equal(message.envelopeId, textAt(root, "EnvelopeStatus", "EnvelopeID")?.toLowerCase());
      assert.equal(message.event, `envelope-${textAt(root, "EnvelopeStatus", "Status")?.toLowerCase()}`);
      assert.deepEqual(message.generatedAt, generatedAt(root));
    }),
    { numRuns: 300 },
  );
});

test("a message has the same identity in any order and style", () => {
  fc.assert(
    fc.property(messages, styles, styles, (root, one, other) => {
      const turned = { ...root, content: [...childrenOf(root)].reverse() };

      const [first, second] = [writeMessage(root, one), writeMessage(turned, other)].map(
        (xml) => parseConnectMessage(Buffer.from(xml))?.identity,
      );

      assert.ok(first !== undefined);
      assert.equal(first, second);
    }),
    { numRuns: 100 },
  );
});

for (const state of wordsAt(schema, "EnvelopeStatus", "Status")) {
  test(`an envelope in the state ${state} is read as an event of that name`, () => {
    const told = elements(schema, { ...FILLINGS, [`${STATUS}/Status`]: fc.constant(state) });
    const [[root, style] = assert.fail()] = fc.sample(fc.tuple(told, styles), { numRuns: 1, seed: 9 });

    const message = parseConnectMessage(Buffer.from(writeMessage(root, style)));

    assert.equal(message?.event, `envelope-${state.toLowerCase()}`);
  });
}

test("generated messages conform to the schema", () => {
  fc.assert(
    fc.property(messages, styles, (root, style) => {
      assert.deepEqual(schemaProblems(schema, writeMessage(root, style)), []);
    }),
    { numRuns: 30 },
  );
});

test("violations of the schema are reported", () => {
  const [root = assert.fail()] = fc.sample(messages, { numRuns: 1, seed: 1 });
  const xml = writeMessage(root, {
    prefix: "",
    declaration: true,
    indent: "",
    cdata: false,
    comments: false,
  });
  const problems = (from: RegExp, to: string): string[] => schemaProblems(schema, xml.replace(from, to));

  assert.deepEqual(problems(/<ACStatusDate>.*?<\/ACStatusDate>/, ""), [`${STATUS}/ACStatusDate is missing`]);
  assert.deepEqual(problems(/<ACStatusDate>/, "<ACDate>1</ACDate><ACStatusDate>"), [
    `${STATUS}/ACDate is unknown`,
  ]);
  assert.deepEqual(problems(/(<SigningLocation>)\w+/, "$1Moon"), [
    `${STATUS}/SigningLocation may not be “Moon”`,
  ]);
  assert.deepEqual(problems(/(<EnvelopeID>)/, "<EnvelopeID>1</EnvelopeID>$1"), [
    `${STATUS}/EnvelopeID is there 2 times`,
  ]);
});

test("the simulator's messages conform to the schema", async () => {
  const state = createDocuSignState(() => new Date("2026-03-31T15:20:00.540Z"));
  const people = createPeople(state);
  const account = people.addAccount();
  const from = people.addUser(account, { name: "山田 & 子", email: "yamada@example.com", role: "DS Admin" });
  const verbs = createEnvelopeVerbs(state, async () => {});
  const to = ["signers", "carbonCopies", "certifiedDeliveries", "agents", "editors", "intermediaries"].map(
    (group) => ({ name: group, email: `${group}@example.com`, group }),
  );
  const envelope = await verbs.concludeEnvelope({ from, to });
  const sent = await verbs.sendEnvelope({ from, to });

  const written = [
    xmlMessage(state, envelope),
    xmlMessage(state, envelope, { documents: true, senderAccount: "4197223", namespace: "prefix" }),
    xmlMessage(state, sent, { timeZoneOffset: null, namespace: "none" }),
  ];

  for (const xml of written) assert.deepEqual(schemaProblems(schema, xml.toString()), []);
});

function childrenOf({ content }: Node): readonly Node[] {
  return Array.isArray(content) ? content : [];
}

/** The strings that the schema allows in an element. */
function wordsAt(type: ElementType, ...path: string[]): readonly string[] {
  const place = path.reduce<ElementType | undefined>(
    (above, name) =>
      above?.content.kind === "children"
        ? above.content.children.find((child) => child.name === name)
        : undefined,
    type,
  );
  return place?.content.kind === "text" ? (place.content.words ?? []) : [];
}

function textAt(root: Node, ...path: string[]): string | null {
  const node = path.reduce<Node | undefined>(
    (above, name) => above && childrenOf(above).find((child) => child.name === name),
    root,
  );
  return typeof node?.content === "string" ? node.content : null;
}

/** The time in UTC, computed independently of the parser: from its own zone, else from the message's whole-hour offset. */
function generatedAt(root: Node): Date | null {
  const text = textAt(root, "EnvelopeStatus", "TimeGenerated") ?? "";
  const offset = textAt(root, "TimeZoneOffset");
  const [, local = "", fraction = "", zone = ""] = /^([^.Z+]{19})(\.\d+)?(.*)$/.exec(text) ?? [];
  const milliseconds = Math.trunc(Number(`0${fraction || ".0"}`) * 1000 + 1e-6);
  if (zone === "" && offset === null) return null;
  const shift = zone === "" ? Number(offset) * 60 : zoneMinutes(zone);
  return new Date(Date.parse(`${local}Z`) + milliseconds - shift * 60_000);
}

function zoneMinutes(zone: string): number {
  if (zone === "Z") return 0;
  const [hours = 0, minutes = 0] = zone.slice(1).split(":").map(Number);
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}
