import fc from "fast-check";
import type { ChildrenType, ElementType, TextType } from "./xsd.ts";

/** A generated element; `null` content is `xsi:nil`. */
export type Node = {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly content: string | readonly Node[] | null;
};

/** Texts that the schema does not restrict but DocuSign does, by element path from the root. */
export type Fillings = Readonly<Record<string, fc.Arbitrary<string>>>;

/** Elements that the schema allows: with or without optional children, in any order where the schema allows it. */
export function elements(type: ElementType, fillings: Fillings, above = ""): fc.Arbitrary<Node> {
  const path = `${above}/${type.name}`;
  const content: fc.Arbitrary<Node["content"]> =
    fillings[path] ??
    (type.content.kind === "text" ? texts(type.content) : children(type.content, fillings, path));
  const attributes = type.content.kind === "children" ? attributesOf(type.content) : fc.constant({});
  return fc.record({
    name: fc.constant(type.name),
    attributes,
    content: type.nillable ? fc.option(content, { nil: null, freq: 4 }) : content,
  });
}

const MOST_ALIKE = 3;

function children(type: ChildrenType, fillings: Fillings, path: string): fc.Arbitrary<readonly Node[]> {
  const groups = type.children.map((child) =>
    fc.array(elements(child, fillings, path), {
      minLength: child.required ? 1 : 0,
      maxLength: Math.min(child.most, MOST_ALIKE),
    }),
  );
  const inOrder = fc.tuple(...groups).map((all) => all.flat());
  return type.order === "sequence" ? inOrder : inOrder.chain(shuffled);
}

function shuffled(nodes: Node[]): fc.Arbitrary<readonly Node[]> {
  return fc.oneof(
    fc.constant(nodes),
    fc.shuffledSubarray(nodes, { minLength: nodes.length, maxLength: nodes.length }),
  );
}

function attributesOf({ attributes }: ChildrenType): fc.Arbitrary<Record<string, string>> {
  const written = attributes.map((name) => fc.tuple(fc.constant(name), anyText(0, 20)));
  return fc.tuple(...written).map((pairs) => Object.fromEntries(pairs));
}

function texts({ base, words, minLength, maxLength }: TextType): fc.Arbitrary<string> {
  if (words !== null) return fc.constantFrom(...words);
  return BASES[base]?.() ?? anyText(minLength, Math.min(maxLength, 40));
}

const BASES: Readonly<Record<string, () => fc.Arbitrary<string>>> = {
  dateTime: () => localTimes,
  boolean: () => fc.constantFrom("true", "false", "1", "0"),
  int: () => fc.integer({ min: -12, max: 14 }).map(String),
  positiveInteger: () => fc.integer({ min: 1, max: 2 ** 31 }).map(String),
  nonNegativeInteger: () => fc.nat().map(String),
  unsignedShort: () => fc.integer({ min: 1, max: 65_535 }).map(String),
  decimal: () => fc.integer({ min: -999, max: 999 }).map((hundredths) => String(hundredths / 100)),
  double: () => fc.integer({ min: -999, max: 999 }).map((hundredths) => String(hundredths / 100)),
  base64Binary: () =>
    fc.uint8Array({ maxLength: 6_000 }).map((bytes) => Buffer.from(bytes).toString("base64")),
};

const digits = (from: number, to: number): fc.Arbitrary<string> =>
  fc.integer({ min: from, max: to }).map((value) => String(value).padStart(2, "0"));

/** Times as DocuSign writes them: without a zone, with up to seven fractional digits. */
export const localTimes: fc.Arbitrary<string> = fc
  .tuple(
    fc.integer({ min: 2005, max: 2099 }),
    digits(1, 12),
    digits(1, 28),
    digits(0, 23),
    digits(0, 59),
    digits(0, 59),
    fc.stringMatching(/^(\.\d{1,7})?$/),
  )
  .map(
    ([year, month, day, hour, minute, second, fraction]) =>
      `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}`,
  );

/** Characters of names and subjects, including markup and our element names. */
const unit = fc.constantFrom(
  ...Array.from("契約書甲乙 aZ09&<>\"'é😀が\u200f\n\t]-!"),
  "]]>",
  "-->",
  "</EnvelopeStatus>",
  "<Status>Voided</Status>",
  "&amp;",
);

function anyText(minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit, minLength, maxLength }).map((text) => {
    // A schema counts characters, JavaScript counts UTF-16 code units.
    const characters = Array.from(Array.from(text).slice(0, maxLength).join("").trim());
    return characters.join("") + "x".repeat(Math.max(0, minLength - characters.length));
  });
}

/** The ways in which the same message can be written. */
export type Style = {
  readonly prefix: string;
  readonly declaration: boolean;
  readonly indent: string;
  readonly cdata: boolean;
  readonly comments: boolean;
};

export const styles: fc.Arbitrary<Style> = fc.record({
  prefix: fc.constantFrom("", "dsx:"),
  declaration: fc.boolean(),
  indent: fc.constantFrom("", "\n", "\r\n  "),
  cdata: fc.boolean(),
  comments: fc.boolean(),
});

export function writeMessage(root: Node, style: Style): string {
  const namespace = style.prefix === "" ? "xmlns" : "xmlns:dsx";
  const attributes = {
    [namespace]: "http://www.docusign.net/API/3.0",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
  };
  const xml = write({ ...root, attributes }, style);
  return style.declaration ? `<?xml version="1.0" encoding="utf-8"?>${style.indent}${xml}` : xml;
}

function write({ name, attributes, content }: Node, style: Style): string {
  const tag = `${style.prefix}${name}`;
  const nil = content === null ? { "xsi:nil": "true" } : {};
  const written = Object.entries({ ...attributes, ...nil }).map(
    ([key, value]) => ` ${key}="${escapeText(value)}"`,
  );
  if (content === null || content.length === 0) return `<${tag}${written.join("")} />`;
  const inside = typeof content === "string" ? writeText(content, style) : writeChildren(content, style);
  return `<${tag}${written.join("")}>${inside}</${tag}>`;
}

function writeChildren(nodes: readonly Node[], style: Style): string {
  const comment = style.comments ? "<!-- <Status>Declined</Status> -->" : "";
  return nodes.map((node) => `${style.indent}${comment}${write(node, style)}`).join("") + style.indent;
}

function writeText(text: string, { cdata }: Style): string {
  return cdata && !text.includes("]]>") ? `<![CDATA[${text}]]>` : escapeText(text);
}

function escapeText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\n", "&#10;")
    .replaceAll("\t", "&#9;");
}
