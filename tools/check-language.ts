import { glob, readFile } from "node:fs/promises";

/** Files whose comments, messages and documents are checked. */
const FILES = [
  "src/**/*.{ts,js}",
  "migrations/*.ts",
  "docs/*.md",
  "docs/client/*.ts",
  "*.md",
  "deploy/**/*.{md,yaml,env}",
  "test/**/*.ts",
  "tools/**/*.ts",
];

/** Phrases that make a reader start the sentence again, each with the plain way to write it. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/(?<!\bthere )\b(?:is|are|was|were) none\b(?! of\b)/i, 'use "null", "missing" or "not a ..."'],
  [/\b(?:what|that|which|who|it|this) (?:is|are|was|were) no (?!longer\b|more\b|less\b)/i, 'use "is not a"'],
  [/\b(?:has|have|had) to be\b/i, 'use "must be"'],
  [/\bnobody.s\b/i, "name the owner or the cause"],
  [/\banew\b/i, 'use "again", or a verb such as "re-encrypt"'],
  [/\b(?:come|comes|came|coming) by\b/i, 'use "get" or "obtain"'],
  [/\bwho(?:so)?ever\b/i, 'use "anyone who"'],
  [/\b(?:is|are|was|were|be|been) told\b/i, 'use "receives", "is passed" or "is notified"'],
  [/\btell(?:s|ing)? (?:of|that|whether|what)\b/i, 'use "report", "show" or "return"'],
  [/\bmend(?:s|ed|ing)?\b/i, 'use "fix" or "repair"'],
  [/\b(?:take|takes|took|taken|taking) in hand\b/i, 'use "process" or "claim"'],
  [/\b(?:another|other) ones? than\b/i, 'use "different from"'],
  [/\bDocuSign (?:itself )?(?:says|said|tells|told|denies|denied)\b/i, "DocuSign returns, reports or sends"],
];

/** A statement that begins like this hides its subject. */
const OPENER = /^(?:Whether|What|Where) /;
/** Elsewhere, "Of" can refer to the sentence before. */
const COMMENT_OPENER = /^(?:Whether|What|Where|Of) /;

/** Ends at a full stop, a blank line, a row of a table, or before the next item of a list. */
const SENTENCE = /\S.*?(?:[.!?](?=[*"`)]*\s)|(?=\s*\n\s*(?:\n|[-*|#] |\d+\. ))|\s*$(?![\s\S]))/gs;

const COMMENTS_AND_LITERALS =
  /(?<comment>\/\*.*?\*\/|\/\/[^\n]*(?:\n[ \t]*\/\/[^\n]*)*)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/gs;
const CONFIGURATION = /(?<comment>#[^\n]*(?:\n[ \t]*#[^\n]*)*)|"[^"\n]*"/g;

/** Each character has the position it has in the file; markers of comments and literals are blank. */
type Prose = {
  readonly kind: "comment" | "document" | "literal";
  readonly at: number;
  readonly text: string;
};

let found = 0;
for await (const path of glob(FILES)) {
  const source = await readFile(path, "utf8");
  for (const { at, text, advice } of proseOf(path, source).flatMap(check)) {
    const line = source.slice(0, at).split("\n").length;
    process.stdout.write(`${path}:${line}: ${text.replace(/\s+/g, " ")}\n    ${advice}\n`);
    found += 1;
  }
}
if (found > 0) process.exitCode = 1;

function proseOf(path: string, source: string): Prose[] {
  if (/\.[jt]s$/.test(path)) return piecesOf(source, COMMENTS_AND_LITERALS);
  if (path.endsWith(".md")) return [{ kind: "document", at: 0, text: source }];
  return piecesOf(source, CONFIGURATION);
}

function piecesOf(source: string, pattern: RegExp): Prose[] {
  return [...source.matchAll(pattern)].map(({ index, 0: match, groups }) => ({
    kind: groups?.["comment"] === undefined ? "literal" : "comment",
    at: index,
    text: match.replace(/^[ \t]*(?:\/\*+|\*+\/|\*|\/\/|#)|\*\/$|^["'`]|["'`]$/gm, (marker) =>
      " ".repeat(marker.length),
    ),
  }));
}

type Finding = { readonly at: number; readonly text: string; readonly advice: string };

function check({ kind, at, text }: Prose): Finding[] {
  return [...text.matchAll(SENTENCE)].flatMap(({ index, 0: sentence }, position) => {
    const advice = PHRASES.filter(([phrase]) => phrase.test(sentence.replace(/\s+/g, " "))).map(
      ([, plain]) => plain,
    );
    const opener = kind === "comment" && position === 0 ? COMMENT_OPENER : OPENER;
    if (kind !== "literal" && opener.test(sentence) && !sentence.endsWith("?"))
      advice.push("start with the subject");
    return advice.map((one) => ({ at: at + index, text: sentence, advice: one }));
  });
}
