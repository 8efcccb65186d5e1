import type { Uses } from "../usecases/capabilities.ts";
import { checkService } from "../usecases/operating/check-service.ts";
import { EXIT } from "./arguments.ts";
import { say, type Terminal } from "./terminal.ts";

type Deps = Uses<"cabinetIssuer" | "db" | "documents" | "oauth" | "production" | "publicUrl" | "vault">;

/** `torikomi doctor`: a line for each check; whoever gets here has a configuration that can be read. */
export async function runDoctor(deps: Deps, terminal: Terminal): Promise<number> {
  say(terminal, `ok   configuration: complete${deps.production ? "" : ", not for production"}`);
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
