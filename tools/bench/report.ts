import { readFile, writeFile } from "node:fs/promises";

/** The input of each measurement: the server's address, and the process id of its postmaster. */
export type Bench = { readonly adminUrl: string; readonly postmaster: number };

/** One line of the table. */
export type Row = {
  readonly measured: string;
  readonly here: string;
  readonly against: string;
  readonly result: string;
  readonly goal: string;
  readonly met: boolean;
};

export type Run = {
  readonly rows: readonly (Row & { readonly othersShare: number | null })[];
  /** Machine, database, moment. */
  readonly described: string;
};

const DOCUMENT = new URL("../../docs/benchmarks.md", import.meta.url);
const BEGIN = "<!-- begin of what npm run bench writes -->";
const END = "<!-- end of what npm run bench writes -->";
const HEADINGS = ["measured", "here", "against, in the same run", "result", "goal", "", "other programs"];

/** The rows as a table for people and for Markdown alike. */
export function formatTable(rows: Run["rows"]): string {
  const cells = rows.map((row) => [
    row.measured,
    row.here,
    row.against,
    row.result,
    row.goal,
    row.met ? "met" : "**missed**",
    formatShare(row.othersShare),
  ]);
  const widths = HEADINGS.map((_, column) =>
    Math.max(3, ...[HEADINGS, ...cells].map((line) => line[column]?.length ?? 0)),
  );
  const lines = [HEADINGS, widths.map((width) => "-".repeat(width)), ...cells];
  return lines
    .map((line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`)
    .join("\n");
}

/** How much of the processors other programs used. */
export function formatShare(share: number | null): string {
  return share === null ? "unknown" : `${Math.round(share * 100)} %`;
}

/** Puts the run between the document's marks; what stands around them is written by people. */
export async function writeDocument(run: Run): Promise<void> {
  const text = await readFile(DOCUMENT, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/benchmarks.md lacks the marks ${BEGIN} and ${END}`);
  const written = `${BEGIN}\n\n${run.described}\n\n${formatTable(run.rows)}\n\n`;
  await writeFile(DOCUMENT, text.slice(0, begin) + written + text.slice(end));
}
