// Generated from /openapi.json by npm run types:client; changes belong to the service's schemas.

export type TorikomiOptions = {
  /** Address of the service, such as `https://torikomi.example`. */
  url: string;
  /** A token of the cabinet; asked for at each request, so that it can be renewed. */
  token: () => string | Promise<string>;
  fetch?: typeof fetch;
};

/** The service refused or failed; `problem.type` is stable. */
export class TorikomiError extends Error {
  override readonly name = "TorikomiError";
  readonly status: number;
  readonly problem: Problem | null;
  /** Seconds after which to try again, where the service says so. */
  readonly retryAfter: number | null;

  constructor(response: Response, problem: Problem | null) {
    super(problem?.detail ?? problem?.title ?? `torikomi answered ${response.status}`);
    this.status = response.status;
    this.problem = problem;
    const seconds = response.headers.get("retry-after");
    this.retryAfter = seconds === null ? null : Number(seconds);
  }
}

type Sent = {
  method: string;
  path: string;
  query?: Record<string, string | number | undefined>;
  body?: unknown;
};

async function problemOf(response: Response): Promise<Problem | null> {
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") ?? false;
  return isProblem ? await json(response) : null;
}

/** The service holds its answers against the very description that this file was made from. */
async function json<T>(response: Response): Promise<T> {
  return (await response.json()) as T;
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

export type TorikomiClient = ReturnType<typeof createTorikomiClient>;

/** A client for one tenant, whom the token names. Every method throws a `TorikomiError` where the answer is a problem. */
export function createTorikomiClient(options: TorikomiOptions) {
  async function send({ method, path, query = {}, body }: Sent): Promise<Response> {
    const address = new URL(path, options.url);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) address.searchParams.set(name, String(value));
    }
    const headers = new Headers({ authorization: `Bearer ${await options.token()}` });
    if (body !== undefined) headers.set("content-type", "application/json");
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await (options.fetch ?? fetch)(address, { method, headers, ...sent });
    if (!response.ok) throw new TorikomiError(response, await problemOf(response));
    return response;
  }

  return {
    /** List contracts. */
    async listContracts(
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
    ): Promise<ContractPage> {
      return await json(
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
        }),
      );
    },

    /** Get a contract. */
    async getContract(request: {
      /** Id of a contract. */
      id: string;
    }): Promise<Contract> {
      return await json(
        await send({ method: "GET", path: `/v1/contracts/${encodeURIComponent(request.id)}` }),
      );
    },

    /** Delete a contract. */
    async deleteContract(request: {
      /** Id of a contract. */
      id: string;
    }): Promise<void> {
      await send({ method: "DELETE", path: `/v1/contracts/${encodeURIComponent(request.id)}` });
    },

    /** Download the PDF of a contract. */
    async getContractDocument(request: {
      /** Id of a contract. */
      id: string;
    }): Promise<Response> {
      return await send({ method: "GET", path: `/v1/contracts/${encodeURIComponent(request.id)}/document` });
    },

    /** Follow changes. */
    async listChanges(
      request: {
        /** `next` of the previous answer. Leave it out the first time. */
        after?: number | undefined;
        /** Most items to return. The default is 50. */
        limit?: number | undefined;
        /** Seconds to wait if there is no change yet. */
        wait?: number | undefined;
      } = {},
    ): Promise<ChangePage> {
      return await json(
        await send({
          method: "GET",
          path: `/v1/changes`,
          query: { after: request.after, limit: request.limit, wait: request.wait },
        }),
      );
    },

    /** List contract groups. */
    async listGroups(
      request: {
        /** Most items to return. The default is 50. */
        limit?: number | undefined;
        /** `nextCursor` of the previous page. Leave it out for the first page. */
        cursor?: string | undefined;
      } = {},
    ): Promise<GroupPage> {
      return await json(
        await send({
          method: "GET",
          path: `/v1/groups`,
          query: { limit: request.limit, cursor: request.cursor },
        }),
      );
    },

    /** Create or rename a group. */
    async putGroup(request: {
      /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
      id: string;
      body: GroupName;
    }): Promise<Group> {
      return await json(
        await send({
          method: "PUT",
          path: `/v1/groups/${encodeURIComponent(request.id)}`,
          body: request.body,
        }),
      );
    },

    /** Delete a group. */
    async deleteGroup(request: {
      /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
      id: string;
    }): Promise<void> {
      await send({ method: "DELETE", path: `/v1/groups/${encodeURIComponent(request.id)}` });
    },

    /** Get the link. */
    async getLink(): Promise<Link> {
      return await json(await send({ method: "GET", path: `/v1/link` }));
    },

    /** Begin linking a DocuSign account. */
    async beginLinking(request: { body: GroupChoice }): Promise<BegunLinking> {
      return await json(await send({ method: "POST", path: `/v1/link`, body: request.body }));
    },

    /** Change the group of the link. */
    async editLink(request: { body: GroupChoice }): Promise<Link> {
      return await json(await send({ method: "PATCH", path: `/v1/link`, body: request.body }));
    },

    /** End the link. */
    async endLink(): Promise<void> {
      await send({ method: "DELETE", path: `/v1/link` });
    },

    /** Approve a large first import. */
    async approveImport(): Promise<Link> {
      return await json(await send({ method: "POST", path: `/v1/link/approve` }));
    },

    /** List all links. */
    async listLinks(
      request: {
        /** Most items to return. The default is 50. */
        limit?: number | undefined;
        /** `nextCursor` of the previous page. Leave it out for the first page. */
        cursor?: string | undefined;
      } = {},
    ): Promise<LinkPage> {
      return await json(
        await send({
          method: "GET",
          path: `/v1/links`,
          query: { limit: request.limit, cursor: request.cursor },
        }),
      );
    },

    /** List reconciliations. */
    async listReconciliations(
      request: {
        /** Most items to return. The default is 50. */
        limit?: number | undefined;
        /** `nextCursor` of the previous page. Leave it out for the first page. */
        cursor?: string | undefined;
      } = {},
    ): Promise<ReconciliationPage> {
      return await json(
        await send({
          method: "GET",
          path: `/v1/reconciliations`,
          query: { limit: request.limit, cursor: request.cursor },
        }),
      );
    },

    /** Explain an envelope. */
    async explainEnvelope(request: {
      /** DocuSign's id of an envelope. */
      envelopeId: string;
    }): Promise<Explanation> {
      return await json(
        await send({ method: "GET", path: `/v1/envelopes/${encodeURIComponent(request.envelopeId)}` }),
      );
    },
  };
}
