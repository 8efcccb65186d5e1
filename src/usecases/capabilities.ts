import type { DocumentStore } from "../documents/documents.ts";
import type { DocuSignAccount } from "../docusign/api/account.ts";
import type { CallLimits } from "../docusign/faults/limits.ts";
import type { DocuSignOAuth } from "../docusign/oauth.ts";
import type { AdminProfiles } from "../domain/admin.ts";
import type { AccountId } from "../domain/identifiers.ts";
import type { Pace } from "../domain/pace.ts";
import type { Database } from "../store/database.ts";
import type { EventRecorder } from "../store/events/event-recorder.ts";
import type { Link } from "../store/links/links.ts";
import type { Vault } from "../store/links/vault.ts";

/** Everything that use cases reach beyond themselves with, each under one name. */
export type Capabilities = {
  readonly db: Database;
  readonly now: () => Date;
  readonly log: Log;
  /** Encrypts and decrypts what is secret in the database. */
  readonly vault: Vault;
  /** DocuSign's account server. */
  readonly oauth: DocuSignOAuth;
  /** DocuSign's API. */
  readonly openAccount: OpenAccount;
  readonly openWithToken: OpenWithToken;
  readonly budgets: CallBudgets;
  readonly documents: DocumentStore;
  readonly recorder: EventRecorder;
  readonly metrics: Metrics;
};

/** What operators configure; see the table in README.md. */
export type Settings = {
  readonly production: boolean;
  /** Without a slash at the end. */
  readonly publicUrl: string;
  /** Null if no cabinet signs people and services in. */
  readonly cabinetIssuer: string | null;
  readonly adminProfiles: AdminProfiles;
  readonly hmacKeys: readonly string[];
  readonly importTiming: "immediate" | "hourly";
  /** A first import of this many envelopes waits for its owner's approval. */
  readonly largeImport: number;
  /** The share of an hour's calls that first imports leave to others, 0 to 1. */
  readonly reserveShare: number;
  /** How many envelopes of one link are imported at once. */
  readonly lanes: number;
  readonly eventRetentionDays: number;
};

/** A signature lists what its function uses: `deps: Uses<"db" | "now">`. */
export type Uses<Name extends keyof (Capabilities & Settings)> = Pick<Capabilities & Settings, Name>;

/** A line of the log; its details hold no key, token, signature or e-mail address. */
export type Log = {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
};

/**
 * Opens DocuSign as the linked user sees it. `onCall` runs after each call that was made. `kind` decides how much of
 * the account's budget the calls must leave; the default is `other`.
 */
export type OpenAccount = (
  link: Pick<Link, "id" | "account">,
  onCall?: () => void,
  kind?: CallKind,
) => DocuSignAccount;

/** Opens DocuSign for a user who has just logged in and has no link yet. */
export type OpenWithToken = (
  account: { readonly accountId: AccountId; readonly baseUri: string },
  accessToken: string,
) => DocuSignAccount;

/**
 * First imports leave a reserve of the hour's calls to the customer's other integrations. Nothing else calls once
 * DocuSign has reported that none is left, except when a person waits for the answer: then DocuSign itself rejects.
 */
export type CallKind = "first-import" | "other" | "person";

export type CallBudgets = {
  /**
   * Begins a call, which `note` ends. Throws the fault `throttled` if `pace` says to wait, with code `budget-reserve`
   * for a first import and `hourly-calls-spent` for others. Calls under way count as made.
   */
  begin(accountId: AccountId, kind: CallKind): void;
  /** Ends a call and takes note of what its answer's headers said. */
  note(accountId: AccountId, limits: CallLimits): void;
  /** Makes no calls for the account until the moment, in no process. */
  pause(accountId: AccountId, until: Date): Promise<void>;
  /** Returns if calls may be made now, from what all processes have seen. */
  pace(accountId: AccountId, kind: CallKind): Promise<Pace>;
};

/** What a process counts. Outcomes are stable codes, never anything that a sender chose. */
export type Metrics = {
  /** A Connect message was answered: `recorded`, `repeat`, the code of the refusal, or that it could not be read. */
  eventReceived(outcome: string): void;
  /** An import ended: the kind of its outcome. */
  importEnded(outcome: string): void;
  /** A reconciliation ended that found so many envelopes which no event had announced. */
  missed(envelopes: number): void;
  /** A call to DocuSign was made, answered or not. */
  docusignCall(): void;
  /** Jobs of so many dead worker pools were given back. */
  workersRescued(pools: number): void;
};
