import type { Database } from "../store/database.ts";
import { resealTokens } from "../store/link-tokens.ts";
import type { Vault } from "../store/vault.ts";
import { type Command, EXIT } from "./arguments.ts";

export type OperatorCommand = Extract<
  Command,
  { name: "reconcile" | "explain" | "replay" | "reencrypt" | "doctor" }
>;

export type Terminal = {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  readonly stream: NodeJS.WriteStream;
};

export type CommandDeps = { readonly db: Database; readonly vault: Vault };

/** Carries out a command and gives the process's exit status; throws what is a fault. */
export async function runOperatorCommand(
  command: OperatorCommand,
  deps: CommandDeps,
  terminal: Terminal,
): Promise<number> {
  const sealed = await resealTokens(deps.db, deps.vault);
  terminal.write(`${command.name}: sealed the secrets of ${sealed} links anew\n`);
  return EXIT.done;
}
