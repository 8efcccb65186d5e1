import type { Uses } from "../usecases/capabilities.ts";
import { reencryptSecrets } from "../usecases/operating/reencrypt.ts";
import { type Command, EXIT } from "./arguments.ts";
import { runDoctor } from "./doctor.ts";
import { runErase } from "./erase-tenant.ts";
import { runExplain } from "./explain.ts";
import { amount } from "./format.ts";
import { runReconcile } from "./reconcile.ts";
import { runReplay } from "./replay.ts";
import { runRestored } from "./restored.ts";
import { printLine, type Terminal } from "./terminal.ts";
import { runVerify } from "./verify-documents.ts";

export type OperatorCommand = Extract<
  Command,
  {
    name:
      | "reconcile"
      | "explain"
      | "replay"
      | "reencrypt"
      | "doctor"
      | "restored"
      | "verify-documents"
      | "erase-tenant";
  }
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
  | "largeImport"
  | "log"
  | "notifier"
  | "now"
  | "oauth"
  | "openAccount"
  | "prepareTokens"
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
    case "restored":
      return await runRestored(deps, command, terminal);
    case "verify-documents":
      return await runVerify(deps, command, terminal);
    case "erase-tenant":
      return await runErase(deps, command, terminal);
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
