import { z } from "zod";
import { listReconciliations, type Reconciliation } from "../../store/ledger/reconciliations.ts";
import { listAudit } from "../../store/links/audit.ts";
import { type Link, listLinkPage } from "../../store/links/links.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import { describeLink } from "../../usecases/linking/describe-link.ts";
import { type Endpoint, endpoint, NO_BODY, NO_PARAMETERS } from "./endpoint.ts";
import { PAST_LINK, RECONCILIATION } from "./examples.ts";
import { cursorParameter, limit, momentPosition, toPage } from "./fields.ts";
import { linkPage, type pastLink, type reconciliation, reconciliationPage } from "./schemas.ts";

const LIST = z.strictObject({ limit, cursor: cursorParameter(momentPosition) });

const links = endpoint(
  {
    id: "listLinks",
    method: "get",
    path: "/v1/links",
    tag: "History",
    summary: "List all links",
    description:
      "Newest first, including ended links. Each link has the periods that it imports and its audit trail.",
    scopes: ["links:read"],
    serviceTokens: "name-tenant",
    params: NO_PARAMETERS,
    query: LIST,
    body: NO_BODY,
    answer: {
      status: 200,
      description: "A page of links.",
      schema: linkPage,
      example: { items: [PAST_LINK], nextCursor: null },
    },
    problems: {},
  },
  async (deps, { caller, query }) => {
    const after = query.cursor === null ? null : { linkedAt: query.cursor.at, id: query.cursor.id };
    const rows = await listLinkPage(deps.db, caller.tenant, { limit: query.limit + 1, after });
    const page = toPage(rows, query.limit, {
      item: (row) => row,
      position: (row) => [row.linkedAt.toISOString(), row.id],
    });
    return { ...page, items: await withAudit(deps, page.items) };
  },
);

async function withAudit(
  deps: Uses<"db" | "now" | "reserveShare">,
  rows: readonly Link[],
): Promise<z.output<typeof pastLink>[]> {
  const answers: z.output<typeof pastLink>[] = [];
  for (const row of rows) {
    const trail = await listAudit(deps.db, row.id);
    const audit = trail.map(({ at, subject, action }) => ({ at, subject, action }));
    answers.push({ ...(await describeLink(deps, row)), audit });
  }
  return answers;
}

const reconciliations = endpoint(
  {
    id: "listReconciliations",
    method: "get",
    path: "/v1/reconciliations",
    tag: "History",
    summary: "List reconciliations",
    description:
      "Newest first. Each reports how many envelopes it listed, already knew, missed and excluded.",
    scopes: ["links:read"],
    serviceTokens: "name-tenant",
    params: NO_PARAMETERS,
    query: LIST,
    body: NO_BODY,
    answer: {
      status: 200,
      description: "A page of reconciliations.",
      schema: reconciliationPage,
      example: { items: [RECONCILIATION], nextCursor: null },
    },
    problems: {},
  },
  async (deps, { caller, query }) => {
    const after = query.cursor === null ? null : { startedAt: query.cursor.at, id: query.cursor.id };
    const rows = await listReconciliations(deps.db, caller.tenant, { limit: query.limit + 1, after });
    return toPage(rows, query.limit, {
      item: toAnswer,
      position: (row) => [row.startedAt.toISOString(), row.id],
    });
  },
);

export const historyEndpoints: readonly Endpoint[] = [links, reconciliations];

function toAnswer(run: Reconciliation): z.output<typeof reconciliation> {
  const { startedAt, endedAt } = run;
  return {
    id: run.id,
    linkId: run.linkId,
    kind: run.kind,
    state: run.state,
    from: run.from,
    to: run.to,
    startedAt,
    durationMs: endedAt === null ? null : Math.max(0, endedAt.getTime() - startedAt.getTime()),
    listed: run.listed,
    known: run.known,
    missed: run.missed,
    excluded: run.excluded,
    waiting: run.waiting,
    failed: run.failed,
    calls: run.calls,
    atDocuSign: run.atDocuSign,
    difference: run.difference,
  };
}
