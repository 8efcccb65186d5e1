import type { Response } from "express";
import { z } from "zod";
import { FEED_TYPES, type FeedPage, type FeedType } from "../../../store/contracts/feed.ts";
import { type Caller } from "../../auth/tokens.ts";
import { RequestFault } from "../../request-fault.ts";
import { type ApiUses, type Endpoint, endpointOfAllTenants, NO_BODY, NO_PARAMETERS } from "../endpoint.ts";
import { CHANGES } from "../examples.ts";
import { limit, numberParameter } from "../fields.ts";
import { changePage } from "../schemas.ts";
import type { FeedRequest } from "./feed-reader.ts";
import { toItem } from "./items.ts";

const MOST_SECONDS = 30;
/** A waiting request of the tenant may have ended by then. */
const RETRY_AFTER_S = 5;
/** Thrown again each time, since a stack would make refusals expensive. */
const TOO_MANY = new RequestFault(429, "too many waiting requests");

const position = numberParameter({
  most: Number.MAX_SAFE_INTEGER,
  description:
    "`next` of the previous answer. Leave it out for the first request. `latest` returns no items and the current end as `next`.",
  example: 1_774_969_202_345_000,
});

const QUERY = z.strictObject({
  after: z
    .union([z.literal("latest"), position], { error: "must be `latest` or the `next` of an answer" })
    .default(0)
    .meta({
      ...position.meta(),
      type: undefined,
      minimum: undefined,
      maximum: undefined,
      anyOf: [{ type: "integer", minimum: 0 }, { const: "latest" }],
      default: 0,
    }),
  types: z
    .string()
    .transform((text, context): ReadonlySet<FeedType> => {
      const names = text.split(",");
      const types = FEED_TYPES.filter((type) => names.includes(type));
      if (names.every((name) => types.some((type) => type === name))) return new Set(types);
      context.addIssue({
        code: "custom",
        message: `must be a comma-separated list of ${FEED_TYPES.join(", ")}`,
      });
      return z.NEVER;
    })
    .default(new Set<FeedType>(["imported", "deleted"]))
    .meta({
      default: "imported,deleted",
      param: {
        description:
          "Comma-separated types of the changes to return: `imported`, `deleted`, `link`, `restored`. `next` moves past changes of other types.",
        example: "imported,deleted,link",
      },
    }),
  limit,
  wait: numberParameter({
    most: MOST_SECONDS,
    description: "Seconds to wait if there is no change yet.",
    example: 0,
  }),
});

export const changesEndpoint: Endpoint = endpointOfAllTenants(
  {
    id: "listChanges",
    method: "get",
    path: "/v1/changes",
    tag: "Changes",
    summary: "Follow changes",
    description:
      "Lists imports and deletions in an order that never changes, and by `types` also what happens to links. A reader that follows `next` sees every change exactly once. With `wait`, the answer comes as soon as there is a change, or after that many seconds.\n\n" +
      "A service token reads the changes of all tenants in one order; each item then has `tenant`.",
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
  async ({ feed, repeatedReads }, { caller, query, response }) => {
    const { tenant } = caller;
    const { wait, after, ...rest } = query;
    const reader = { group: groupOf(caller), tenant };
    if (after === "latest") return { items: [], next: await feed.latest(reader) };
    const request = { ...reader, ...rest, after };
    const { entries, next } =
      wait === 0 ? await feed.read(request) : await waitFor(feed, request, response, wait);
    if (entries.length > 0) repeatedReads.note(clientOf(caller, [...rest.types]), after);
    return { items: entries.map((entry) => toItem(entry, { named: tenant === null })), next };
  },
);

/** Service tokens read the same feed, so each counts by its subject. */
function groupOf({ tenant, subject }: Caller): string {
  return JSON.stringify(tenant === null ? [null, subject] : [tenant]);
}

/** One service may run a reader for each choice of types. */
function clientOf({ tenant, subject }: Caller, types: readonly string[]): string {
  return JSON.stringify([tenant, subject, ...types]);
}

async function waitFor(
  feed: ApiUses["feed"],
  request: FeedRequest,
  response: Response,
  seconds: number,
): Promise<FeedPage> {
  const patience = new AbortController();
  const end = (): void => patience.abort();
  const timer = setTimeout(end, seconds * 1_000);
  response.once("close", end);
  try {
    const page = await feed.wait(request, patience.signal);
    if (page !== null) return page;
    response.set("Retry-After", String(RETRY_AFTER_S));
    throw TOO_MANY;
  } finally {
    clearTimeout(timer);
    response.off("close", end);
  }
}
