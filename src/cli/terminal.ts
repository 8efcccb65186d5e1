import type { Language } from "../domain/explanation.ts";

/** Where a command says what it found, and how its person can stop it. */
export type Terminal = {
  /** To standard output. */
  readonly write: (text: string) => void;
  /** Whether a person looks on: then there are progress bars, written to `stream`. */
  readonly isTerminal: boolean;
  readonly stream: NodeJS.WritableStream;
  /** What explanations are told in. */
  readonly language: Language;
  /** Aborted when the person wants the command to end. */
  readonly signal: AbortSignal;
};

/** Writes one line. Names come from DocuSign: what would command the terminal, or begin another line, is shown as `�`. */
export function say(terminal: Terminal, line: string): void {
  terminal.write(`${line.replace(/\p{Cc}/gu, "\ufffd")}\n`);
}

/** Writes the command's one JSON document. */
export function sayJson(terminal: Terminal, value: unknown): void {
  terminal.write(`${JSON.stringify(value, null, 2)}\n`);
}
