import { z } from "zod";
import { listTenants } from "../../store/links/tenants.ts";
import { tenantName } from "../auth/tokens.ts";
import { type Endpoint, endpointOfAllTenants, NO_BODY, NO_PARAMETERS } from "./endpoint.ts";
import { TENANT } from "./examples.ts";
import { cursorParameter, limit, toPage } from "./fields.ts";
import { tenantPage } from "./schemas.ts";

const position = z.tuple([tenantName]).transform(([tenant]) => tenant);
const LIST = z.strictObject({ limit, cursor: cursorParameter(position) });

export const tenantsEndpoint: Endpoint = endpointOfAllTenants(
  {
    id: "listTenants",
    method: "get",
    path: "/v1/tenants",
    tag: "Tenants",
    summary: "List tenants",
    description: "Lists all tenants that have data, with the state of their link. Only for service tokens.",
    scopes: ["links:read"],
    serviceTokens: "only",
    params: NO_PARAMETERS,
    query: LIST,
    body: NO_BODY,
    answer: {
      status: 200,
      description: "A page of tenants.",
      schema: tenantPage,
      example: { items: [TENANT], nextCursor: null },
    },
    problems: {},
  },
  async (deps, { query }) => {
    const rows = await listTenants(deps.db, { limit: query.limit + 1, after: query.cursor });
    return toPage(rows, query.limit, { item: (row) => row, position: ({ tenant }) => [tenant] });
  },
);
