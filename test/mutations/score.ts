import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { EXPLAINED, type Explained } from "./explained.ts";
import { NOT_CHOSEN } from "./runner.ts";
import type { MutantResult } from "./stryker.ts";

/** A mutant that every test passed with, in the words that `explained.ts` would list it with. */
type Survivor = Pick<Explained, "file" | "line"> & {
  readonly code: string;
  readonly mutant: string;
  readonly at: number;
};

/** Prints how many mutants of each file were found out, and each survivor; gives the survivors nobody explained. */
export async function tellScores(results: readonly MutantResult[]): Promise<Survivor[]> {
  const tried = results.filter((result) => result.statusReason !== NOT_CHOSEN);
  const survivors = await Promise.all(tried.filter(hasSurvived).map(describeSurvivor));
  const unexplained = survivors.filter((survivor) => !EXPLAINED.some((known) => isSame(known, survivor)));
  const files = [...new Set(results.map((result) => nameOf(result)))].sort();
  const rows = files.map((file) => ({
    file,
    mutants: count(results, file),
    tried: count(tried, file),
    killed: count(tried, file, "Killed"),
    timeouts: count(tried, file, "Timeout"),
    explained:
      survivors.filter((one) => one.file === file).length -
      unexplained.filter((one) => one.file === file).length,
    survived: unexplained.filter((one) => one.file === file).length,
    errors: count(tried, file, "RuntimeError") + count(tried, file, "CompileError"),
  }));
  console.table(rows);
  for (const survivor of unexplained) console.log(JSON.stringify(survivor, null, 2));
  return unexplained;
}

function count(results: readonly MutantResult[], file: string, status?: MutantResult["status"]): number {
  return results.filter((one) => nameOf(one) === file && (status === undefined || one.status === status))
    .length;
}

function hasSurvived({ status }: MutantResult): boolean {
  return status === "Survived" || status === "NoCoverage";
}

function nameOf({ fileName }: MutantResult): string {
  return relative(process.cwd(), fileName);
}

async function describeSurvivor(result: MutantResult): Promise<Survivor> {
  const source = await readFile(result.fileName, "utf8");
  const { start, end } = result.location;
  return {
    file: nameOf(result),
    at: start.line,
    line: oneLine(source.split("\n")[start.line - 1] ?? ""),
    code: oneLine(textBetween(source, start, end)),
    mutant: oneLine(result.replacement ?? ""),
  };
}

type Position = MutantResult["location"]["start"];

/** Lines and columns count from 1, the end is exclusive. */
function textBetween(source: string, start: Position, end: Position): string {
  const lines = source.split("\n").slice(start.line - 1, end.line);
  const last = lines.length - 1;
  return lines
    .map((line, index) =>
      line.slice(index === 0 ? start.column - 1 : 0, index === last ? end.column - 1 : undefined),
    )
    .join("\n");
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function isSame(known: Explained, { file, line, code, mutant }: Survivor): boolean {
  return known.file === file && known.line === line && (known.changes[code]?.includes(mutant) ?? false);
}
