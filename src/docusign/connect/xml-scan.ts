/** An element whose text is wanted, and the wanted elements inside it. */
export type Wanted = { readonly name: string; readonly inside: readonly Wanted[] };

/** The trimmed texts of each wanted element in the order of the document; null for one with elements of its own. */
export type Texts = ReadonlyMap<Wanted, readonly (string | null)[]>;

export type XmlLimits = {
  readonly depth: number;
  /** Limits the characters of the document; texts longer than `longText` do not count. */
  readonly length: number;
  readonly longText: number;
};

/**
 * Reads the texts of some elements in one pass over the document, whatever it contains besides. Namespace prefixes,
 * attributes and comments are ignored. Returns null if the document is not well-formed, has a different root, exceeds
 * a limit or contains a document type.
 */
export function scanXml(xml: string, root: Wanted, limits: XmlLimits): Texts | null {
  const tree = createTree(xml, root, limits.depth);
  let at = 0;
  let skipped = 0;
  while (at < xml.length) {
    const open = indexOrEnd(xml, "<", at);
    if (!tree.addText(at, open)) return null;
    if (open - at > limits.longText) skipped += open - at;
    at = open === xml.length ? open : readMarkup(xml, open, tree);
    if (at === -1 || at - skipped > limits.length) return null;
  }
  return tree.end();
}

type Tree = {
  /** Each returns false if the document is not well-formed. Positions are those of the document. */
  open(name: Name): boolean;
  close(start: number, end: number): boolean;
  addText(start: number, end: number): boolean;
  end(): Texts | null;
};

/** `local` is where the name begins after its prefix. */
type Name = { readonly start: number; readonly local: number; readonly end: number };

type Level = { readonly name: Name; readonly wanted: Wanted | null; text: string | null };

function createTree(xml: string, root: Wanted, depth: number): Tree {
  const levels: Level[] = [];
  const texts = new Map<Wanted, (string | null)[]>();
  const find = (among: readonly Wanted[], { local, end }: Name): Wanted | null =>
    among.find((one) => isText(xml, local, end, one.name)) ?? null;
  const enter = (name: Name, wanted: Wanted | null): boolean => {
    levels.push({ name, wanted, text: "" });
    if (wanted !== null && !texts.has(wanted)) texts.set(wanted, []);
    return levels.length <= depth;
  };
  return {
    open(name) {
      const parent = levels.at(-1);
      if (parent === undefined) {
        const wanted = find([root], name);
        return wanted !== null && texts.size === 0 && enter(name, wanted);
      }
      parent.text = null;
      return enter(name, find(parent.wanted?.inside ?? NONE, name));
    },
    close(start, end) {
      const level = levels.pop();
      if (level === undefined || !isSame(xml, level.name, start, end)) return false;
      if (level.wanted !== null) texts.get(level.wanted)?.push(level.text?.trim() ?? null);
      return true;
    },
    addText(start, end) {
      const level = levels.at(-1);
      if (level === undefined) return isBlank(xml, start, end);
      if (level.wanted !== null && level.text !== null) level.text += xml.slice(start, end);
      return true;
    },
    end: () => (levels.length === 0 && texts.size > 0 ? texts : null),
  };
}

const NONE: readonly Wanted[] = [];

/** Returns the position after the markup that begins at `open`, or -1 if it is malformed. */
function readMarkup(xml: string, open: number, tree: Tree): number {
  switch (xml.charAt(open + 1)) {
    case "/":
      return readClosing(xml, open, tree);
    case "?":
      return after(xml, "?>", open + 2);
    case "!":
      return readComment(xml, open, tree);
    default:
      return readOpening(xml, open, tree);
  }
}

function readClosing(xml: string, open: number, tree: Tree): number {
  const close = xml.indexOf(">", open);
  const end = nameEnd(xml, open + 2);
  return close !== -1 && isBlank(xml, end, close) && tree.close(open + 2, end) ? close + 1 : -1;
}

const CDATA = "<![CDATA[";
const COMMENT = "<!--";

/** A comment or a CDATA section. Anything else, such as a document type, is refused. */
function readComment(xml: string, open: number, tree: Tree): number {
  if (xml.startsWith(COMMENT, open)) return after(xml, "-->", open + COMMENT.length);
  if (!xml.startsWith(CDATA, open)) return -1;
  const end = after(xml, "]]>", open + CDATA.length);
  return end !== -1 && tree.addText(open + CDATA.length, end - "]]>".length) ? end : -1;
}

function readOpening(xml: string, open: number, tree: Tree): number {
  const start = open + 1;
  const end = nameEnd(xml, start);
  const last = end === start ? -1 : attributesEnd(xml, end);
  if (last === -1 || !tree.open({ start, local: localStart(xml, start, end), end })) return -1;
  if (xml.charAt(last) === ">") return last + 1;
  return xml.startsWith("/>", last) && tree.close(start, end) ? last + 2 : -1;
}

const ATTRIBUTE = /\s+[^\s=<>"'/]+\s*=\s*(?:"[^"<]*"|'[^'<]*')/y;
const BLANKS = /\s*/y;

/** Returns the position of the `>` or `/>` behind the attributes, if they are well-formed. */
function attributesEnd(xml: string, from: number): number {
  let at = from;
  if (xml.charAt(at) === ">") return at;
  for (;;) {
    ATTRIBUTE.lastIndex = at;
    if (!ATTRIBUTE.test(xml)) break;
    at = ATTRIBUTE.lastIndex;
  }
  BLANKS.lastIndex = at;
  BLANKS.test(xml);
  return BLANKS.lastIndex;
}

const COLON = 0x3a;

function localStart(xml: string, start: number, end: number): number {
  for (let at = start; at < end; at += 1) if (xml.charCodeAt(at) === COLON) return at + 1;
  return start;
}

/** A name begins with a letter. Returns `start` if there is none. */
function nameEnd(xml: string, start: number): number {
  if (!isLetter(xml.charCodeAt(start))) return start;
  let at = start + 1;
  while (isNamePart(xml.charCodeAt(at))) at += 1;
  return at;
}

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code > 0x7f;
}

/** Letters, digits, and `-`, `.`, `:`, `_`. */
function isNamePart(code: number): boolean {
  return isLetter(code) || (code >= 0x30 && code <= 0x3a) || code === 0x2d || code === 0x2e || code === 0x5f;
}

function isSame(xml: string, name: Name, start: number, end: number): boolean {
  if (name.end - name.start !== end - start) return false;
  for (let at = 0; at < end - start; at += 1)
    if (xml.charCodeAt(name.start + at) !== xml.charCodeAt(start + at)) return false;
  return true;
}

function isText(xml: string, start: number, end: number, text: string): boolean {
  return end - start === text.length && xml.startsWith(text, start);
}

function isBlank(xml: string, start: number, end: number): boolean {
  return start === end || xml.slice(start, end).trim() === "";
}

function after(xml: string, part: string, from: number): number {
  const index = xml.indexOf(part, from);
  return index === -1 ? -1 : index + part.length;
}

function indexOrEnd(xml: string, part: string, from: number): number {
  const index = xml.indexOf(part, from);
  return index === -1 ? xml.length : index;
}
