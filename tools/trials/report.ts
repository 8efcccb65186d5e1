import { readFile, writeFile } from "node:fs/promises";
import type { Result } from "../../test/support/trials/trial.ts";

const BEGIN = "<!-- trials begin -->";
const END = "<!-- trials end -->";

/** The table of results in Markdown. */
export function tableOf(results: readonly Result[]): string {
  return [
    "| fault | envelopes, lost messages | responses to the sender | all imported after | dead workers' jobs released after | passed |",
    "|---|---|---|---|---|---|",
    ...results.map(rowOf),
  ].join("\n");
}

function rowOf(result: Result): string {
  const answers = [...result.answers].sort().map(([answer, count]) => `${answer}: ${count}`);
  const cells = [
    result.fault,
    `${result.envelopes}, ${result.lost}`,
    answers.join(", "),
    `${Math.round(result.recoveredAfter)} s`,
    `${Math.round(result.unlockedAfter)} s`,
    result.problems.length === 0 ? "yes" : `**no**: ${result.problems[0]?.replaceAll("|", " ")}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Puts the text between the document's two marks; throws if they are missing. */
export async function writeBetweenMarks(path: string, text: string): Promise<void> {
  const document = await readFile(path, "utf8");
  const [before, rest = ""] = document.split(BEGIN);
  const [, after] = rest.split(END);
  if (before === undefined || after === undefined) throw new Error(`${path} lacks ${BEGIN} or ${END}`);
  await writeFile(path, `${before}${BEGIN}\n\n${text}\n\n${END}${after}`);
}
