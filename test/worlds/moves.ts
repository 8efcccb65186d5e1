/**
 * The place of a worker's death: before a statement, at a call to DocuSign, or none. `process` is a worker process that is
 * killed some milliseconds after a call.
 */
export type Death =
  | { readonly at: "statement" | "call"; readonly number: number }
  | { readonly at: "process"; readonly number: number; readonly afterMs: number }
  | null;

export type To = { readonly who: number; readonly group: number; readonly byAddress: boolean };
export type Forwarding = { readonly kind: "delegation" | "reassignment"; readonly to: number };

/** A start date, as days before today in Japan; null for none. */
export type Start = number | null;

/** The moves of a world. Numbers are taken modulo the available items, so that any list of moves can be played. */
export type Move = { readonly minutes: number } & (
  | {
      readonly kind: "send";
      readonly from: number;
      readonly account: number;
      readonly to: readonly To[];
      readonly documents: number;
      readonly fate: "completed" | "under-way" | "voided" | "declined";
      readonly purged: boolean;
      readonly forwarding: Forwarding | null;
      readonly listing: "plain" | "late" | "extraneous" | "at-page-ends" | "without-recipients";
    }
  | { readonly kind: "complete"; readonly which: number }
  | { readonly kind: "forward"; readonly which: number; readonly forwarding: Forwarding }
  | {
      readonly kind: "mail";
      readonly fate: "arrives" | "twice" | "lost" | "shuffled" | "half" | "mixed";
      readonly seed: number;
    }
  | {
      readonly kind: "forge";
      readonly how: "wrong key" | "signed";
      readonly tenant: number;
      readonly which: number;
    }
  | {
      readonly kind: "link";
      readonly tenant: number;
      readonly user: number;
      readonly group: number;
      readonly from: Start;
    }
  | { readonly kind: "start"; readonly tenant: number; readonly from: Start }
  | { readonly kind: "edit"; readonly tenant: number; readonly group: number }
  | { readonly kind: "end"; readonly tenant: number; readonly down: boolean }
  | { readonly kind: "pause"; readonly tenant: number }
  | { readonly kind: "resume"; readonly tenant: number }
  | { readonly kind: "approve"; readonly tenant: number }
  | { readonly kind: "revoke"; readonly user: number }
  | { readonly kind: "demote"; readonly user: number }
  | { readonly kind: "promote"; readonly user: number }
  | { readonly kind: "close"; readonly user: number }
  | {
      readonly kind: "group";
      readonly tenant: number;
      readonly group: number;
      readonly gone: boolean;
    }
  | { readonly kind: "delete"; readonly tenant: number; readonly which: number; readonly whole: boolean }
  | { readonly kind: "work"; readonly death: Death }
  | {
      readonly kind: "weather";
      readonly fault: "500" | "429" | "html" | "truncated" | "no PDF";
      readonly calls: number;
      readonly skipped: number;
    }
  | { readonly kind: "squeeze"; readonly account: number; readonly minutesLong: number }
  | { readonly kind: "spend"; readonly account: number; readonly calls: number }
  | { readonly kind: "restart" }
);

export type MoveOf<Kind extends Move["kind"]> = Extract<Move, { readonly kind: Kind }>;

/**
 * Moves, then the hour strikes, and its first workers die; `skipped` hours pass before them in which nothing runs.
 */
export type Hour = {
  readonly skipped: number;
  readonly moves: readonly Move[];
  readonly deaths: readonly Death[];
};

export type WorldPlan = {
  readonly plans: readonly { readonly connect: boolean; readonly recipientConnect: boolean }[];
  readonly importTiming: "immediate" | "hourly";
  readonly largeImport: number;
  /** Calls an hour and account; null without limit. */
  readonly hourly: number | null;
  /** Jobs that a worker runs at once. */
  readonly atOnce: number;
  readonly opening: readonly Move[];
  readonly hours: readonly Hour[];
};
