import type { Response } from "express";
import { z } from "zod";
import { type Change, listChanges, publishChanges } from "../../store/contracts/changes.ts";
import { type ApiUses, type Endpoint, endpoint, NO_BODY, NO_PARAMETERS } from "./endpoint.ts";
import { CHANGES } from "./examples.ts";
import { limit, numberParameter } from "./fields.ts";
import { type change, changePage, contract } from "./schemas.ts";

const MOST_SECONDS = 30;

const QUERY = z.strictObject({
  after: numberParameter({
    most: Number.MAX_SAFE_INTEGER,
    description: "`next` of the previous answer. Leave it out for the first request.",
    example: 4710,
  }),
  limit,
  wait: numberParameter({
    most: MOST_SECONDS,
    description: "Seconds to wait if there is no change yet.",
    example: 0,
  }),
});

type Reading = { readonly tenant: string; readonly after: number; readonly limit: number };

export const changesEndpoint: Endpoint = endpoint(
  {
    id: "listChanges",
    method: "get",
    path: "/v1/changes",
    tag: "Changes",
    summary: "Follow changes",
    description:
      "Lists imports and deletions in an order that never changes. A reader that follows `next` sees every change exactly once. With `wait`, the answer comes as soon as there is a change, or after that many seconds.",
    scopes: ["contracts:read"],
    params: NO_PARAMETERS,
    query: QUERY,
    body: NO_BODY,
    answer: {
      status: 200,
      description: "The changes after `after`, oldest first.",
      schema: changePage,
      example: CHANGES,
    },
    patienceMs: MOST_SECONDS * 1_000,
    problems: {},
  },
  async (deps, { caller, query, response }) => {
    const { wait, ...rest } = query;
    const reading = { ...rest, tenant: caller.tenant };
    const changes =
      wait === 0 ? await read(deps, reading) : await readPatiently(deps, response, reading, wait);
    return { items: changes.map(toAnswer), next: changes.at(-1)?.sequence ?? query.after };
  },
);

async function read(
  { db, changeTurns }: Pick<ApiUses, "changeTurns" | "db">,
  { tenant, after, limit: most }: Reading,
): Promise<Change[]> {
  return await changeTurns(async () => {
    await publishChanges(db);
    return await listChanges(db, tenant, after, most);
  });
}

/** Reads at each announcement until there are changes, and a last time after `seconds` or if the reader disconnects. */
async function readPatiently(
  deps: Pick<ApiUses, "changeNews" | "changeTurns" | "db">,
  response: Response,
  reading: Reading,
  seconds: number,
): Promise<Change[]> {
  const patience = new AbortController();
  const end = (): void => patience.abort();
  const timer = setTimeout(end, seconds * 1_000);
  response.once("close", end);
  try {
    for (;;) {
      // Starts waiting before it reads, so that no announcement in between is missed.
      const news = deps.changeNews.waitFor(reading.tenant, patience.signal);
      const changes = await read(deps, reading);
      if (changes.length > 0) return changes;
      if ((await news) === "over") return await read(deps, reading);
    }
  } finally {
    clearTimeout(timer);
    response.off("close", end);
    end();
  }
}

/** The contract as recorded with the change, regardless of later changes to it. */
const RECORDED = contract.omit({ uploadedBy: true }).extend({ pages: z.int().nullable() }).strip();

function toAnswer({ sequence, type, contract: recorded }: Change): z.output<typeof change> {
  const { pages, ...fields } = RECORDED.parse(recorded);
  return {
    sequence,
    type,
    contract: { ...fields, uploadedBy: "DocuSign", ...(pages !== null && { pages }) },
  };
}
