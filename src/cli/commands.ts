import type { Uses } from "../usecases/capabilities.ts";
import { reencryptSecrets } from "../usecases/operating/reencrypt.ts";
import { type Command, EXIT } from "./arguments.ts";
import { runDoctor } from "./doctor.ts";
import { runExplain } from "./explain.ts";
import { runReconcile } from "./reconcile.ts";
import { runReplay } from "./replay.ts";
import { printLine, type Terminal } from "./terminal.ts";

export type OperatorCommand = Extract<
  Command,
  { name: "reconcile" | "explain" | "replay" | "reencrypt" | "doctor" }
>;

/** Dependencies of all commands. */
export type CommandUses = Uses<
  | "adminProfiles"
  | "budgets"
  | "cabinetClient"
  | "cabinetIssuer"
  | "db"
  | "documents"
  | "importTiming"
  | "lanes"
  | "log"
  | "notifier"
  | "now"
  | "oauth"
  | "openAccount"
  | "production"
  | "publicUrl"
  | "vault"
>;

/** Runs a command and returns the exit status of the process. Throws faults. */
export async function runOperatorCommand(
  command: OperatorCommand,
  deps: CommandUses,
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

async function runReencrypt(deps: Uses<"db" | "vault">, terminal: Terminal): Promise<number> {
  const { links, linkings } = await reencryptSecrets(deps);
  printLine(
    terminal,
    `re-encrypted the tokens of ${amount(links, "link")} and ${amount(linkings, "pending linking")}`,
  );
  return EXIT.done;
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
