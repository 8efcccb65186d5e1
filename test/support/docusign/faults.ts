import type { Call, Template } from "./exchange.ts";

/** Which calls a fault is for: those of a template, or those that a test picks; all unless given. */
export type Matcher = Template | ((call: Call) => boolean);

export type Failure = {
  status: number;
  /** DocuSign's error object, or whatever else; empty unless given. */
  body?: unknown;
  /** An HTML page instead, as traffic management answers. */
  html?: string;
  headers?: Record<string, string>;
};

export type DownloadFault = { kind: "truncate" } | { kind: "stall" } | { kind: "replace"; bytes: Buffer };

/** What goes wrong at DocuSign, by name. */
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
  /** The next download stands still half-way. */
  stallNextDownload(): void;
  /** The next download brings these bytes, with their right length: no PDF, or nothing at all. */
  serveNextDownloadAs(bytes: Buffer | string): void;
  /** Connections are cut until `comeUp`. */
  goDown(): void;
  comeUp(): void;
  /** Answers bring neither recipients nor documents, whatever `include` says. */
  withoutIncludes(): void;
};

export type Faults = FaultVerbs & {
  readonly down: boolean;
  readonly includesIgnored: boolean;
  /** What befalls this call; what was for one call only is used up by it. */
  befalling(call: Call): { slowMs: number; failure: Failure | null; hangs: boolean; actions: Action[] };
  nextDownloadFault(): DownloadFault | undefined;
};

type Action = () => void | Promise<void>;
type Once = { matches: (call: Call) => boolean; failure: Failure | null; action: Action | null };

/** No fault yet. */
export function createFaults(): Faults {
  const once: Once[] = [];
  const slow: { matches: (call: Call) => boolean; ms: number }[] = [];
  const downloads: DownloadFault[] = [];
  const switches = { down: false, includesIgnored: false };
  const add = (matcher: Matcher | undefined, failure: Failure | null, action: Action | null = null): void => {
    once.push({ matches: matching(matcher), failure, action });
  };
  return {
    get down() {
      return switches.down;
    },
    get includesIgnored() {
      return switches.includesIgnored;
    },
    befalling: (call) => ({
      slowMs: slow.findLast(({ matches }) => matches(call))?.ms ?? 0,
      actions: takeActions(once, call),
      ...takeFailure(once, call),
    }),
    nextDownloadFault: () => downloads.shift(),
    failNext: (count, failure, matcher) => {
      for (let index = 0; index < count; index += 1) add(matcher, failure);
    },
    answerSlowly: (ms, matcher) => {
      slow.push({ matches: matching(matcher), ms });
    },
    hangNext: (matcher) => add(matcher, null),
    onNext: (matcher, action) => add(matcher, null, action),
    truncateNextDownload: () => void downloads.push({ kind: "truncate" }),
    stallNextDownload: () => void downloads.push({ kind: "stall" }),
    serveNextDownloadAs: (bytes) => void downloads.push({ kind: "replace", bytes: Buffer.from(bytes) }),
    goDown: () => {
      switches.down = true;
    },
    comeUp: () => {
      switches.down = false;
    },
    withoutIncludes: () => {
      switches.includesIgnored = true;
    },
  };
}

function matching(matcher: Matcher | undefined): (call: Call) => boolean {
  if (matcher === undefined) return () => true;
  return typeof matcher === "string" ? (call) => call.template === matcher : matcher;
}

function takeActions(once: Once[], call: Call): Action[] {
  const due = once.filter(({ action, matches }) => action !== null && matches(call));
  for (const entry of due) once.splice(once.indexOf(entry), 1);
  return due.flatMap(({ action }) => (action === null ? [] : [action]));
}

function takeFailure(once: Once[], call: Call): { failure: Failure | null; hangs: boolean } {
  const index = once.findIndex(({ action, matches }) => action === null && matches(call));
  if (index === -1) return { failure: null, hangs: false };
  const [entry] = once.splice(index, 1);
  return { failure: entry?.failure ?? null, hangs: entry?.failure === null };
}
