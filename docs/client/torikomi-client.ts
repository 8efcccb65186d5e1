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
  /** For the next page; null on the last one. */
  nextCursor: string | null;
};

export type Contract = {
  id: string;
  tenant: string;
  /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
  groupId: string;
  /** As in DocuSign, unchanged. */
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
  /** `urn:torikomi:problem:` and a stable code. */
  type: string;
  title: string;
  status: number;
  detail?: string;
  /** Names the request; support asks for it. */
  instance?: string;
};

export type ChangePage = {
  items: Change[];
  /** `after` of the next request; always there. */
  next: number;
};

export type Change = {
  /** Grows strictly; there may be gaps. */
  sequence: number;
  type: "imported" | "deleted";
  contract: Contract;
};

export type GroupPage = {
  items: Group[];
  /** For the next page; null on the last one. */
  nextCursor: string | null;
};

export type Group = {
  /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
  id: string;
  name: string;
};

export type Link = {
  id: string;
  state: "active" | "awaiting-approval" | "error" | "ended";
  cause: {
    code: "authorization-revoked" | "not-admin" | "group-missing";
    /** For a person, in Japanese: what happened and what to do. */
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
  /** Sent envelopes from here on; null: all history. */
  sentFrom: string | null;
  /** Received envelopes from here on; null: all history. */
  receivedFrom: string | null;
  /** Once ended: up to here all sent envelopes are accounted for. */
  sentUntil: string | null;
  /** Once ended: the same for received envelopes. */
  receivedUntil: string | null;
  /** `active`, or why DocuSign sends no events: imports then come by the hour only. Both null once the link has ended. */
  connect: {
    sent: string | null;
    received: string | null;
  };
  totals: {
    /** The sum of the other four. */
    atDocuSign: number;
    imported: number;
    excluded: number;
    deleted: number;
    /** Those counted at linking among them, until a large first import is listed. */
    waiting: number;
  };
  excludedByRule: Record<string, number> | null;
  /** `estimatedEnd` is null once it is through; all is null once the link has ended. */
  firstImport: {
    done: number;
    total: number;
    estimatedEnd: string | null;
  } | null;
  lastReconciliation: string | null;
  nextReconciliation: string | null;
};

export type BegunLinking = {
  /** Where to send the owner's browser. */
  authorizationUrl: string;
};

export type LinkPage = {
  items: PastLink[];
  /** For the next page; null on the last one. */
  nextCursor: string | null;
};

export type PastLink = {
  id: string;
  state: "active" | "awaiting-approval" | "error" | "ended";
  cause: {
    code: "authorization-revoked" | "not-admin" | "group-missing";
    /** For a person, in Japanese: what happened and what to do. */
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
  /** Sent envelopes from here on; null: all history. */
  sentFrom: string | null;
  /** Received envelopes from here on; null: all history. */
  receivedFrom: string | null;
  /** Once ended: up to here all sent envelopes are accounted for. */
  sentUntil: string | null;
  /** Once ended: the same for received envelopes. */
  receivedUntil: string | null;
  /** `active`, or why DocuSign sends no events: imports then come by the hour only. Both null once the link has ended. */
  connect: {
    sent: string | null;
    received: string | null;
  };
  totals: {
    /** The sum of the other four. */
    atDocuSign: number;
    imported: number;
    excluded: number;
    deleted: number;
    /** Those counted at linking among them, until a large first import is listed. */
    waiting: number;
  };
  excludedByRule: Record<string, number> | null;
  /** `estimatedEnd` is null once it is through; all is null once the link has ended. */
  firstImport: {
    done: number;
    total: number;
    estimatedEnd: string | null;
  } | null;
  lastReconciliation: string | null;
  nextReconciliation: string | null;
  /** Who did what, the oldest first. */
  audit: {
    at: string;
    /** `sub` of who did it. */
    subject: string;
    /** `linked`, `repaired`, `edited`, `approved`, `ended`. */
    action: string;
  }[];
};

export type ReconciliationPage = {
  items: Reconciliation[];
  /** For the next page; null on the last one. */
  nextCursor: string | null;
};

export type Reconciliation = {
  id: string;
  linkId: string;
  kind: "first" | "hourly" | "full" | "manual" | "closing";
  state: "running" | "done" | "failed";
  from: string;
  /** Envelopes that completed before this were looked at. */
  to: string;
  startedAt: string;
  durationMs: number | null;
  listed: number;
  known: number;
  /** To be imported, and no event had told of them. */
  missed: number;
  /** By rule. */
  excluded: Record<string, number>;
  waiting: number;
  /** Of those that wait: tried for days, and from now on once an hour. */
  failed: number;
  calls: number;
  /** Full checks, once a day: what DocuSign listed in all. */
  atDocuSign: number | null;
  /** Full checks: what differs; null where nothing does. */
  difference: {
    atDocuSign: number;
    inLedger: number;
    /** Known here, but no longer listed by DocuSign: mostly deleted there. */
    unlisted: {
      count: number;
      envelopeIds: string[];
    };
    /** Listed, but not to be read as envelopes. */
    unreadable: number;
    /** Counted by DocuSign, but not listed. */
    uncounted: number;
  } | null;
};

export type Explanation = {
  envelopeId: string;
  outcome: "imported" | "excluded" | "deleted" | "waiting" | "unknown";
  /** A stable code. */
  reason: string;
  /** For the customer; Japanese, or English by Accept-Language. */
  text: string;
  /** What the decision rests on. */
  facts: Record<string, unknown>;
  events: {
    event: string;
    format: string;
    generatedAt: string | null;
    receivedAt: string;
  }[];
  /** All that came of it; deleted ones are remembered. */
  contracts: {
    id: string;
    tenant: string;
    /** Id of a contract group: 1 to 64 characters of A-Z a-z 0-9 . _ - */
    groupId: string;
    /** As in DocuSign, unchanged. */
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
  lastError: string | null;
  /** The link that judged it last; null: nothing is recorded of it. */
  linkId: string | null;
  decidedAt: string | null;
  waitingFor: {
    reason: string;
    until: string | null;
  } | null;
};

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
