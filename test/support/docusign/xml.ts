import { shuffled } from "./shuffled.ts";

/** Legacy Connect leaves open how its XML is written; receivers must not care. */
export type XmlStyle = {
  /** How the namespace is written: as default, by a prefix, or not at all. */
  namespace?: "default" | "prefix" | "none";
  /** Random numbers from 0 to below 1 that shuffle siblings; absent for the normal order. */
  shuffle?: () => number;
};

export type Element = { name: string; children: Element[] | string; ordered?: boolean };

const NAMESPACE = "http://www.docusign.net/API/3.0";

/** An element whose children DocuSign may send in any order. */
export function element(name: string, children: Element[] | string): Element {
  return { name, children };
}

/** An element of repeated ones: these keep their order. */
export function list(name: string, children: Element[]): Element {
  return { name, children, ordered: true };
}

/** The document as bytes. */
export function writeXml(root: Element, style: XmlStyle): Buffer {
  return Buffer.from(`<?xml version="1.0" encoding="utf-8"?>${write(root, style, declarationOf(style))}`);
}

function declarationOf({ namespace = "default" }: XmlStyle): string {
  return { default: ` xmlns="${NAMESPACE}"`, prefix: ` xmlns:ds="${NAMESPACE}"`, none: "" }[namespace];
}

function write(node: Element, style: XmlStyle, declaration = ""): string {
  const name = style.namespace === "prefix" ? `ds:${node.name}` : node.name;
  return `<${name}${declaration}>${inside(node, style)}</${name}>`;
}

function inside({ children, ordered }: Element, style: XmlStyle): string {
  if (typeof children === "string") return escapeText(children);
  const inOrder =
    style.shuffle === undefined || ordered === true ? children : shuffled(children, style.shuffle);
  return inOrder.map((child) => write(child, style)).join("");
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
