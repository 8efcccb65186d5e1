// Generated from /openapi.json by npm run types:client; changes belong to the service's schemas.

export type TorikomiOptions = {
  /** Address of the service, such as `https://torikomi.example`. */
  url: string;
  /** Returns a token of the cabinet. Called for each request, so that it can be renewed. */
  token: () => string | Promise<string>;
  fetch?: typeof fetch;
  /** Waits between the attempts of `followChanges`; by default with a timer. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
};

export type CallOptions = {
  /** Aborts the call, which then throws the signal's reason. */
  signal?: AbortSignal | undefined;
};

export type ReadOptions = CallOptions & {
  /** `etagOf` an earlier answer. The method returns null if the answer is still the same, for a document the 304. */
  ifNoneMatch?: string | undefined;
};

/** What a method returns instead of an answer that the caller has: null, if it may. */
export type Unchanged<Options> = "ifNoneMatch" extends keyof Options ? null : never;

/** The service refused or failed; `problem.type` is stable. */
export class TorikomiError extends Error {
  override readonly name = "TorikomiError";
  readonly status: number;
  readonly problem: Problem | null;
  /** Seconds to wait before the next attempt, if the service says so. */
  readonly retryAfter: number | null;

  constructor(response: Response, problem: Problem | null) {
    super(problem?.detail ?? problem?.title ?? `torikomi answered ${response.status}`);
    this.status = response.status;
    this.problem = problem;
    const seconds = response.headers.get("retry-after");
    this.retryAfter = seconds === null ? null : Number(seconds);
  }
}

const etags = new WeakMap<object, string>();

/** The `ETag` of an answer that a method returned, to pass as `ifNoneMatch` later. */
function etagOf(answer: object): string | undefined {
  return etags.get(answer);
}

type Call = {
  method: string;
  path: string;
  query?: Record<string, string | number | undefined>;
  headers?: Record<string, string | undefined>;
  body?: unknown;
  signal?: AbortSignal | undefined;
};

type Send = (call: Call) => Promise<Response>;

function createSend(options: TorikomiOptions): Send {
  return async ({ method, path, query = {}, headers = {}, body, signal }) => {
    const address = new URL(path, options.url);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) address.searchParams.set(name, String(value));
    }
    const sent = new Headers({ authorization: `Bearer ${await options.token()}` });
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) sent.set(name, value);
    if (body !== undefined) sent.set("content-type", "application/json");
    const response = await (options.fetch ?? fetch)(address, {
      method,
      headers: sent,
      signal: signal ?? null,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok && response.status !== 304) throw new TorikomiError(response, await problemOf(response));
    return response;
  };
}

async function problemOf(response: Response): Promise<Problem | null> {
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") ?? false;
  return isProblem ? await json(response) : null;
}

/** The service checks its answers against the very description that this file is made from. */
async function json<T>(response: Response): Promise<T> {
  const answer: T = JSON.parse(await response.text());
  const etag = response.headers.get("etag");
  if (etag !== null && typeof answer === "object" && answer !== null) etags.set(answer, etag);
  return answer;
}

async function jsonUnlessSame<T, Options>(response: Response): Promise<T | Unchanged<Options>>;
async function jsonUnlessSame(response: Response): Promise<unknown> {
  return response.status === 304 ? null : await json(response);
}

type Page<Item> = { items: Item[]; nextCursor: string | null };

async function* allItems<Item, Request extends object>(
  list: (request: Request & { cursor?: string | undefined }) => Promise<Page<Item>>,
  request: Request,
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | undefined;
  do {
    const page: Page<Item> = await list({ ...request, cursor });
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

export type Following = {
  /** `next` of the page that was taken over last; 0 or nothing to begin with the first change. */
  after?: number | undefined;
  /** Most changes a page. */
  limit?: number | undefined;
  /** Ends the iteration, which then throws the signal's reason. */
  signal?: AbortSignal | undefined;
};

const WAIT_SECONDS = 30;
/** A connection may die without a word; no answer takes longer than this. */
const LONGEST_ANSWER_MS = (WAIT_SECONDS + 60) * 1_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

async function* followChanges(
  list: (
    request: { after: number; limit: number | undefined; wait: number },
    options: CallOptions,
  ) => Promise<ChangePage>,
  { after = 0, limit, signal }: Following,
  pause: (ms: number, signal?: AbortSignal) => Promise<void>,
): AsyncGenerator<ChangePage, never, undefined> {
  let position = after;
  let failures = 0;
  for (;;) {
    signal?.throwIfAborted();
    const began = performance.now();
    const patience = AbortSignal.timeout(LONGEST_ANSWER_MS);
    const options = { signal: signal === undefined ? patience : AbortSignal.any([signal, patience]) };
    let page: ChangePage;
    try {
      page = await list({ after: position, limit, wait: WAIT_SECONDS }, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (!mayPass(error)) throw error;
      failures += 1;
      await pause(pauseAfter(failures, error), signal);
      continue;
    }
    failures = 0;
    if (page.next !== position) {
      position = page.next;
      yield page;
    } else if (performance.now() - began < FIRST_PAUSE_MS) {
      // A service that is about to stop answers at once.
      await pause(FIRST_PAUSE_MS, signal);
    }
  }
}

/** A network that fails, an answer that does not come, a service that is overloaded or away. */
function mayPass(error: unknown): boolean {
  if (error instanceof TorikomiError) return error.status === 429 || error.status >= 500;
  return error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError");
}

/** Twice as long after each failure, with chance in it, so that readers do not return all at once. */
function pauseAfter(failures: number, error: unknown): number {
  const backoff =
    Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
  const asked = error instanceof TorikomiError ? (error.retryAfter ?? 0) * 1_000 : 0;
  return Math.max(backoff, asked);
}

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
  signal?.throwIfAborted();
}

export type GroupName = {
  name: string;
};

export type GroupChoice = {
  /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
  groupId: string;
};

export type ContractPage = {
  items: Contract[];
  /** Cursor of the next page. Null on the last page. */
  nextCursor: string | null;
};

export type Contract = {
  id: string;
  tenant: string;
  /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
  groupId: string;
  /** The document's name in DocuSign, unchanged. */
  fileName: string;
  /** 契約締結日: the date of completion in Japan. */
  concludedOn: string;
  uploadedBy: "DocuSign";
  importedAt: string;
  pages?: number;
  bytes: number;
  sha256: string;
  source: {
    envelopeId: string;
    documentId: string;
    accountId: string;
    completedAt: string;
    subject: string | null;
  };
};

export type Problem = {
  type: ProblemType;
  title: string;
  status: number;
  detail?: string;
  /** Names the request in our logs. Support asks for it. */
  instance?: string;
};

/**
 * Stable name of the kind of problem. More values may be added.
 *
 * - `urn:torikomi:problem:malformed`: A parameter or the body is not as described; `detail` names it.
 * - `urn:torikomi:problem:unauthorized`: The token is missing, invalid or not one of the cabinet's.
 * - `urn:torikomi:problem:forbidden`: The token is valid but lacks a scope or a claim.
 * - `urn:torikomi:problem:not-found`: Nothing is there for this tenant, or it was deleted.
 * - `urn:torikomi:problem:link-not-found`: The tenant has no link.
 * - `urn:torikomi:problem:group-not-found`: The contract group does not exist. Choose another one.
 * - `urn:torikomi:problem:link-active`: The tenant has a link already. End it before linking another account.
 * - `urn:torikomi:problem:not-awaiting-approval`: The link does not await approval.
 * - `urn:torikomi:problem:deletion-failed`: DocuSign could not be reached or did not remove our configurations. The link is unchanged.
 * - `urn:torikomi:problem:gone`: The link of this Connect address does not exist or has ended.
 * - `urn:torikomi:problem:method-not-allowed`: The address has no such method; `Allow` lists those it has.
 * - `urn:torikomi:problem:too-large`: The body is too large.
 * - `urn:torikomi:problem:unsupported-media-type`: The body is compressed or not in UTF-8.
 * - `urn:torikomi:problem:range-not-satisfiable`: The document ends before the range.
 * - `urn:torikomi:problem:too-many-requests`: The token has used up its requests. Wait for `Retry-After`.
 * - `urn:torikomi:problem:unavailable`: The service cannot answer now. Try again after `Retry-After`.
 * - `urn:torikomi:problem:internal`: The request failed here. Support can find it by `instance`.
 */
export type ProblemType =
  | "urn:torikomi:problem:malformed"
  | "urn:torikomi:problem:unauthorized"
  | "urn:torikomi:problem:forbidden"
  | "urn:torikomi:problem:not-found"
  | "urn:torikomi:problem:link-not-found"
  | "urn:torikomi:problem:group-not-found"
  | "urn:torikomi:problem:link-active"
  | "urn:torikomi:problem:not-awaiting-approval"
  | "urn:torikomi:problem:deletion-failed"
  | "urn:torikomi:problem:gone"
  | "urn:torikomi:problem:method-not-allowed"
  | "urn:torikomi:problem:too-large"
  | "urn:torikomi:problem:unsupported-media-type"
  | "urn:torikomi:problem:range-not-satisfiable"
  | "urn:torikomi:problem:too-many-requests"
  | "urn:torikomi:problem:unavailable"
  | "urn:torikomi:problem:internal"
  | (string & {});

export type ChangePage = {
  items: Change[];
  /** `after` of the next request. */
  next: number;
};

export type Change = {
  /** Grows strictly, with gaps. */
  sequence: number;
  type: "imported" | "deleted";
  contract: Contract;
};

export type GroupPage = {
  items: Group[];
  /** Cursor of the next page. Null on the last page. */
  nextCursor: string | null;
};

export type Group = {
  /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
  id: string;
  name: string;
};

export type Link = {
  id: string;
  state: LinkState;
  cause: {
    code: LinkCause;
    /** What happened and what to do, for a person, in Japanese. */
    message: string;
  } | null;
  /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
  groupId: string;
  account: {
    id: string;
    name: string;
  };
  user: {
    id: string;
    name: string;
    email: string | null;
  };
  linkedAt: string;
  endedAt: string | null;
  /** Sent envelopes completed from here on are imported. Null: all. */
  sentFrom: string | null;
  /** Received envelopes completed from here on are imported. Null: all. */
  receivedFrom: string | null;
  /** Once ended: all sent envelopes completed before are accounted for. */
  sentUntil: string | null;
  /** Once ended: all received envelopes completed before are accounted for. */
  receivedUntil: string | null;
  /** Whether DocuSign sends events about what the account sends and the user receives. Both are null once the link has ended. */
  connect: {
    sent: ConnectState | null;
    received: ConnectState | null;
  };
  totals: {
    /** The sum of the other four. */
    atDocuSign: number;
    imported: number;
    excluded: number;
    deleted: number;
    /** Includes what DocuSign counted at linking until a large first import is listed. */
    waiting: number;
  };
  /** How many envelopes each rule excluded. Null once the link has ended. */
  excludedByRule: Partial<Record<ExclusionRule, number>> | null;
  /** Progress of the first import. `estimatedEnd` is null once it is done. Null once the link has ended. */
  firstImport: {
    done: number;
    total: number;
    estimatedEnd: string | null;
  } | null;
  lastReconciliation: string | null;
  nextReconciliation: string | null;
};

/**
 * State of a link. More values may be added.
 *
 * - `active`: Imports run.
 * - `awaiting-approval`: A large first import waits until an owner approves it.
 * - `error`: Imports have stopped; `cause` says why.
 * - `ended`: The link was ended. Its contracts and history remain.
 */
export type LinkState = "active" | "awaiting-approval" | "error" | "ended" | (string & {});

/**
 * Why a link is in state `error`. More values may be added.
 *
 * - `authorization-revoked`: DocuSign no longer accepts the authorisation. The same DocuSign user must link again.
 * - `not-admin`: The linked user is no longer a DS Admin. The link recovers when the role is back.
 * - `group-missing`: The contract group was deleted. Choose another one.
 */
export type LinkCause = "authorization-revoked" | "not-admin" | "group-missing" | (string & {});

/**
 * Whether DocuSign sends events. Without events imports run once an hour. More values may be added.
 *
 * - `active`: DocuSign sends events.
 * - `pending`: The configuration could not be made or checked yet. The next reconciliation tries again.
 * - `switched-off`: Somebody switched the configuration off at DocuSign. It stays off.
 * - `not-available`: The account has no Connect of this kind, or DocuSign refused the configuration.
 */
export type ConnectState = "active" | "pending" | "switched-off" | "not-available" | (string & {});

/**
 * The rule that excludes an envelope. More values may be added.
 *
 * - `not-completed`: The envelope is not completed.
 * - `not-ours`: It was neither sent from the linked account nor received by the linked user.
 * - `forwarded-to-user`: It reached the linked user only by forwarding.
 * - `before-window`: It was completed before the link's imports begin.
 * - `documents-purged`: Its documents were purged at DocuSign.
 * - `no-documents`: It has no document besides the certificate of completion.
 */
export type ExclusionRule =
  | "not-completed"
  | "not-ours"
  | "forwarded-to-user"
  | "before-window"
  | "documents-purged"
  | "no-documents"
  | (string & {});

export type BegunLinking = {
  /** Send the owner's browser here. */
  authorizationUrl: string;
};

export type LinkPage = {
  items: PastLink[];
  /** Cursor of the next page. Null on the last page. */
  nextCursor: string | null;
};

export type PastLink = {
  id: string;
  state: LinkState;
  cause: {
    code: LinkCause;
    /** What happened and what to do, for a person, in Japanese. */
    message: string;
  } | null;
  /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
  groupId: string;
  account: {
    id: string;
    name: string;
  };
  user: {
    id: string;
    name: string;
    email: string | null;
  };
  linkedAt: string;
  endedAt: string | null;
  /** Sent envelopes completed from here on are imported. Null: all. */
  sentFrom: string | null;
  /** Received envelopes completed from here on are imported. Null: all. */
  receivedFrom: string | null;
  /** Once ended: all sent envelopes completed before are accounted for. */
  sentUntil: string | null;
  /** Once ended: all received envelopes completed before are accounted for. */
  receivedUntil: string | null;
  /** Whether DocuSign sends events about what the account sends and the user receives. Both are null once the link has ended. */
  connect: {
    sent: ConnectState | null;
    received: ConnectState | null;
  };
  totals: {
    /** The sum of the other four. */
    atDocuSign: number;
    imported: number;
    excluded: number;
    deleted: number;
    /** Includes what DocuSign counted at linking until a large first import is listed. */
    waiting: number;
  };
  /** How many envelopes each rule excluded. Null once the link has ended. */
  excludedByRule: Partial<Record<ExclusionRule, number>> | null;
  /** Progress of the first import. `estimatedEnd` is null once it is done. Null once the link has ended. */
  firstImport: {
    done: number;
    total: number;
    estimatedEnd: string | null;
  } | null;
  lastReconciliation: string | null;
  nextReconciliation: string | null;
  /** Who did what, oldest first. */
  audit: {
    at: string;
    /** `sub` of the person who did it. */
    subject: string;
    action: AuditAction;
  }[];
};

/**
 * What somebody did to a link. More values may be added.
 *
 * - `linked`: An owner linked the account.
 * - `repaired`: An owner repaired the link by linking the same DocuSign user again.
 * - `edited`: An owner changed the link.
 * - `approved`: An owner approved the first import.
 * - `ended`: An owner ended the link.
 */
export type AuditAction = "linked" | "repaired" | "edited" | "approved" | "ended" | (string & {});

export type ReconciliationPage = {
  items: Reconciliation[];
  /** Cursor of the next page. Null on the last page. */
  nextCursor: string | null;
};

export type Reconciliation = {
  id: string;
  linkId: string;
  kind: ReconciliationKind;
  state: ReconciliationState;
  from: string;
  /** Envelopes completed before this moment were listed. */
  to: string;
  startedAt: string;
  durationMs: number | null;
  listed: number;
  known: number;
  /** To be imported, and not announced by an event. */
  missed: number;
  /** How many envelopes each rule excluded. */
  excluded: Partial<Record<ExclusionRule, number>>;
  waiting: number;
  /** Waiting envelopes whose import failed for days. They are retried once an hour. */
  failed: number;
  calls: number;
  /** How many envelopes DocuSign listed in all. Daily full checks only. */
  atDocuSign: number | null;
  /** How the ledger and DocuSign differ. Daily full checks only; null if they agree. */
  difference: {
    atDocuSign: number;
    inLedger: number;
    /** Known here but no longer listed by DocuSign, mostly because they were deleted there. */
    unlisted: {
      count: number;
      envelopeIds: string[];
    };
    /** Listed, but not readable as envelopes. */
    unreadable: number;
    /** Counted by DocuSign but not listed. */
    uncounted: number;
  } | null;
};

/**
 * Why a reconciliation ran. More values may be added.
 *
 * - `first`: The first listing after linking.
 * - `hourly`: The hourly listing of what completed.
 * - `full`: The daily comparison with all that DocuSign lists.
 * - `manual`: A listing that an operator asked for.
 * - `closing`: The last look before a link ends.
 */
export type ReconciliationKind = "first" | "hourly" | "full" | "manual" | "closing" | (string & {});

/**
 * How far a reconciliation has come. More values may be added.
 *
 * - `running`: It is not finished.
 * - `done`: It accounted for its whole window.
 * - `failed`: It stopped before its end. The next one covers its window.
 */
export type ReconciliationState = "running" | "done" | "failed" | (string & {});

export type Explanation = {
  envelopeId: string;
  outcome: Outcome;
  reason: Reason;
  /** The explanation for the customer, in the language of `Content-Language`. */
  text: string;
  /** The facts that the decision rests on. Their names may change. */
  facts: Record<string, unknown>;
  events: {
    /** DocuSign's name of the event, such as `envelope-completed`. */
    event: string;
    format: EventFormat;
    generatedAt: string | null;
    receivedAt: string;
  }[];
  /** All contracts of the envelope, deleted ones included. */
  contracts: {
    id: string;
    tenant: string;
    /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
    groupId: string;
    /** The document's name in DocuSign, unchanged. */
    fileName: string;
    /** 契約締結日: the date of completion in Japan. */
    concludedOn: string;
    uploadedBy: "DocuSign";
    importedAt: string;
    pages?: number;
    bytes: number;
    sha256: string;
    source: {
      envelopeId: string;
      documentId: string;
      accountId: string;
      completedAt: string;
      subject: string | null;
    };
    deletedAt: string | null;
  }[];
  attempts: number;
  lastAttemptAt: string | null;
  /** DocuSign's code or ours for how the last attempt failed. */
  lastError: string | null;
  /** The link that judged it last. Null if nothing is recorded of the envelope. */
  linkId: string | null;
  decidedAt: string | null;
  waitingFor: {
    reason: WaitingReason;
    until: string | null;
  } | null;
};

/**
 * What became of an envelope. More values may be added.
 *
 * - `imported`: Its documents are contracts of the cabinet.
 * - `excluded`: A rule excludes it; `reason` names the rule.
 * - `deleted`: All of its contracts were deleted in the cabinet. It is never imported again.
 * - `waiting`: It waits to be imported or judged; `waitingFor` says for what.
 * - `unknown`: Nothing is recorded of it here, and DocuSign cannot be asked or does not know it.
 */
export type Outcome = "imported" | "excluded" | "deleted" | "waiting" | "unknown" | (string & {});

/**
 * Why an envelope has its outcome. More values may be added.
 *
 * - `sent`: The linked account sent it.
 * - `received`: The linked user received it.
 * - `sent-and-received`: The linked account sent it and the linked user received it.
 * - `already`: An earlier link imported it.
 * - `not-completed`: The envelope is not completed.
 * - `not-ours`: It was neither sent from the linked account nor received by the linked user.
 * - `forwarded-to-user`: It reached the linked user only by forwarding.
 * - `before-window`: It was completed before the link's imports begin.
 * - `documents-purged`: Its documents were purged at DocuSign.
 * - `no-documents`: It has no document besides the certificate of completion.
 * - `deleted-in-cabinet`: Its contracts were deleted in the cabinet.
 * - `queued`: It waits for its turn.
 * - `hourly-timing`: It waits for the next import on the hour (`IMPORT_TIMING=hourly`).
 * - `awaiting-approval`: The large first import awaits approval.
 * - `link-error`: The link is in state `error`.
 * - `link-ended`: The link ended before the import.
 * - `group-missing`: The contract group of the link was deleted.
 * - `account-throttled`: The DocuSign account has used up its API calls.
 * - `budget-reserve`: The remaining API calls are left to the account's other integrations.
 * - `docusign-unavailable`: DocuSign could not be reached or did not return the envelope.
 * - `not-found-yet`: DocuSign does not find the envelope or one of its documents yet.
 * - `document-not-pdf`: DocuSign delivered a document that is not a PDF.
 * - `document-empty`: DocuSign delivered an empty document.
 * - `import-failed`: The import failed. It is retried.
 * - `completion-unknown`: DocuSign has not said when the envelope was completed.
 * - `sender-unknown`: DocuSign has not said which account sent the envelope.
 * - `recipients-unknown`: DocuSign has not said who received the envelope.
 * - `documents-unknown`: DocuSign has not listed the documents.
 * - `never-seen`: No event and no listing has shown it yet.
 * - `not-found`: DocuSign does not show such an envelope to the linked user.
 */
export type Reason =
  | "sent"
  | "received"
  | "sent-and-received"
  | "already"
  | "not-completed"
  | "not-ours"
  | "forwarded-to-user"
  | "before-window"
  | "documents-purged"
  | "no-documents"
  | "deleted-in-cabinet"
  | "queued"
  | "hourly-timing"
  | "awaiting-approval"
  | "link-error"
  | "link-ended"
  | "group-missing"
  | "account-throttled"
  | "budget-reserve"
  | "docusign-unavailable"
  | "not-found-yet"
  | "document-not-pdf"
  | "document-empty"
  | "import-failed"
  | "completion-unknown"
  | "sender-unknown"
  | "recipients-unknown"
  | "documents-unknown"
  | "never-seen"
  | "not-found"
  | (string & {});

/**
 * Format of a Connect message. More values may be added.
 *
 * - `json-sim`: JSON, the format that our own configurations ask for.
 * - `json-aggregate`: JSON in the older aggregate form.
 * - `xml`: Legacy XML.
 */
export type EventFormat = "json-sim" | "json-aggregate" | "xml" | (string & {});

/**
 * What an envelope waits for. More values may be added.
 *
 * - `queued`: It waits for its turn.
 * - `hourly-timing`: It waits for the next import on the hour (`IMPORT_TIMING=hourly`).
 * - `awaiting-approval`: The large first import awaits approval.
 * - `link-error`: The link is in state `error`.
 * - `link-ended`: The link ended before the import.
 * - `group-missing`: The contract group of the link was deleted.
 * - `account-throttled`: The DocuSign account has used up its API calls.
 * - `budget-reserve`: The remaining API calls are left to the account's other integrations.
 * - `docusign-unavailable`: DocuSign could not be reached or did not return the envelope.
 * - `not-found-yet`: DocuSign does not find the envelope or one of its documents yet.
 * - `document-not-pdf`: DocuSign delivered a document that is not a PDF.
 * - `document-empty`: DocuSign delivered an empty document.
 * - `import-failed`: The import failed. It is retried.
 * - `completion-unknown`: DocuSign has not said when the envelope was completed.
 * - `sender-unknown`: DocuSign has not said which account sent the envelope.
 * - `recipients-unknown`: DocuSign has not said who received the envelope.
 * - `documents-unknown`: DocuSign has not listed the documents.
 */
export type WaitingReason =
  | "queued"
  | "hourly-timing"
  | "awaiting-approval"
  | "link-error"
  | "link-ended"
  | "group-missing"
  | "account-throttled"
  | "budget-reserve"
  | "docusign-unavailable"
  | "not-found-yet"
  | "document-not-pdf"
  | "document-empty"
  | "import-failed"
  | "completion-unknown"
  | "sender-unknown"
  | "recipients-unknown"
  | "documents-unknown"
  | (string & {});

export { etagOf };

export type TorikomiClient = ReturnType<typeof createTorikomiClient>;

/**
 * A client for one tenant, whom the token names. Every method throws a `TorikomiError` if the answer is a problem, and
 * what `fetch` throws if there is none.
 */
export function createTorikomiClient(options: TorikomiOptions) {
  const send = createSend(options);

  const calls = {
    /**
     * List contracts.
     *
     * The newest import comes first. Pages do not shift when contracts are imported meanwhile. Deleted contracts are left out.
     */
    async listContracts<Options extends ReadOptions = {}>(
      request: {
        /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
        group?: string | undefined;
        /** A calendar date in Japan (YYYY-MM-DD), inclusive. */
        concludedFrom?: string | undefined;
        /** A calendar date in Japan (YYYY-MM-DD), inclusive. */
        concludedTo?: string | undefined;
        /** Most items to return. The default is 50. */
        limit?: number | undefined;
        /** `nextCursor` of the previous page. Leave it out for the first page. */
        cursor?: string | undefined;
      } = {},
      options?: Options,
    ): Promise<ContractPage | Unchanged<Options>> {
      return await jsonUnlessSame<ContractPage, Options>(
        await send({
          method: "GET",
          path: `/v1/contracts`,
          query: {
            group: request.group,
            concludedFrom: request.concludedFrom,
            concludedTo: request.concludedTo,
            limit: request.limit,
            cursor: request.cursor,
          },
          headers: { "if-none-match": options?.ifNoneMatch },
          signal: options?.signal,
        }),
      );
    },

    /**
     * Get a contract.
     *
     * Deleted contracts are not found. The change feed keeps them.
     */
    async getContract<Options extends ReadOptions = {}>(
      request: {
        /** Id of a contract. */
        id: string;
      },
      options?: Options,
    ): Promise<Contract | Unchanged<Options>> {
      return await jsonUnlessSame<Contract, Options>(
        await send({
          method: "GET",
          path: `/v1/contracts/${encodeURIComponent(request.id)}`,
          headers: { "if-none-match": options?.ifNoneMatch },
          signal: options?.signal,
        }),
      );
    },

    /**
     * Delete a contract.
     *
     * Erases the document for good. The import stays recorded, so the contract never comes back. Deleting it again changes nothing.
     */
    async deleteContract(
      request: {
        /** Id of a contract. */
        id: string;
      },
      options?: CallOptions,
    ): Promise<void> {
      await send({
        method: "DELETE",
        path: `/v1/contracts/${encodeURIComponent(request.id)}`,
        signal: options?.signal,
      });
    },

    /**
     * Download the PDF of a contract.
     *
     * Streams the document. `Range` asks for a part, for example to resume a download that broke off.
     */
    async getContractDocument(
      request: {
        /** Id of a contract. */
        id: string;
      },
      options?: ReadOptions & {
        /** One range of bytes, such as `bytes=0-1023`. Several ranges are answered with the whole document. */
        range?: string | undefined;
        /** `ETag` of the document that the reader began with. If it is another one now, the answer is the whole document. */
        ifRange?: string | undefined;
      },
    ): Promise<Response> {
      return await send({
        method: "GET",
        path: `/v1/contracts/${encodeURIComponent(request.id)}/document`,
        headers: {
          "if-none-match": options?.ifNoneMatch,
          range: options?.range,
          "if-range": options?.ifRange,
        },
        signal: options?.signal,
      });
    },

    /**
     * Follow changes.
     *
     * Lists imports and deletions in an order that never changes. A reader that follows `next` sees every change exactly once. With `wait` the answer comes as soon as there is a change, at the latest after that many seconds.
     */
    async listChanges<Options extends ReadOptions = {}>(
      request: {
        /** `next` of the previous answer. Leave it out the first time. */
        after?: number | undefined;
        /** Most items to return. The default is 50. */
        limit?: number | undefined;
        /** Seconds to wait if there is no change yet. */
        wait?: number | undefined;
      } = {},
      options?: Options,
    ): Promise<ChangePage | Unchanged<Options>> {
      return await jsonUnlessSame<ChangePage, Options>(
        await send({
          method: "GET",
          path: `/v1/changes`,
          query: { after: request.after, limit: request.limit, wait: request.wait },
          headers: { "if-none-match": options?.ifNoneMatch },
          signal: options?.signal,
        }),
      );
    },

    /**
     * List contract groups.
     *
     * The tenant's groups, ordered by name.
     */
    async listGroups<Options extends ReadOptions = {}>(
      request: {
        /** Most items to return. The default is 50. */
        limit?: number | undefined;
        /** `nextCursor` of the previous page. Leave it out for the first page. */
        cursor?: string | undefined;
      } = {},
      options?: Options,
    ): Promise<GroupPage | Unchanged<Options>> {
      return await jsonUnlessSame<GroupPage, Options>(
        await send({
          method: "GET",
          path: `/v1/groups`,
          query: { limit: request.limit, cursor: request.cursor },
          headers: { "if-none-match": options?.ifNoneMatch },
          signal: options?.signal,
        }),
      );
    },

    /**
     * Create or rename a group.
     *
     * Restores a deleted group. Imports that waited for the group continue.
     */
    async putGroup(
      request: {
        /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
        id: string;
        body: GroupName;
      },
      options?: CallOptions,
    ): Promise<Group> {
      return await json(
        await send({
          method: "PUT",
          path: `/v1/groups/${encodeURIComponent(request.id)}`,
          body: request.body,
          signal: options?.signal,
        }),
      );
    },

    /**
     * Delete a group.
     *
     * Contracts stay. If a link imports into the group, its imports wait until an owner chooses another group. Deleting it again changes nothing.
     */
    async deleteGroup(
      request: {
        /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
        id: string;
      },
      options?: CallOptions,
    ): Promise<void> {
      await send({
        method: "DELETE",
        path: `/v1/groups/${encodeURIComponent(request.id)}`,
        signal: options?.signal,
      });
    },

    /**
     * Get the link.
     *
     * The tenant's link with its state, totals and progress. Ended links are in the history.
     */
    async getLink<Options extends ReadOptions = {}>(options?: Options): Promise<Link | Unchanged<Options>> {
      return await jsonUnlessSame<Link, Options>(
        await send({
          method: "GET",
          path: `/v1/link`,
          headers: { "if-none-match": options?.ifNoneMatch },
          signal: options?.signal,
        }),
      );
    },

    /**
     * Begin linking a DocuSign account.
     *
     * Send the owner's browser to `authorizationUrl`. Only the person whom the token's `sub` names can finish, within 15 minutes. A link in state `error` is repaired if the same DocuSign user logs in.
     *
     * The browser comes back to `/links?result=CODE`. More codes may be added.
     *
     * - `linked`: The account is linked.
     * - `awaiting-approval`: The account is linked; its large first import awaits approval.
     * - `not-admin`: The DocuSign user is not a DS Admin of their default account.
     * - `group-not-found`: The contract group was deleted meanwhile.
     * - `link-not-found`: The link to repair has ended meanwhile.
     * - `already-linked`: The tenant has a link already, or its link in error belongs to another DocuSign user.
     * - `cancelled`: The user cancelled at DocuSign.
     * - `expired`: The linking took longer than 15 minutes, was finished already or was begun by somebody else.
     * - `failed`: DocuSign could not be reached or refused.
     */
    async beginLinking(
      request: {
        body: GroupChoice;
      },
      options?: CallOptions,
    ): Promise<BegunLinking> {
      return await json(
        await send({ method: "POST", path: `/v1/link`, body: request.body, signal: options?.signal }),
      );
    },

    /**
     * Change the group of the link.
     *
     * Imports go into the group from now on. Contracts that are there already stay in their group.
     */
    async editLink(
      request: {
        body: GroupChoice;
      },
      options?: CallOptions,
    ): Promise<Link> {
      return await json(
        await send({ method: "PATCH", path: `/v1/link`, body: request.body, signal: options?.signal }),
      );
    },

    /**
     * End the link.
     *
     * Removes our Connect configurations at DocuSign. Contracts and history remain. If DocuSign cannot be reached or does not remove them, the link stays as it was.
     */
    async endLink(options?: CallOptions): Promise<void> {
      await send({ method: "DELETE", path: `/v1/link`, signal: options?.signal });
    },

    /**
     * Approve a large first import.
     *
     * Starts the first import of a link in state `awaiting-approval`.
     */
    async approveImport(options?: CallOptions): Promise<Link> {
      return await json(await send({ method: "POST", path: `/v1/link/approve`, signal: options?.signal }));
    },

    /**
     * List all links.
     *
     * Newest first, ended links included. Each has the windows that decide its imports, and its audit trail.
     */
    async listLinks<Options extends ReadOptions = {}>(
      request: {
        /** Most items to return. The default is 50. */
        limit?: number | undefined;
        /** `nextCursor` of the previous page. Leave it out for the first page. */
        cursor?: string | undefined;
      } = {},
      options?: Options,
    ): Promise<LinkPage | Unchanged<Options>> {
      return await jsonUnlessSame<LinkPage, Options>(
        await send({
          method: "GET",
          path: `/v1/links`,
          query: { limit: request.limit, cursor: request.cursor },
          headers: { "if-none-match": options?.ifNoneMatch },
          signal: options?.signal,
        }),
      );
    },

    /**
     * List reconciliations.
     *
     * Newest first. Each says what it listed, knew already, missed and excluded.
     */
    async listReconciliations<Options extends ReadOptions = {}>(
      request: {
        /** Most items to return. The default is 50. */
        limit?: number | undefined;
        /** `nextCursor` of the previous page. Leave it out for the first page. */
        cursor?: string | undefined;
      } = {},
      options?: Options,
    ): Promise<ReconciliationPage | Unchanged<Options>> {
      return await jsonUnlessSame<ReconciliationPage, Options>(
        await send({
          method: "GET",
          path: `/v1/reconciliations`,
          query: { limit: request.limit, cursor: request.cursor },
          headers: { "if-none-match": options?.ifNoneMatch },
          signal: options?.signal,
        }),
      );
    },

    /**
     * Explain an envelope.
     *
     * Says why an envelope was imported or not, and what it waits for. If nothing is recorded of the envelope, DocuSign is asked and the answer says what would become of it. `linkId` is null then. Asking imports nothing.
     */
    async explainEnvelope<
      Options extends ReadOptions & {
        /** Language of `text`: English if preferred to Japanese, otherwise Japanese. */
        acceptLanguage?: string | undefined;
      } = {},
    >(
      request: {
        /** DocuSign's id of an envelope. */
        envelopeId: string;
      },
      options?: Options,
    ): Promise<Explanation | Unchanged<Options>> {
      return await jsonUnlessSame<Explanation, Options>(
        await send({
          method: "GET",
          path: `/v1/envelopes/${encodeURIComponent(request.envelopeId)}`,
          headers: { "if-none-match": options?.ifNoneMatch, "accept-language": options?.acceptLanguage },
          signal: options?.signal,
        }),
      );
    },
  };

  type Filter = Omit<NonNullable<Parameters<typeof calls.listContracts>[0]>, "cursor">;

  return {
    ...calls,

    /** Every contract that matches, page after page as they are read; the newest import comes first. */
    listAllContracts: (
      filter: Filter = {},
      { signal }: CallOptions = {},
    ): AsyncGenerator<Contract, void, undefined> =>
      allItems(async (request: Filter) => await calls.listContracts(request, { signal }), filter),

    /**
     * Pages of the change feed for ever, each change once and in its order. Keep `next` of a page together with what
     * you did about its items, and pass it as `after` when you begin again. While the service is away or overloaded
     * it is asked again, at longer and longer intervals; what it refuses otherwise is thrown.
     */
    followChanges: (following: Following = {}): AsyncGenerator<ChangePage, never, undefined> =>
      followChanges(calls.listChanges, following, options.sleep ?? sleep),
  };
}
