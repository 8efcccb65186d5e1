import { parseArgs } from "node:util";
import { type EnvelopeId, type LinkId, parseUuid } from "../domain/identifiers.ts";

/** Exit statuses (service.md; those of sysexits.h). */
export const EXIT = { done: 0, failed: 1, usage: 64, notNow: 75, config: 78 } as const;

export const USAGE = `usage: torikomi [command]

  serve                      serve HTTP: Connect receiver, cabinet API, page, health
  work                       run imports, hourly reconciliation and housekeeping
  all                        do both in one process (the default)
  migrate [--wait SECONDS]   migrate the database to the current version; wait up to 60
                             seconds, or SECONDS, until it accepts connections
  reconcile [--link ID] [--from T] [--to T] [--dry-run] [--json]
                             reconcile now
  explain ENVELOPE_ID [--tenant ID] [--json]
                             explain why an envelope was or was not imported
  replay [--link ID] [--since T] [--json]
                             process recorded Connect events again
  reencrypt                  encrypt stored secrets with the first of ENCRYPTION_KEYS
  restored --to T            repeat the deletions since T after the database was set back to T;
                             stop the services first
  verify-documents [--repair] [--deep] [--tenant ID]
                             check that the bytes of all contracts are stored; --deep compares
                             hashes, --repair fetches missing documents from DocuSign
  erase-tenant TENANT --yes [--force]
                             erase everything of a customer who leaves; --force does so even
                             if DocuSign cannot be reached
  doctor                     check configuration, database, document store and DocuSign
  help                       print this text
  --version                  print the version

Configuration comes from the environment: see README.md.`;

/** The command line is not valid; the message states the reason in one line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export type Command =
  | Plain<"serve" | "work" | "all" | "reencrypt" | "doctor" | "help" | "version">
  | MigrateCommand
  | ReconcileCommand
  | ExplainCommand
  | ReplayCommand
  | RestoredCommand
  | VerifyCommand
  | EraseCommand;

/** A command without options; one member of the union for each name. */
type Plain<Name extends string> = Name extends string ? { readonly name: Name } : never;

export type MigrateCommand = { readonly name: "migrate"; readonly waitMs: number };

export type ReconcileCommand = {
  readonly name: "reconcile";
  readonly link: LinkId | null;
  readonly from: Date | null;
  readonly to: Date | null;
  readonly dryRun: boolean;
  readonly json: boolean;
};

export type ExplainCommand = {
  readonly name: "explain";
  readonly envelopeId: EnvelopeId;
  readonly tenant: string | null;
  readonly json: boolean;
};

export type ReplayCommand = {
  readonly name: "replay";
  readonly link: LinkId | null;
  readonly since: Date | null;
  readonly json: boolean;
};

export type RestoredCommand = { readonly name: "restored"; readonly to: Date };

export type VerifyCommand = {
  readonly name: "verify-documents";
  readonly repair: boolean;
  readonly deep: boolean;
  readonly tenant: string | null;
};

export type EraseCommand = {
  readonly name: "erase-tenant";
  readonly tenant: string;
  readonly force: boolean;
};

/** Parses the arguments after the program's name; the default is `all`. Throws a UsageError. */
export function parseCommand(args: readonly string[]): Command {
  const [name = "all", ...rest] = args;
  if (["help", "--help", "-h"].includes(name)) return { name: "help" };
  if (name === "--version") return { name: "version" };
  const plain = PLAIN.find((one) => one === name);
  if (plain !== undefined) return parsePlain(plain, rest);
  const parse = PARSERS[name];
  if (parse === undefined) throw new UsageError(`unknown command ${JSON.stringify(name)}`);
  return parse(rest);
}

const PARSERS: Readonly<Record<string, (args: readonly string[]) => Command>> = {
  migrate: parseMigrate,
  reconcile: parseReconcile,
  explain: parseExplain,
  replay: parseReplay,
  restored: parseRestored,
  "verify-documents": parseVerify,
  "erase-tenant": parseErase,
};

const PLAIN = ["serve", "work", "all", "reencrypt", "doctor"] as const;

function parsePlain(name: (typeof PLAIN)[number], args: readonly string[]): Command {
  readOptions(args, {}, 0);
  return { name };
}

function parseMigrate(args: readonly string[]): MigrateCommand {
  const { wait = "60" } = readOptions(args, { wait: TEXT }, 0).values;
  if (typeof wait !== "string" || !/^\d{1,5}$/.test(wait))
    throw new UsageError("--wait must be a number of seconds between 0 and 99999");
  return { name: "migrate", waitMs: Number(wait) * 1_000 };
}

function parseReconcile(args: readonly string[]): ReconcileCommand {
  const { values } = readOptions(args, { link: TEXT, from: TEXT, to: TEXT, "dry-run": FLAG, json: FLAG }, 0);
  const [from, to] = [readMoment(values, "from"), readMoment(values, "to")];
  if (from !== null && to !== null && from >= to) throw new UsageError("--from must be before --to");
  return {
    name: "reconcile",
    link: readLink(values),
    from,
    to,
    dryRun: values["dry-run"] === true,
    json: values["json"] === true,
  };
}

function parseExplain(args: readonly string[]): ExplainCommand {
  const { values, positionals } = readOptions(args, { tenant: TEXT, json: FLAG }, 1);
  const envelopeId = parseUuid<EnvelopeId>(positionals[0]);
  if (envelopeId === null) throw new UsageError("explain needs the id of an envelope, a UUID");
  return { name: "explain", envelopeId, tenant: readTenant(values), json: values["json"] === true };
}

function parseReplay(args: readonly string[]): ReplayCommand {
  const { values } = readOptions(args, { link: TEXT, since: TEXT, json: FLAG }, 0);
  return {
    name: "replay",
    link: readLink(values),
    since: readMoment(values, "since"),
    json: values["json"] === true,
  };
}

function parseRestored(args: readonly string[]): RestoredCommand {
  const to = readMoment(readOptions(args, { to: TEXT }, 0).values, "to");
  if (to === null) throw new UsageError("restored needs --to, the time to which the database was set back");
  return { name: "restored", to };
}

function parseVerify(args: readonly string[]): VerifyCommand {
  const { values } = readOptions(args, { repair: FLAG, deep: FLAG, tenant: TEXT }, 0);
  return {
    name: "verify-documents",
    repair: values["repair"] === true,
    deep: values["deep"] === true,
    tenant: typeof values["tenant"] === "string" ? values["tenant"] : null,
  };
}

function parseErase(args: readonly string[]): EraseCommand {
  const { values, positionals } = readOptions(args, { yes: FLAG, force: FLAG }, 1);
  const [tenant = ""] = positionals;
  if (tenant === "") throw new UsageError("erase-tenant needs the id of a tenant");
  if (values["yes"] !== true) throw new UsageError("erase-tenant erases for good and needs --yes");
  return { name: "erase-tenant", tenant, force: values["force"] === true };
}

const TEXT = { type: "string" } as const;
const FLAG = { type: "boolean" } as const;

type Values = Readonly<Record<string, unknown>>;

function readOptions(
  args: readonly string[],
  options: Readonly<Record<string, { readonly type: "string" | "boolean" }>>,
  positionals: number,
): { values: Values; positionals: readonly string[] } {
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: positionals > 0 });
    if (parsed.positionals.length > positionals) throw new UsageError("too many arguments");
    return parsed;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.split("\n", 1)[0] : "wrong arguments");
  }
}

function readTenant(values: Values): string | null {
  const { tenant } = values;
  if (tenant === "*") throw new UsageError("--tenant must name one tenant");
  return typeof tenant === "string" ? tenant : null;
}

function readLink(values: Values): LinkId | null {
  if (values["link"] === undefined) return null;
  const id = parseUuid<LinkId>(values["link"]);
  if (id === null) throw new UsageError("--link must be the id of a link, a UUID");
  return id;
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** A date without a time means its start in UTC. A time needs an offset. */
function readMoment(values: Values, name: string): Date | null {
  const text = values[name];
  if (typeof text !== "string") return null;
  const moment = new Date(text);
  if (!RFC3339.test(text) || Number.isNaN(moment.getTime()) || !isDay(text.slice(0, DAY_CHARACTERS))) {
    throw new UsageError(`--${name} must be a time such as 2026-04-01T00:00:00Z, or a day`);
  }
  return moment;
}

const DAY_CHARACTERS = "2026-04-01".length;

/** JavaScript turns 30 February into 2 March. */
function isDay(text: string): boolean {
  const day = new Date(text);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
