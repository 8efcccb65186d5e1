// Generated from /openapi.json by npm run types:client. Change the service's schemas instead of this file.

export type TorikomiOptions = {
  /** Address of the service, such as `https://torikomi.example`. */
  url: string;
  /** Returns a token of the cabinet. Called for each request, so that it can be renewed. */
  token: () => string | Promise<string>;
  fetch?: typeof fetch;
  /** Waits between the attempts of `followChanges`. The default uses a timer. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
};

export type CallOptions = {
  /** Aborts the call, which then throws the signal's reason. */
  signal?: AbortSignal | undefined;
};

export type ReadOptions = CallOptions & {
  /** `etagOf` an earlier answer. If it has not changed, the method returns null, or the 304 response for a document. */
  ifNoneMatch?: string | undefined;
};

/** The result if the answer has not changed: null. Only methods with `ifNoneMatch` return it. */
export type Unchanged<Options> = "ifNoneMatch" extends keyof Options ? null : never;

/** The service refused or failed; `problem.type` is stable. */
export class TorikomiError extends Error {
  override readonly name = "TorikomiError";
  readonly status: number;
  readonly problem: Problem | null;
  /** Seconds to wait before the next attempt, from `Retry-After`; null without it. */
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

/** The type is safe: the service encodes its answers with the schemas that this file is generated from. */
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
  /** `next` of the last page that was processed. The default, 0, starts with the first change, `latest` with the next one. */
  after?: number | "latest" | undefined;
  /** Comma-separated types of the changes to follow. The default is `imported,deleted`. */
  types?: string | undefined;
  /** Maximum number of changes per page. */
  limit?: number | undefined;
  /** Ends the iteration, which then throws the signal's reason. */
  signal?: AbortSignal | undefined;
};

const WAIT_SECONDS = 30;
/** Detects dead connections: no answer takes longer than this. */
const LONGEST_ANSWER_MS = (WAIT_SECONDS + 60) * 1_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

async function* followChanges(
  list: (
    request: { after: number | "latest"; types: string | undefined; limit: number | undefined; wait: number },
    options: CallOptions,
  ) => Promise<ChangePage>,
  { after = 0, types, limit, signal }: Following,
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
      page = await list({ after: position, types, limit, wait: WAIT_SECONDS }, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (!isTransient(error)) throw error;
      failures += 1;
      await pause(pauseAfter(failures, error), signal);
      continue;
    }
    failures = 0;
    if (page.next !== position) {
      position = page.next;
      yield page;
    } else if (performance.now() - began < FIRST_PAUSE_MS) {
      // A service that is shutting down answers immediately.
      await pause(FIRST_PAUSE_MS, signal);
    }
  }
}

/** True if the network failed, the answer timed out, or the service is overloaded or unavailable. */
function isTransient(error: unknown): boolean {
  if (error instanceof TorikomiError) return error.status === 429 || error.status >= 500;
  return error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError");
}

/** Exponential backoff with jitter, so that readers do not return all at once. At least `Retry-After`. */
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

export type LinkingWish = {
  /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
  groupId: string;
  /** Start date in Japan, not in the future. Null: no start date. */
  from?: string | null;
  /** Fetch certificates of completion, for imports from then on. */
  certificates?: boolean;
  /** Absolute https address in the cabinet to which the browser returns, instead of `/links`. The operator lists the allowed origins. It must contain no user name, password or fragment. */
  returnTo?: string;
};

export type LinkEdit = {
  /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
  groupId?: string;
  /** Start date in Japan, not in the future. Null: no start date. */
  from?: string | null;
  /** Fetch certificates of completion, for imports from then on. */
  certificates?: boolean;
};

export type Approval = {
  /** Start date in Japan, not in the future. Null: no start date. */
  from?: string | null;
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
  /** Certificate of completion, which all contracts of an envelope share. Null if none was imported. */
  certificate: {
    bytes: number;
    sha256: string;
  } | null;
  source: {
    envelopeId: string;
    documentId: string;
    accountId: string;
    completedAt: string;
    subject: string | null;
    /** Place of the document among the envelope's content documents, from 1. Null if unknown. */
    position: number | null;
    /** Null if unknown. */
    sender: {
      name: string | null;
      email: string | null;
    } | null;
    /** Null if unknown. */
    recipients:
      | {
          name: string | null;
          email: string | null;
          /** DocuSign's recipient type, such as `signer` or `carbonCopy`. */
          role: string;
          /** When the recipient signed or viewed the envelope. Null if neither is known. */
          completedAt: string | null;
        }[]
      | null;
  };
};

export type Problem = {
  type: ProblemType;
  title: string;
  status: number;
  detail?: string;
  /** Id of the request in the service's logs. Include it in support requests. */
  instance?: string;
};

/**
 * Stable name of the kind of problem. More values may be added.
 *
 * - `urn:torikomi:problem:malformed`: A parameter or the body is invalid. `detail` names it.
 * - `urn:torikomi:problem:unauthorized`: The token is missing, invalid or not issued by the cabinet.
 * - `urn:torikomi:problem:forbidden`: The token is valid but lacks a scope or a claim.
 * - `urn:torikomi:problem:not-found`: The resource does not exist for this tenant or was deleted.
 * - `urn:torikomi:problem:link-not-found`: The tenant has no link.
 * - `urn:torikomi:problem:group-not-found`: The contract group does not exist. Choose another one.
 * - `urn:torikomi:problem:link-active`: The tenant already has a link. End it before you link another account.
 * - `urn:torikomi:problem:not-awaiting-approval`: The link is not in state `awaiting-approval`.
 * - `urn:torikomi:problem:not-active`: The link is not in state `active`.
 * - `urn:torikomi:problem:not-paused`: The link is not in state `paused`.
 * - `urn:torikomi:problem:deletion-failed`: DocuSign could not be reached or did not remove the Connect configurations. The link is unchanged.
 * - `urn:torikomi:problem:gone`: The link of this Connect address does not exist or has ended.
 * - `urn:torikomi:problem:method-not-allowed`: The address does not support the method. `Allow` lists the supported methods.
 * - `urn:torikomi:problem:request-timeout`: The body arrived too slowly.
 * - `urn:torikomi:problem:too-large`: The body is too large.
 * - `urn:torikomi:problem:unsupported-media-type`: The body is compressed or not in UTF-8.
 * - `urn:torikomi:problem:range-not-satisfiable`: The range starts after the end of the document.
 * - `urn:torikomi:problem:too-many-requests`: The token has used up its requests. Try again after `Retry-After`.
 * - `urn:torikomi:problem:unavailable`: The service is temporarily unavailable. Try again after `Retry-After`.
 * - `urn:torikomi:problem:internal`: An unexpected error. Support can find it by `instance`.
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
  | "urn:torikomi:problem:not-active"
  | "urn:torikomi:problem:not-paused"
  | "urn:torikomi:problem:deletion-failed"
  | "urn:torikomi:problem:gone"
  | "urn:torikomi:problem:method-not-allowed"
  | "urn:torikomi:problem:request-timeout"
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

export type Change = ContractChange | LinkChange | Restoration;

export type ContractChange = {
  /** Strictly increasing, with gaps: about the time in microseconds since 1970. */
  sequence: number;
  /** With a service token only. */
  tenant?: string;
  type: "imported" | "deleted";
  contract: RecordedContract;
};

export type RecordedContract = {
  id: string;
  tenant: string;
  /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
  groupId: string;
  /** The document's name in DocuSign, unchanged. 30 days after the contract's deletion, its names become null. */
  fileName: string | null;
  /** 契約締結日: the date of completion in Japan. */
  concludedOn: string;
  uploadedBy: "DocuSign";
  importedAt: string;
  pages?: number;
  bytes: number;
  sha256: string;
  /** Certificate of completion, which all contracts of an envelope share. Null if none was imported. */
  certificate: {
    bytes: number;
    sha256: string;
  } | null;
  source: {
    envelopeId: string;
    documentId: string;
    accountId: string;
    completedAt: string;
    subject: string | null;
    /** Place of the document among the envelope's content documents, from 1. Null if unknown. */
    position: number | null;
    /** Null if unknown. */
    sender: {
      name: string | null;
      email: string | null;
    } | null;
    /** Null if unknown. */
    recipients:
      | {
          name: string | null;
          email: string | null;
          /** DocuSign's recipient type, such as `signer` or `carbonCopy`. */
          role: string;
          /** When the recipient signed or viewed the envelope. Null if neither is known. */
          completedAt: string | null;
        }[]
      | null;
  };
};

/** A link was created or changed, or it ended. */
export type LinkChange = {
  /** Strictly increasing, with gaps: about the time in microseconds since 1970. */
  sequence: number;
  /** With a service token only. */
  tenant?: string;
  type: "link";
  at: string;
  /** The link after the change. */
  link: {
    id: string;
    tenant: string;
    state: LinkState;
    cause: {
      code: LinkCause;
      /** Text for people, in Japanese: the problem and the next step. */
      message: string;
    } | null;
    /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
    groupId: string;
    endedAt: string | null;
  };
};

/**
 * State of a link. More values may be added.
 *
 * - `active`: Imports run.
 * - `paused`: An owner paused the link. Nothing is listed or imported until it is resumed.
 * - `awaiting-approval`: A large first import waits until an owner approves it.
 * - `error`: Imports have stopped. `cause` gives the reason.
 * - `ended`: The link was ended. Its contracts and history remain.
 */
export type LinkState = "active" | "paused" | "awaiting-approval" | "error" | "ended" | (string & {});

/**
 * Why a link is in state `error`. More values may be added.
 *
 * - `authorization-revoked`: DocuSign no longer accepts the authorization. The same DocuSign user must link again.
 * - `not-admin`: The linked user is no longer a DS Admin. The link recovers when the role is back.
 * - `group-missing`: The contract group was deleted. Choose another one.
 */
export type LinkCause = "authorization-revoked" | "not-admin" | "group-missing" | (string & {});

/** The database was set back. Contracts that the reader got after `since` may be unknown here: compare with the full list. */
export type Restoration = {
  /** Strictly increasing, with gaps: about the time in microseconds since 1970. */
  sequence: number;
  /** With a service token only. */
  tenant?: string;
  type: "restored";
  at: string;
  since: string;
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
    /** Text for people, in Japanese: the problem and the next step. */
    message: string;
  } | null;
  /** The cause that slows an active link. Null if there is none. */
  notice: {
    code: NoticeCode;
    /** Text for people, in Japanese. */
    message: string;
    since: string;
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
  /** Sent envelopes completed at or after this moment are imported. Null: all. */
  sentFrom: string | null;
  /** Received envelopes completed at or after this moment are imported. Null: all. */
  receivedFrom: string | null;
  /** Imports fetch the certificate of completion too, which costs a call per envelope. */
  certificates: boolean;
  /** Start date in Japan that an owner chose. `sentFrom` and `receivedFrom` include it. Null: none. */
  from: string | null;
  /** All sent envelopes completed before this moment are accounted for. Null until the link has ended. */
  sentUntil: string | null;
  /** All received envelopes completed before this moment are accounted for. Null until the link has ended. */
  receivedUntil: string | null;
  /** State of the Connect configurations for envelopes that the account sends and the user receives. Both are null once the link has ended. */
  connect: {
    sent: ConnectState | null;
    received: ConnectState | null;
  };
  totals: {
    /** Sum of the other four. */
    atDocuSign: number;
    imported: number;
    excluded: number;
    deleted: number;
    /** Until a large first import is listed, this includes all envelopes that DocuSign counted at linking. */
    waiting: number;
  };
  /** Number of envelopes that each rule excluded. Null once the link has ended. */
  excludedByRule: Partial<Record<ExclusionRule, number>> | null;
  /** Progress of the first import. `total` is null if DocuSign could not count the envelopes at linking, until the first listing has. `estimatedEnd` is null then and once the import is done. Null once the link has ended. */
  firstImport: {
    done: number;
    total: number | null;
    estimatedEnd: string | null;
  } | null;
  lastReconciliation: string | null;
  nextReconciliation: string | null;
};

/**
 * Cause that slows an active link. More values may be added.
 *
 * - `document-store-unavailable`: The service cannot store documents. Imports wait and continue automatically.
 * - `docusign-unavailable`: DocuSign does not respond or returns errors. Imports wait and continue automatically.
 * - `account-throttled`: The DocuSign account has used up its API calls. Imports continue when DocuSign accepts calls.
 * - `docusign-slow`: DocuSign responds slowly. Imports continue, but take longer.
 * - `connect-switched-off`: A Connect configuration is disabled in DocuSign. Imports run once an hour.
 */
export type NoticeCode =
  | "document-store-unavailable"
  | "docusign-unavailable"
  | "account-throttled"
  | "docusign-slow"
  | "connect-switched-off"
  | (string & {});

/**
 * State of a Connect configuration. Without events, imports run once an hour. More values may be added.
 *
 * - `active`: DocuSign sends events.
 * - `pending`: The configuration could not be created or checked yet. The next reconciliation tries again.
 * - `switched-off`: The configuration is off. It stays off if a person disabled it, and is switched on again if DocuSign did.
 * - `not-available`: The account does not support this Connect configuration, or DocuSign rejected it.
 */
export type ConnectState = "active" | "pending" | "switched-off" | "not-available" | (string & {});

/**
 * The rule that excludes an envelope. More values may be added.
 *
 * - `not-completed`: The envelope is not completed.
 * - `not-ours`: It was neither sent from the linked account nor received by the linked user.
 * - `forwarded-to-user`: The linked user received it only because another recipient forwarded it.
 * - `before-window`: It was completed before the period that the link imports.
 * - `documents-purged`: Its documents were purged at DocuSign.
 * - `no-documents`: It contains no document except the certificate of completion.
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
  /** Redirect the owner's browser to this address. */
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
    /** Text for people, in Japanese: the problem and the next step. */
    message: string;
  } | null;
  /** The cause that slows an active link. Null if there is none. */
  notice: {
    code: NoticeCode;
    /** Text for people, in Japanese. */
    message: string;
    since: string;
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
  /** Sent envelopes completed at or after this moment are imported. Null: all. */
  sentFrom: string | null;
  /** Received envelopes completed at or after this moment are imported. Null: all. */
  receivedFrom: string | null;
  /** Imports fetch the certificate of completion too, which costs a call per envelope. */
  certificates: boolean;
  /** Start date in Japan that an owner chose. `sentFrom` and `receivedFrom` include it. Null: none. */
  from: string | null;
  /** All sent envelopes completed before this moment are accounted for. Null until the link has ended. */
  sentUntil: string | null;
  /** All received envelopes completed before this moment are accounted for. Null until the link has ended. */
  receivedUntil: string | null;
  /** State of the Connect configurations for envelopes that the account sends and the user receives. Both are null once the link has ended. */
  connect: {
    sent: ConnectState | null;
    received: ConnectState | null;
  };
  totals: {
    /** Sum of the other four. */
    atDocuSign: number;
    imported: number;
    excluded: number;
    deleted: number;
    /** Until a large first import is listed, this includes all envelopes that DocuSign counted at linking. */
    waiting: number;
  };
  /** Number of envelopes that each rule excluded. Null once the link has ended. */
  excludedByRule: Partial<Record<ExclusionRule, number>> | null;
  /** Progress of the first import. `total` is null if DocuSign could not count the envelopes at linking, until the first listing has. `estimatedEnd` is null then and once the import is done. Null once the link has ended. */
  firstImport: {
    done: number;
    total: number | null;
    estimatedEnd: string | null;
  } | null;
  lastReconciliation: string | null;
  nextReconciliation: string | null;
  /** The owners' actions, oldest first. */
  audit: {
    at: string;
    /** `sub` of the person who took the action. */
    subject: string;
    action: AuditAction;
  }[];
};

/**
 * An owner's action on a link. More values may be added.
 *
 * - `linked`: An owner linked the account.
 * - `repaired`: An owner repaired the link by linking the same DocuSign user again.
 * - `edited`: An owner changed the link.
 * - `approved`: An owner approved the first import.
 * - `paused`: An owner paused the link.
 * - `resumed`: An owner resumed the link.
 * - `ended`: An owner ended the link.
 */
export type AuditAction =
  | "linked"
  | "repaired"
  | "edited"
  | "approved"
  | "paused"
  | "resumed"
  | "ended"
  | (string & {});

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
  /** Envelopes to import that no event had announced. */
  missed: number;
  /** Number of envelopes that each rule excluded. */
  excluded: Partial<Record<ExclusionRule, number>>;
  waiting: number;
  /** Waiting envelopes whose import failed for days. They are retried once an hour. */
  failed: number;
  calls: number;
  /** Number of all envelopes that DocuSign listed. Daily full checks only. */
  atDocuSign: number | null;
  /** Differences between the ledger and DocuSign. Daily full checks only. Null if there are none. */
  difference: {
    atDocuSign: number;
    inLedger: number;
    /** Recorded by the service but no longer listed by DocuSign, mostly because they were deleted there. */
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
 * - `hourly`: The hourly listing of completed envelopes.
 * - `full`: The daily comparison with all envelopes that DocuSign lists.
 * - `manual`: A listing that an operator started.
 * - `closing`: The last listing before a link ends.
 */
export type ReconciliationKind = "first" | "hourly" | "full" | "manual" | "closing" | (string & {});

/**
 * State of a reconciliation. More values may be added.
 *
 * - `running`: It is in progress.
 * - `done`: It accounted for its whole period.
 * - `failed`: It stopped early. The next one covers its period.
 */
export type ReconciliationState = "running" | "done" | "failed" | (string & {});

export type Explanation = {
  envelopeId: string;
  outcome: Outcome;
  reason: Reason;
  /** The explanation for the customer, in the language of `Content-Language`. */
  text: string;
  /** The facts behind the decision. Their names may change. */
  facts: Record<string, unknown>;
  events: {
    /** DocuSign's name of the event, such as `envelope-completed`. */
    event: string;
    format: EventFormat;
    generatedAt: string | null;
    receivedAt: string;
  }[];
  /** All contracts of the envelope, including deleted ones. */
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
    /** Certificate of completion, which all contracts of an envelope share. Null if none was imported. */
    certificate: {
      bytes: number;
      sha256: string;
    } | null;
    source: {
      envelopeId: string;
      documentId: string;
      accountId: string;
      completedAt: string;
      subject: string | null;
      /** Place of the document among the envelope's content documents, from 1. Null if unknown. */
      position: number | null;
      /** Null if unknown. */
      sender: {
        name: string | null;
        email: string | null;
      } | null;
      /** Null if unknown. */
      recipients:
        | {
            name: string | null;
            email: string | null;
            /** DocuSign's recipient type, such as `signer` or `carbonCopy`. */
            role: string;
            /** When the recipient signed or viewed the envelope. Null if neither is known. */
            completedAt: string | null;
          }[]
        | null;
    };
    deletedAt: string | null;
  }[];
  attempts: number;
  lastAttemptAt: string | null;
  /** DocuSign's or the service's error code of the last failed attempt. */
  lastError: string | null;
  /** The link that judged the envelope last. Null if the service has no record of the envelope. */
  linkId: string | null;
  decidedAt: string | null;
  waitingFor: {
    reason: WaitingReason;
    until: string | null;
  } | null;
};

/**
 * Outcome of an envelope. More values may be added.
 *
 * - `imported`: Its documents are contracts of the cabinet.
 * - `excluded`: A rule excludes it; `reason` names the rule.
 * - `deleted`: All of its contracts were deleted in the cabinet. It is never imported again.
 * - `waiting`: It waits to be imported or judged. `waitingFor` gives the reason.
 * - `unknown`: The service has no record of it, and DocuSign is unavailable or does not return it.
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
 * - `forwarded-to-user`: The linked user received it only because another recipient forwarded it.
 * - `before-window`: It was completed before the period that the link imports.
 * - `documents-purged`: Its documents were purged at DocuSign.
 * - `no-documents`: It contains no document except the certificate of completion.
 * - `deleted-in-cabinet`: Its contracts were deleted in the cabinet.
 * - `queued`: It waits for its turn.
 * - `hourly-timing`: It waits for the next import on the hour (`IMPORT_TIMING=hourly`).
 * - `awaiting-approval`: The large first import awaits approval.
 * - `paused`: An owner paused the link.
 * - `link-error`: The link is in state `error`.
 * - `link-ended`: The link ended before the import.
 * - `group-missing`: The contract group of the link was deleted.
 * - `account-throttled`: The DocuSign account has used up its API calls.
 * - `budget-reserve`: The remaining API calls are reserved for the account's other integrations.
 * - `lookup-budget`: The tenant has used up its look-ups in DocuSign for this hour. Imports are not affected.
 * - `docusign-unavailable`: DocuSign could not be reached or did not return the envelope.
 * - `document-store-unavailable`: The service cannot store documents at the moment.
 * - `not-found-yet`: DocuSign does not return the envelope or one of its documents yet.
 * - `on-another-site`: Another site of DocuSign holds the documents, and they cannot be downloaded. The import is tried again each day.
 * - `document-not-pdf`: DocuSign returned a document that is not a PDF.
 * - `document-empty`: DocuSign returned an empty document.
 * - `import-failed`: The import failed and will be retried.
 * - `completion-unknown`: DocuSign has not reported when the envelope was completed.
 * - `sender-unknown`: DocuSign has not reported which account sent the envelope.
 * - `recipients-unknown`: DocuSign has not reported who received the envelope.
 * - `documents-unknown`: DocuSign has not reported the envelope's documents.
 * - `never-seen`: No event or listing has contained it yet.
 * - `not-found`: The linked user cannot see such an envelope in DocuSign.
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
  | "paused"
  | "link-error"
  | "link-ended"
  | "group-missing"
  | "account-throttled"
  | "budget-reserve"
  | "lookup-budget"
  | "docusign-unavailable"
  | "document-store-unavailable"
  | "not-found-yet"
  | "on-another-site"
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
 * - `json-sim`: JSON SIM, the format of the configurations that the service creates.
 * - `json-aggregate`: JSON in the older aggregate format.
 * - `xml`: Legacy XML.
 */
export type EventFormat = "json-sim" | "json-aggregate" | "xml" | (string & {});

/**
 * The reason why an envelope waits. More values may be added.
 *
 * - `queued`: It waits for its turn.
 * - `hourly-timing`: It waits for the next import on the hour (`IMPORT_TIMING=hourly`).
 * - `awaiting-approval`: The large first import awaits approval.
 * - `paused`: An owner paused the link.
 * - `link-error`: The link is in state `error`.
 * - `link-ended`: The link ended before the import.
 * - `group-missing`: The contract group of the link was deleted.
 * - `account-throttled`: The DocuSign account has used up its API calls.
 * - `budget-reserve`: The remaining API calls are reserved for the account's other integrations.
 * - `lookup-budget`: The tenant has used up its look-ups in DocuSign for this hour. Imports are not affected.
 * - `docusign-unavailable`: DocuSign could not be reached or did not return the envelope.
 * - `document-store-unavailable`: The service cannot store documents at the moment.
 * - `not-found-yet`: DocuSign does not return the envelope or one of its documents yet.
 * - `on-another-site`: Another site of DocuSign holds the documents, and they cannot be downloaded. The import is tried again each day.
 * - `document-not-pdf`: DocuSign returned a document that is not a PDF.
 * - `document-empty`: DocuSign returned an empty document.
 * - `import-failed`: The import failed and will be retried.
 * - `completion-unknown`: DocuSign has not reported when the envelope was completed.
 * - `sender-unknown`: DocuSign has not reported which account sent the envelope.
 * - `recipients-unknown`: DocuSign has not reported who received the envelope.
 * - `documents-unknown`: DocuSign has not reported the envelope's documents.
 */
export type WaitingReason =
  | "queued"
  | "hourly-timing"
  | "awaiting-approval"
  | "paused"
  | "link-error"
  | "link-ended"
  | "group-missing"
  | "account-throttled"
  | "budget-reserve"
  | "lookup-budget"
  | "docusign-unavailable"
  | "document-store-unavailable"
  | "not-found-yet"
  | "on-another-site"
  | "document-not-pdf"
  | "document-empty"
  | "import-failed"
  | "completion-unknown"
  | "sender-unknown"
  | "recipients-unknown"
  | "documents-unknown"
  | (string & {});

export type TenantPage = {
  items: Tenant[];
  /** Cursor of the next page. Null on the last page. */
  nextCursor: string | null;
};

export type Tenant = {
  tenant: string;
  /** State of the tenant's link. Null without a link. */
  state: LinkState | null;
};

export { etagOf };

export type TorikomiClient = ReturnType<typeof createTorikomiClient>;

/**
 * Creates a client for the tenant of the token. Every method throws a `TorikomiError` if the service refuses or fails,
 * and the error of `fetch` if no answer arrives.
 */
export function createTorikomiClient(options: TorikomiOptions) {
  const send = createSend(options);

  const calls = {
    /**
     * List contracts.
     *
     * Newest import first; contracts of one envelope by their position in it. Contracts imported in the meantime do not shift the pages. Deleted contracts are not listed.
     */
    async listContracts<Options extends ReadOptions = {}>(
      request: {
        /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
        group?: string | undefined;
        /** A calendar date in Japan (YYYY-MM-DD), inclusive. */
        concludedFrom?: string | undefined;
        /** A calendar date in Japan (YYYY-MM-DD), inclusive. */
        concludedTo?: string | undefined;
        /** A moment with a zone (RFC 3339), inclusive. Write the `+` of a zone as `%2B`. */
        importedFrom?: string | undefined;
        /** A moment with a zone (RFC 3339), inclusive. Write the `+` of a zone as `%2B`. */
        importedTo?: string | undefined;
        /** Id of an envelope. */
        envelopeId?: string | undefined;
        /** Id of a DocuSign account. */
        accountId?: string | undefined;
        /** A part of the file name, the subject, or the name of the sender or a recipient. Compared literally, but full and half width, and capital and small letters, are equal. E-mail addresses are not searched. One character alone may take longer. */
        q?: string | undefined;
        /** Maximum number of items to return. The default is 50. */
        limit?: number | undefined;
        /** `nextCursor` of the previous page. Leave it out for the first page. */
        cursor?: string | undefined;
        /** The tenant to read. Required with a service token; other tokens read their own tenant, and the parameter is refused. */
        tenant?: string | undefined;
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
            importedFrom: request.importedFrom,
            importedTo: request.importedTo,
            envelopeId: request.envelopeId,
            accountId: request.accountId,
            q: request.q,
            limit: request.limit,
            cursor: request.cursor,
            tenant: request.tenant,
          },
          headers: { "if-none-match": options?.ifNoneMatch },
          signal: options?.signal,
        }),
      );
    },

    /**
     * Get a contract.
     *
     * Deleted contracts are not found; the change feed still lists them.
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
     * Erases the document permanently. The import stays recorded, so the contract is never imported again. Deleting a contract again changes nothing.
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
     * Streams the document. `Range` requests a part, for example to resume an interrupted download.
     */
    async getContractDocument(
      request: {
        /** Id of a contract. */
        id: string;
      },
      options?: ReadOptions & {
        /** One range of bytes, such as `bytes=0-1023`. The answer to several ranges is the whole document. */
        range?: string | undefined;
        /** `ETag` from the start of the download. If it no longer matches, the answer is the whole document. */
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
     * Download the certificate of completion.
     *
     * Streams DocuSign's certificate of the contract's envelope, like the document.
     */
    async getContractCertificate(
      request: {
        /** Id of a contract. */
        id: string;
      },
      options?: ReadOptions & {
        /** One range of bytes, such as `bytes=0-1023`. The answer to several ranges is the whole document. */
        range?: string | undefined;
        /** `ETag` from the start of the download. If it no longer matches, the answer is the whole document. */
        ifRange?: string | undefined;
      },
    ): Promise<Response> {
      return await send({
        method: "GET",
        path: `/v1/contracts/${encodeURIComponent(request.id)}/certificate`,
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
     * Lists imports and deletions in an order that never changes, and by `types` also what happens to links. A reader that follows `next` sees every change exactly once. With `wait`, the answer comes as soon as there is a change, or after that many seconds.
     *
     * A service token reads the changes of all tenants in one order; each item then has `tenant`.
     */
    async listChanges<Options extends ReadOptions = {}>(
      request: {
        /** `next` of the previous answer. Leave it out for the first request. `latest` returns no items and the current end as `next`. */
        after?: number | "latest" | undefined;
        /** Comma-separated types of the changes to return: `imported`, `deleted`, `link`, `restored`. `next` moves past changes of other types. */
        types?: string | undefined;
        /** Maximum number of items to return. The default is 50. */
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
          query: { after: request.after, types: request.types, limit: request.limit, wait: request.wait },
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
        /** Maximum number of items to return. The default is 50. */
        limit?: number | undefined;
        /** `nextCursor` of the previous page. Leave it out for the first page. */
        cursor?: string | undefined;
        /** The tenant to read. Required with a service token; other tokens read their own tenant, and the parameter is refused. */
        tenant?: string | undefined;
      } = {},
      options?: Options,
    ): Promise<GroupPage | Unchanged<Options>> {
      return await jsonUnlessSame<GroupPage, Options>(
        await send({
          method: "GET",
          path: `/v1/groups`,
          query: { limit: request.limit, cursor: request.cursor, tenant: request.tenant },
          headers: { "if-none-match": options?.ifNoneMatch },
          signal: options?.signal,
        }),
      );
    },

    /**
     * Create or rename a group.
     *
     * Also restores a deleted group. Imports that waited for the group continue.
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
     * The group's contracts remain. If a link imports into the group, its imports wait until an owner chooses another group. Deleting a group again changes nothing.
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
    async getLink<Options extends ReadOptions = {}>(
      request: {
        /** The tenant to read. Required with a service token; other tokens read their own tenant, and the parameter is refused. */
        tenant?: string | undefined;
      } = {},
      options?: Options,
    ): Promise<Link | Unchanged<Options>> {
      return await jsonUnlessSame<Link, Options>(
        await send({
          method: "GET",
          path: `/v1/link`,
          query: { tenant: request.tenant },
          headers: { "if-none-match": options?.ifNoneMatch },
          signal: options?.signal,
        }),
      );
    },

    /**
     * Start linking a DocuSign account.
     *
     * Redirect the owner's browser to `authorizationUrl`. Only the person in the token's `sub` can finish the linking, within 15 minutes. If the link is in state `error`, the same DocuSign user repairs it by logging in; the options are then ignored.
     *
     * The browser returns to `/links?result=CODE`, or to `returnTo` with `result=CODE` in its query. An unknown or expired attempt returns to `/links`. More codes may be added.
     *
     * - `linked`: The account is linked.
     * - `awaiting-approval`: The account is linked. Its large first import awaits approval.
     * - `not-admin`: The DocuSign user is not a DS Admin of their default account.
     * - `group-not-found`: The contract group was deleted in the meantime.
     * - `link-not-found`: The link to repair has ended in the meantime.
     * - `already-linked`: The tenant already has a link, or its link in error belongs to another DocuSign user.
     * - `cancelled`: The user cancelled at DocuSign.
     * - `expired`: The linking took longer than 15 minutes, is already finished, or was started by another person.
     * - `failed`: DocuSign could not be reached or refused the request.
     */
    async beginLinking(
      request: {
        body: LinkingWish;
      },
      options?: CallOptions,
    ): Promise<BegunLinking> {
      return await json(
        await send({ method: "POST", path: `/v1/link`, body: request.body, signal: options?.signal }),
      );
    },

    /**
     * Edit the link.
     *
     * Future imports go into the group. Existing contracts stay in their group.
     *
     * The start date can only move earlier, or stay. Envelopes that it excluded are then judged again. An imported envelope stays imported.
     */
    async editLink(
      request: {
        body: LinkEdit;
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
     * Removes the service's Connect configurations from DocuSign. Contracts and history remain. If DocuSign cannot be reached or does not remove the configurations, the link is unchanged.
     */
    async endLink(options?: CallOptions): Promise<void> {
      await send({ method: "DELETE", path: `/v1/link`, signal: options?.signal });
    },

    /**
     * Approve a large first import.
     *
     * Starts the first import of a link in state `awaiting-approval`. A start date in the body replaces the one of the link. The body may be absent.
     */
    async approveImport(
      request: {
        body?: Approval;
      } = {},
      options?: CallOptions,
    ): Promise<Link> {
      return await json(
        await send({ method: "POST", path: `/v1/link/approve`, body: request.body, signal: options?.signal }),
      );
    },

    /**
     * Pause the link.
     *
     * Events are still recorded, but nothing is listed or imported until the link is resumed. The user's admin right is checked once a day.
     */
    async pauseLink(options?: CallOptions): Promise<Link> {
      return await json(await send({ method: "POST", path: `/v1/link/pause`, signal: options?.signal }));
    },

    /**
     * Resume the link.
     *
     * A reconciliation then accounts for everything that completed during the pause.
     */
    async resumeLink(options?: CallOptions): Promise<Link> {
      return await json(await send({ method: "POST", path: `/v1/link/resume`, signal: options?.signal }));
    },

    /**
     * List all links.
     *
     * Newest first, including ended links. Each link has the periods that it imports and its audit trail.
     */
    async listLinks<Options extends ReadOptions = {}>(
      request: {
        /** Maximum number of items to return. The default is 50. */
        limit?: number | undefined;
        /** `nextCursor` of the previous page. Leave it out for the first page. */
        cursor?: string | undefined;
        /** The tenant to read. Required with a service token; other tokens read their own tenant, and the parameter is refused. */
        tenant?: string | undefined;
      } = {},
      options?: Options,
    ): Promise<LinkPage | Unchanged<Options>> {
      return await jsonUnlessSame<LinkPage, Options>(
        await send({
          method: "GET",
          path: `/v1/links`,
          query: { limit: request.limit, cursor: request.cursor, tenant: request.tenant },
          headers: { "if-none-match": options?.ifNoneMatch },
          signal: options?.signal,
        }),
      );
    },

    /**
     * List reconciliations.
     *
     * Newest first. Each reports how many envelopes it listed, already knew, missed and excluded.
     */
    async listReconciliations<Options extends ReadOptions = {}>(
      request: {
        /** Maximum number of items to return. The default is 50. */
        limit?: number | undefined;
        /** `nextCursor` of the previous page. Leave it out for the first page. */
        cursor?: string | undefined;
        /** The tenant to read. Required with a service token; other tokens read their own tenant, and the parameter is refused. */
        tenant?: string | undefined;
      } = {},
      options?: Options,
    ): Promise<ReconciliationPage | Unchanged<Options>> {
      return await jsonUnlessSame<ReconciliationPage, Options>(
        await send({
          method: "GET",
          path: `/v1/reconciliations`,
          query: { limit: request.limit, cursor: request.cursor, tenant: request.tenant },
          headers: { "if-none-match": options?.ifNoneMatch },
          signal: options?.signal,
        }),
      );
    },

    /**
     * Explain an envelope.
     *
     * Explains why an envelope was or was not imported, and what it waits for. If the service has no record of the envelope, it queries DocuSign and predicts the outcome; `linkId` is then null. At most 60 such calls are made in a clock hour; beyond them `outcome` is `unknown` and `waitingFor` gives the time. The request never imports anything.
     */
    async explainEnvelope<
      Options extends ReadOptions & {
        /** Language of `text`: English if it is preferred to Japanese, otherwise Japanese. */
        acceptLanguage?: string | undefined;
      } = {},
    >(
      request: {
        /** DocuSign's id of an envelope. */
        envelopeId: string;
        /** The tenant to read. Required with a service token; other tokens read their own tenant, and the parameter is refused. */
        tenant?: string | undefined;
      },
      options?: Options,
    ): Promise<Explanation | Unchanged<Options>> {
      return await jsonUnlessSame<Explanation, Options>(
        await send({
          method: "GET",
          path: `/v1/envelopes/${encodeURIComponent(request.envelopeId)}`,
          query: { tenant: request.tenant },
          headers: { "if-none-match": options?.ifNoneMatch, "accept-language": options?.acceptLanguage },
          signal: options?.signal,
        }),
      );
    },

    /**
     * List tenants.
     *
     * Lists all tenants that have data, with the state of their link. Only for service tokens.
     */
    async listTenants<Options extends ReadOptions = {}>(
      request: {
        /** Maximum number of items to return. The default is 50. */
        limit?: number | undefined;
        /** `nextCursor` of the previous page. Leave it out for the first page. */
        cursor?: string | undefined;
      } = {},
      options?: Options,
    ): Promise<TenantPage | Unchanged<Options>> {
      return await jsonUnlessSame<TenantPage, Options>(
        await send({
          method: "GET",
          path: `/v1/tenants`,
          query: { limit: request.limit, cursor: request.cursor },
          headers: { "if-none-match": options?.ifNoneMatch },
          signal: options?.signal,
        }),
      );
    },
  };

  type Filter = Omit<NonNullable<Parameters<typeof calls.listContracts>[0]>, "cursor">;

  return {
    ...calls,

    /** All contracts that match, newest import first. Fetches further pages as they are read. */
    listAllContracts: (
      filter: Filter = {},
      { signal }: CallOptions = {},
    ): AsyncGenerator<Contract, void, undefined> =>
      allItems(async (request: Filter) => await calls.listContracts(request, { signal }), filter),

    /**
     * Pages of the change feed, without end: each change once, in order. Store `next` of a page in the same transaction
     * as your work on its items, and pass it as `after` after a restart. Retries with exponential backoff if the
     * service is unavailable or overloaded, and throws all other errors.
     */
    followChanges: (following: Following = {}): AsyncGenerator<ChangePage, never, undefined> =>
      followChanges(calls.listChanges, following, options.sleep ?? sleep),
  };
}
