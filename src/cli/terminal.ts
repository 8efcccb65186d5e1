import type { Language } from "../domain/explanation.ts";

/** A command's output, and the way to interrupt it. */
export type Terminal = {
  /** Writes to standard output. */
  readonly write: (text: string) => void;
  /** True on a terminal: progress bars are then written to `stream`. */
  readonly isTerminal: boolean;
  readonly stream: NodeJS.WritableStream;
  /** The language of explanations. */
  readonly language: Language;
  /** Aborted when the user interrupts the command. */
  readonly signal: AbortSignal;
};

/**
 * Characters that command a terminal or reorder what it shows, except those that JSON escapes by itself. They can come
 * from DocuSign, in names.
 */
const COMMANDING = /[\x7f-\x9f\u2028\u2029\p{Bidi_Control}]/gu;

/** Writes one line. Control characters are shown as `�`. */
export function printLine(terminal: Terminal, line: string): void {
  terminal.write(`${line.replace(/\p{Cc}/gu, "\ufffd").replace(COMMANDING, "\ufffd")}\n`);
}

/** Writes the command's one JSON document. Control characters are escaped, so that its value stays the same. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.write(`${JSON.stringify(value, null, 2).replace(COMMANDING, escaped)}\n`);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
