import type { DocumentStore } from "../documents/documents.ts";
import type { DocuSignAccount } from "../docusign/api/account.ts";
import type { CallLimits } from "../docusign/faults/limits.ts";
import type { DocuSignOAuth } from "../docusign/oauth.ts";
import type { AdminProfiles } from "../domain/admin.ts";
import type { AccountId } from "../domain/identifiers.ts";
import type { Pace } from "../domain/pace.ts";
import type { AccountBudget } from "../store/budgets.ts";
import type { Database } from "../store/database.ts";
import type { EventRecorder } from "../store/events/event-recorder.ts";
import type { TokenRow } from "../store/links/link-tokens.ts";
import type { Link } from "../store/links/links.ts";
import type { Vault } from "../store/links/vault.ts";
import type { Notifier } from "../store/notifier.ts";

/** The services that use cases depend on. Each has one name throughout the code. */
export type Capabilities = {
  readonly db: Database;
  readonly now: () => Date;
  readonly log: Log;
  /** Encrypts and decrypts secrets stored in the database. */
  readonly vault: Vault;
  /** DocuSign's account server. */
  readonly oauth: DocuSignOAuth;
  /** DocuSign's API. */
  readonly openAccount: OpenAccount;
  readonly openWithToken: OpenWithToken;
  /** Decrypts access tokens for calls within a minute. Dispose of the result after them. */
  readonly prepareTokens: (rows: readonly (TokenRow | null)[]) => Disposable;
  readonly budgets: CallBudgets;
  readonly documents: DocumentStore;
  readonly recorder: EventRecorder;
  readonly metrics: Metrics;
  /** Wakes readers of the feed and workers, after the commit. */
  readonly notifier: Notifier;
  /** The page's client at the cabinet; null if none is configured. */
  readonly cabinetClient: CabinetClient | null;
};

export type CabinetClient = {
  /** Throws if the cabinet rejects the client or its secret, or does not answer. */
  check(): Promise<void>;
};

/** Settings from the environment; see the table in README.md. */
export type Settings = {
  readonly production: boolean;
  /** Has no trailing slash. */
  readonly publicUrl: string;
  /** Null if no cabinet is configured: then nobody can sign in. */
  readonly cabinetIssuer: string | null;
  /** The origins to which a linking may return. */
  readonly cabinetOrigins: readonly string[];
  readonly adminProfiles: AdminProfiles;
  readonly hmacKeys: readonly string[];
  readonly importTiming: "immediate" | "hourly";
  /** A first import of this many envelopes waits for its owner's approval. */
  readonly largeImport: number;
  /** The share of the hourly calls that first imports leave to others, from 0 to 1. */
  readonly reserveShare: number;
  /** The number of envelopes of one link that are imported concurrently. */
  readonly lanes: number;
  readonly eventRetentionDays: number;
  readonly page: PageSettings;
};

/** The names and addresses that an installation gives the page. */
export type PageSettings = {
  readonly productName: string;
  /** Null if texts only name サポート窓口. */
  readonly supportUrl: string | null;
  /** The address of a contract in the cabinet, with `{id}`; null if contracts are no links. */
  readonly contractUrl: string | null;
};

/** The dependencies of a function: `deps: Uses<"db" | "now">`. */
export type Uses<Name extends keyof (Capabilities & Settings)> = Pick<Capabilities & Settings, Name>;

/** Writes a log line. `details` must hold no key, token, signature or e-mail address. */
export type Log = {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
};

/**
 * Opens DocuSign as the linked user. `onCall` runs after each call. `kind` decides how many of the account's remaining
 * calls must be left to others; the default is `other`.
 */
export type OpenAccount = (
  link: Pick<Link, "id" | "account" | "tenant">,
  onCall?: () => void,
  kind?: CallKind,
) => DocuSignAccount;

/** Opens DocuSign for a user who has just logged in and has no link yet. */
export type OpenWithToken = (
  account: { readonly accountId: AccountId; readonly baseUri: string },
  accessToken: string,
) => DocuSignAccount;

/**
 * The purpose of a call decides when it must wait.
 * A `first-import` leaves a reserve of the hourly calls to the customer's other integrations. A `look-up`, which a reader
 * causes, leaves half of it, and counts in the tenant's look-ups of the hour. `other` and `dry-run` wait only when
 * DocuSign reports that no calls are left; a `dry-run` does not store the address of a moved account. `person` never
 * waits, because a user is waiting for the answer. DocuSign rejects such a call if none are left.
 */
export type CallKind = "dry-run" | "first-import" | "look-up" | "other" | "person";

export type CallBudgets = {
  /**
   * Registers a call before it is made; `note` ends it. Throws the fault `throttled` if `pace` returns `wait`. The code
   * is `budget-reserve` for a first import or a look-up, and `hourly-calls-spent` for others. Calls in flight count as made.
   */
  begin(accountId: AccountId, kind: CallKind): void;
  /** Ends a call and records the limits from its response headers. */
  note(accountId: AccountId, limits: CallLimits): void;
  /** Stops the calls of all processes for the account until the given time. */
  pause(accountId: AccountId, until: Date): Promise<void>;
  /** Returns whether calls may be made now, from what all processes have recorded. */
  pace(accountId: AccountId, kind: CallKind): Promise<Pace>;
  /** Does the same from what the caller has just read; null if nothing is recorded. */
  paceBy(accountId: AccountId, kind: CallKind, recorded: AccountBudget | null): Pace;
  /** Does the same for many accounts at once. */
  paces(accountIds: readonly AccountId[], kind: CallKind): Promise<ReadonlyMap<AccountId, Pace>>;
};

/** Counters of this process. Outcomes are stable codes, never a value that a sender chose. */
export type Metrics = {
  /**
   * A Connect message was answered. The outcome is `recorded`, `foreign`, `repeat`, the code of the refusal, or a code
   * for an unreadable request.
   */
  eventReceived(outcome: string): void;
  /** An import ended with an outcome of this kind. */
  importEnded(outcome: string): void;
  /** A reconciliation found this many envelopes that no event had announced. */
  missed(envelopes: number): void;
  /** A call to DocuSign was made, with or without an answer. */
  docusignCall(): void;
  /** The jobs of this many dead worker pools were released. */
  workersRescued(pools: number): void;
  /** A clean-up of the document store erased nothing, because too many documents belong to no contract. */
  orphansKept(): void;
  /** A client of the change feed got the same entries again, as several times before. */
  feedReadRepeated(): void;
};
