import { type CheckDeps, checkService } from "../usecases/operating/check-service.ts";
import { EXIT } from "./arguments.ts";
import { say, type Terminal } from "./terminal.ts";

/** `torikomi doctor`: a line for each check; whoever gets here has a configuration that can be read. */
export async function runDoctor(deps: CheckDeps, terminal: Terminal): Promise<number> {
  say(terminal, `ok   configuration: complete${deps.settings.production ? "" : ", not for production"}`);
  let isWell = true;
  for await (const { name, ok, text } of checkService(deps)) {
    say(terminal, `${ok ? "ok  " : "FAIL"} ${name}: ${text}`);
    isWell &&= ok;
  }
  return isWell ? EXIT.done : EXIT.failed;
}

/** For what keeps the doctor from looking at all: a configuration that is wrong, a database that does not start. */
export function tellProblems(terminal: Terminal, name: string, problems: readonly string[]): void {
  for (const problem of problems) say(terminal, `FAIL ${name}: ${problem}`);
}
