import type { Call, Template } from "./exchange.ts";

/** Which calls a fault is for: those of a template, or those that a test picks; all by default. */
export type Matcher = Template | ((call: Call) => boolean);

export type Failure = {
  status: number;
  /** DocuSign's error object, or whatever else; empty by default. */
  body?: unknown;
  /** An HTML page instead, as traffic management answers. */
  html?: string;
  headers?: Record<string, string>;
};

export type DownloadFault =
  | { kind: "truncate" }
  | { kind: "stall" }
  | { kind: "replace"; bytes: Buffer }
  | { kind: "close"; share: "half" | "whole" };

/** Named faults of DocuSign. */
export type FaultVerbs = {
  /** The next `count` matching calls fail. */
  failNext(count: number, failure: Failure, matcher?: Matcher): void;
  /** Matching calls are answered this much later from now on; 0 ends it. */
  answerSlowly(ms: number, matcher?: Matcher): void;
  /** The next matching call gets no answer while the simulator lives. */
  hangNext(matcher?: Matcher): void;
  /** Runs before the next matching call is answered: whatever a test wants to happen just then. */
  onNext(matcher: Matcher, action: () => void | Promise<void>): void;
  /** The next download breaks off half-way. */
  truncateNextDownload(): void;
  /** The next download announces no end: it, or half of it, is all that comes before the connection is closed in order. */
  endNextDownloadByClose(share: "half" | "whole"): void;
  /** The next download stands still half-way. */
  stallNextDownload(): void;
  /** The next download brings these bytes, with their right length: no PDF, or nothing at all. */
  serveNextDownloadAs(bytes: Buffer | string): void;
  /** Decides for each call if its connection is cut, before the call or instead of the answer; null ends it. */
  cutWhere(decide: ((call: Call) => Cut | null) | null): void;
  /** Connections are cut until `comeUp`. */
  goDown(): void;
  /** Cancels the planned faults of single calls. */
  calmDown(): void;
  comeUp(): void;
  /** Answers bring neither recipients nor documents, whatever `include` says. */
  withoutIncludes(): void;
  /** From now on listings behave in the other ways that DocuSign leaves open. */
  setListingHabits(habits: ListingHabits): void;
};

export type ListingHabits = {
  readonly fromExcluded?: boolean;
  readonly withoutTotals?: boolean;
  /** To whom not the whole account is open, what they received is not listed among what was sent. */
  readonly receivedApart?: boolean;
  /** A page has no more rows than this, however many were asked for. */
  readonly rowsAtMost?: number;
  /** Decides for each query if DocuSign cannot finish it in time. */
  readonly tooMuch?: (query: URLSearchParams) => boolean;
};

export type Faults = {
  readonly verbs: FaultVerbs;
  readonly down: boolean;
  readonly includesIgnored: boolean;
  readonly listingHabits: ListingHabits;
  /** The fault of this call. A fault for a single call is consumed. */
  befalling(call: Call): Befalling;
  nextDownloadFault(): DownloadFault | undefined;
};

export type Befalling = {
  slowMs: number;
  actions: Action[];
  fault: Failure | "hangs" | null;
  cut: Cut | null;
};

/** `before`: the call came to nothing. `after`: what it asks for is done, and its caller does not learn of it. */
export type Cut = "before" | "after";

type Action = () => void | Promise<void>;
type Waiting<Thing> = { matches: (call: Call) => boolean; thing: Thing };

type FaultState = {
  readonly once: Waiting<Failure | "hangs">[];
  readonly actions: Waiting<Action>[];
  readonly slow: Waiting<number>[];
  readonly downloads: DownloadFault[];
  cutWhere: (call: Call) => Cut | null;
  down: boolean;
  includesIgnored: boolean;
  listingHabits: ListingHabits;
};

/** No fault yet. */
export function createFaults(): Faults {
  const state: FaultState = {
    once: [],
    actions: [],
    slow: [],
    downloads: [],
    cutWhere: () => null,
    down: false,
    includesIgnored: false,
    listingHabits: {},
  };
  return {
    verbs: createFaultVerbs(state),
    get down() {
      return state.down;
    },
    get includesIgnored() {
      return state.includesIgnored;
    },
    get listingHabits() {
      return state.listingHabits;
    },
    befalling: (call) => ({
      slowMs: state.slow.findLast(({ matches }) => matches(call))?.thing ?? 0,
      actions: take(state.actions, call, Number.POSITIVE_INFINITY),
      fault: take(state.once, call, 1)[0] ?? null,
      cut: state.cutWhere(call),
    }),
    nextDownloadFault: () => state.downloads.shift(),
  };
}

function createFaultVerbs(state: FaultState): FaultVerbs {
  const { once, actions, slow, downloads } = state;
  return {
    failNext: (count, failure, matcher) => {
      for (let left = count; left > 0; left -= 1) once.push({ matches: matching(matcher), thing: failure });
    },
    answerSlowly: (ms, matcher) => void slow.push({ matches: matching(matcher), thing: ms }),
    hangNext: (matcher) => void once.push({ matches: matching(matcher), thing: "hangs" }),
    onNext: (matcher, action) => void actions.push({ matches: matching(matcher), thing: action }),
    truncateNextDownload: () => void downloads.push({ kind: "truncate" }),
    endNextDownloadByClose: (share) => void downloads.push({ kind: "close", share }),
    stallNextDownload: () => void downloads.push({ kind: "stall" }),
    serveNextDownloadAs: (bytes) => void downloads.push({ kind: "replace", bytes: Buffer.from(bytes) }),
    cutWhere: (decide) => {
      state.cutWhere = decide ?? (() => null);
    },
    calmDown: () => {
      once.splice(0);
      downloads.splice(0);
    },
    goDown: () => {
      state.down = true;
    },
    comeUp: () => {
      state.down = false;
    },
    withoutIncludes: () => {
      state.includesIgnored = true;
    },
    setListingHabits: (habits) => {
      state.listingHabits = habits;
    },
  };
}

function matching(matcher: Matcher | undefined): (call: Call) => boolean {
  if (matcher === undefined) return () => true;
  return typeof matcher === "string" ? (call) => call.template === matcher : matcher;
}

/** Takes out what waits for this call, the oldest first. */
function take<Thing>(waiting: Waiting<Thing>[], call: Call, most: number): Thing[] {
  const due = waiting.filter(({ matches }) => matches(call)).slice(0, most);
  for (const entry of due) waiting.splice(waiting.indexOf(entry), 1);
  return due.map(({ thing }) => thing);
}
