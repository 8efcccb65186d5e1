import type { Uses } from "../usecases/capabilities.ts";
import {
  type CheckedLink,
  type RestoredDeletions,
  restoreDeletions,
} from "../usecases/deletions/restore-deletions.ts";
import { EXIT, type RestoredCommand, UsageError } from "./arguments.ts";
import { titleOf } from "./format.ts";
import { printLine, type Terminal } from "./terminal.ts";

/** `torikomi restored`: repeats deletions after the database was set back, and prints which links need a person. */
export async function runRestored(
  deps: Uses<"adminProfiles" | "db" | "documents" | "log" | "notifier" | "now" | "openAccount" | "publicUrl">,
  { to }: RestoredCommand,
  terminal: Terminal,
): Promise<number> {
  if (to > deps.now()) throw new UsageError("--to lies in the future");
  const restored = await restoreDeletions(deps, to);
  for (const line of linesOf(restored)) printLine(terminal, line);
  return restored.checked.some(({ standing }) => standing === "unknown") ? EXIT.notNow : EXIT.done;
}

function linesOf({
  read,
  contracts,
  links,
  tenants,
  reused,
  restored,
  checked,
}: RestoredDeletions): string[] {
  return [
    `tombstones read            ${read}`,
    `contracts deleted again    ${contracts}`,
    `links ended again          ${listOf(links)}`,
    `tenants erased again       ${listOf(tenants)}`,
    ...reused.map((tenant) => `not erased, as it has been linked again: ${tenant}`),
    `entries in the feed        ${restored}`,
    `links that work            ${checked.filter(({ standing }) => standing === "works").length}`,
    ...checked.flatMap(lineOf),
  ];
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? "0" : `${names.length}: ${names.join(", ")}`;
}

function lineOf({ link, standing }: CheckedLink): string[] {
  switch (standing) {
    case "works":
      return [];
    case "needs-person":
      return [`${titleOf(link)} needs its owner, who must link it again (${link.cause ?? link.state})`];
    case "unknown":
      return [`${titleOf(link)} could not be checked: DocuSign cannot be reached. Run this command again`];
  }
}
