import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import type { ChildrenType, ElementType, TextType } from "./xsd.ts";

/** A parsed element with its name and ordered contents. */
type Parsed = { readonly name: string; readonly children: readonly Parsed[]; readonly text: string };

/** Returns the schema violations in a document as sentences; ignores the namespace and the values of numbers. */
export function schemaProblems(root: ElementType, xml: string): string[] {
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreDeclaration: true,
    removeNSPrefix: true,
    parseTagValue: false,
    trimValues: false,
    htmlEntities: true,
    maxNestedTags: 50,
  });
  return childrenProblems(
    { kind: "children", order: "sequence", children: [root], attributes: [] },
    parsedOf(parser.parse(xml)),
    "",
  );
}

const entries = z.array(z.record(z.string(), z.unknown()));

function parsedOf(raw: unknown): Parsed[] {
  return entries.parse(raw).flatMap((entry) => {
    const name = Object.keys(entry).find((key) => key !== ":@" && key !== "#text");
    if (name === undefined) return [];
    const inside = entries.parse(entry[name]);
    const text = inside.map((one) => String(one["#text"] ?? "")).join("");
    return [{ name, children: parsedOf(inside), text }];
  });
}

function childrenProblems(type: ChildrenType, found: readonly Parsed[], path: string): string[] {
  const known = type.children.map(({ name }) => name);
  const unknown = found
    .filter(({ name }) => !known.includes(name))
    .map(({ name }) => `${path}/${name} is unknown`);
  const numbers = type.children.flatMap(({ name, required, most }) => {
    const count = found.filter((one) => one.name === name).length;
    if (count === 0) return required ? [`${path}/${name} is missing`] : [];
    return count > most ? [`${path}/${name} is there ${count} times`] : [];
  });
  const places = found.map(({ name }) => known.indexOf(name));
  const disordered =
    type.order === "sequence" && places.some((place, index) => place < (places[index - 1] ?? 0));
  const inside = found.flatMap((one) => {
    const child = type.children.find(({ name }) => name === one.name);
    return child === undefined ? [] : contentProblems(child, one, `${path}/${one.name}`);
  });
  return [...unknown, ...numbers, ...(disordered ? [`${path} is out of order`] : []), ...inside];
}

function contentProblems({ content, nillable }: ElementType, found: Parsed, path: string): string[] {
  if (nillable && found.children.length === 0 && found.text === "") return [];
  if (content.kind === "children") return childrenProblems(content, found.children, path);
  return isAllowed(content, found.text) ? [] : [`${path} may not be “${found.text}”`];
}

const PATTERNS: Readonly<Record<string, RegExp>> = {
  dateTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$/,
  boolean: /^(true|false|0|1)$/,
  int: /^-?\d+$/,
  positiveInteger: /^[1-9]\d*$/,
  nonNegativeInteger: /^\d+$/,
  unsignedShort: /^\d{1,5}$/,
  decimal: /^-?\d+(\.\d+)?$/,
  double: /^-?\d+(\.\d+)?$/,
  base64Binary: /^[A-Za-z0-9+/]*={0,2}$/,
};

function isAllowed({ base, words, minLength, maxLength }: TextType, text: string): boolean {
  if (words !== null) return words.includes(text);
  const length = Array.from(text).length;
  return (PATTERNS[base]?.test(text) ?? true) && length >= minLength && length <= maxLength;
}
