import { type CheckUses, checkService } from "../usecases/operating/check-service.ts";
import { EXIT } from "./arguments.ts";
import { printLine, type Terminal } from "./terminal.ts";

/** `torikomi doctor`: prints a line for each check. The configuration is valid at this point. */
export async function runDoctor(deps: CheckUses, terminal: Terminal): Promise<number> {
  printLine(terminal, `ok   configuration: complete${deps.production ? "" : ", not for production"}`);
  let isWell = true;
  for await (const { name, ok, text } of checkService(deps)) {
    printLine(terminal, `${ok ? "ok  " : "FAIL"} ${name}: ${text}`);
    isWell &&= ok;
  }
  return isWell ? EXIT.done : EXIT.failed;
}

/** For problems that prevent all checks: an invalid configuration, or a database that does not start. */
export function printProblems(terminal: Terminal, name: string, problems: readonly string[]): void {
  for (const problem of problems) printLine(terminal, `FAIL ${name}: ${problem}`);
}
