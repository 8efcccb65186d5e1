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

/** Writes one line. Control characters are shown as `�`, since names come from DocuSign. */
export function printLine(terminal: Terminal, line: string): void {
  terminal.write(`${line.replace(/\p{Cc}/gu, "\ufffd")}\n`);
}

/** Writes the command's one JSON document. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.write(`${JSON.stringify(value, null, 2)}\n`);
}
