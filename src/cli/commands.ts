import type { ExplainDeps } from "../usecases/explaining/explain-envelope.ts";
import type { CheckDeps } from "../usecases/operating/check-service.ts";
import type { ReconcileNowDeps } from "../usecases/operating/reconcile-now.ts";
import { reencryptSecrets } from "../usecases/operating/reencrypt.ts";
import { type Command, EXIT } from "./arguments.ts";
import { runDoctor } from "./doctor.ts";
import { runExplain } from "./explain.ts";
import { runReconcile } from "./reconcile.ts";
import { runReplay } from "./replay.ts";
import { say, type Terminal } from "./terminal.ts";

export type OperatorCommand = Extract<
  Command,
  { name: "reconcile" | "explain" | "replay" | "reencrypt" | "doctor" }
>;

export type CommandDeps = ReconcileNowDeps & ExplainDeps & CheckDeps;

/** Carries out a command and gives the process's exit status; throws what is a fault, in one line. */
export async function runOperatorCommand(
  command: OperatorCommand,
  deps: CommandDeps,
  terminal: Terminal,
): Promise<number> {
  switch (command.name) {
    case "reconcile":
      return await runReconcile(deps, command, terminal);
    case "explain":
      return await runExplain(deps, command, terminal);
    case "replay":
      return await runReplay(deps, command, terminal);
    case "reencrypt":
      return await runReencrypt(deps, terminal);
    case "doctor":
      return await runDoctor(deps, terminal);
  }
}

async function runReencrypt(deps: CommandDeps, terminal: Terminal): Promise<number> {
  const { links, linkings } = await reencryptSecrets(deps);
  say(terminal, `sealed anew: the tokens of ${links} links, ${linkings} linkings under way`);
  return EXIT.done;
}
