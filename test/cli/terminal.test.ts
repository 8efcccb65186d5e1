import assert from "node:assert/strict";
import { test } from "node:test";
import { printJson, printLine, type Terminal } from "../../src/cli/terminal.ts";

/** Characters of a name that command a terminal, or turn around what it shows. */
const COMMANDS = "a\u0007b\u001b[2Jc\u007fd\u0085e\u009b31mf\u061cg\u200fh\u202ei\u2066j\u2028k\u2029l";

test("JSON output contains no character that commands a terminal, and its value is unchanged", () => {
  const value = { fileName: `${COMMANDS}契約書.pdf`, [COMMANDS]: 1 };

  const text = written((terminal) => printJson(terminal, value));

  assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
  assert.match(text, /\\u009b31m/);
  assert.match(text, /契約書/);
  assert.deepEqual(JSON.parse(text), value);
});

test("a line of output shows such characters as a replacement character", () => {
  const text = written((terminal) => printLine(terminal, COMMANDS));

  assert.equal(text, "a�b�[2Jc�d�e�31mf�g�h�i�j�k�l\n");
});

function written(print: (terminal: Terminal) => void): string {
  let text = "";
  print({
    write: (words) => void (text += words),
    isTerminal: false,
    stream: process.stdout,
    language: "en",
    signal: new AbortController().signal,
  });
  return text;
}
