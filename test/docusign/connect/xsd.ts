import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import { fixture } from "../fixtures.ts";

export type ElementType = {
  readonly name: string;
  readonly required: boolean;
  /** The maximum number of occurrences. */
  readonly most: number;
  readonly nillable: boolean;
  readonly content: TextType | ChildrenType;
};

export type TextType = {
  readonly kind: "text";
  /** `string`, `dateTime`, … */
  readonly base: string;
  /** The allowed values, or null if any is allowed. */
  readonly words: readonly string[] | null;
  readonly minLength: number;
  readonly maxLength: number;
};

export type ChildrenType = {
  readonly kind: "children";
  /** `all` means in any order. */
  readonly order: "all" | "sequence";
  readonly children: readonly ElementType[];
  readonly attributes: readonly string[];
};

/** The root element of DocuSign's schema of legacy Connect messages, with all its descendants. */
export function readConnectSchema(): ElementType {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    ignoreDeclaration: true,
    removeNSPrefix: true,
    isArray: (name) => LISTS.has(name),
  });
  const { schema } = file.parse(parser.parse(fixture("connect-legacy.xsd")));
  const parts = new Map(
    [...schema.element, ...schema.complexType, ...schema.simpleType].map((one) => [one.name, one]),
  );
  return toElement({ ref: "dsx:DocuSignEnvelopeInformation" }, parts);
}

const LISTS = new Set(["element", "complexType", "simpleType", "enumeration", "attribute"]);

type Raw = {
  name?: string | undefined;
  ref?: string | undefined;
  type?: string | undefined;
  minOccurs?: string | undefined;
  maxOccurs?: string | undefined;
  nillable?: string | undefined;
  complexType?: Raw[] | undefined;
  simpleType?: Raw[] | undefined;
  all?: Group | undefined;
  sequence?: Group | undefined;
  attribute?: { name: string }[] | undefined;
  restriction?: Restriction | undefined;
};
type Group = { element: Raw[] };
type Limit = { value: string };
type Restriction = {
  base: string;
  enumeration?: Limit[] | undefined;
  minLength?: Limit | undefined;
  maxLength?: Limit | undefined;
};

const limit = z.object({ value: z.string() });
const raw: z.ZodType<Raw> = z.lazy(() =>
  z.object({
    name: z.string().optional(),
    ref: z.string().optional(),
    type: z.string().optional(),
    minOccurs: z.string().optional(),
    maxOccurs: z.string().optional(),
    nillable: z.string().optional(),
    complexType: z.array(raw).optional(),
    simpleType: z.array(raw).optional(),
    all: z.object({ element: z.array(raw) }).optional(),
    sequence: z.object({ element: z.array(raw) }).optional(),
    attribute: z.array(z.object({ name: z.string() })).optional(),
    restriction: z
      .object({
        base: z.string(),
        enumeration: z.array(limit).optional(),
        minLength: limit.optional(),
        maxLength: limit.optional(),
      })
      .optional(),
  }),
);
const file = z.object({
  schema: z.object({ element: z.array(raw), complexType: z.array(raw), simpleType: z.array(raw) }),
});

type Parts = ReadonlyMap<string | undefined, Raw>;

function toElement(place: Raw, parts: Parts): ElementType {
  const described = place.ref === undefined ? place : partNamed(place.ref, parts);
  return {
    name: described.name ?? "",
    required: place.minOccurs !== "0",
    most: place.maxOccurs === "unbounded" ? Number.MAX_SAFE_INTEGER : Number(place.maxOccurs ?? 1),
    nillable: place.nillable === "true",
    content: toContent(described, parts),
  };
}

function toContent(described: Raw, parts: Parts): TextType | ChildrenType {
  const { type, complexType, simpleType, all, sequence, attribute = [], restriction } = described;
  const inner = complexType?.[0] ?? simpleType?.[0];
  if (inner !== undefined) return toContent(inner, parts);
  if (type?.startsWith("dsx:")) return toContent(partNamed(type, parts), parts);
  const group = all ?? sequence;
  if (group === undefined) return toText(restriction ?? { base: type ?? "xsd:string" });
  return {
    kind: "children",
    order: all === undefined ? "sequence" : "all",
    children: group.element.map((child) => toElement(child, parts)),
    attributes: attribute.map(({ name }) => name),
  };
}

function toText({ base, enumeration, minLength, maxLength }: Restriction): TextType {
  return {
    kind: "text",
    base: base.replace("xsd:", ""),
    words: enumeration?.map(({ value }) => value) ?? null,
    minLength: Number(minLength?.value ?? 0),
    maxLength: Number(maxLength?.value ?? Number.MAX_SAFE_INTEGER),
  };
}

function partNamed(reference: string, parts: Parts): Raw {
  const part = parts.get(reference.replace("dsx:", ""));
  if (part === undefined) throw new Error(`${reference} is not in the schema`);
  return part;
}
