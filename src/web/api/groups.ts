import { z } from "zod";
import { listGroupPage } from "../../store/links/groups.ts";
import { deleteGroup, putGroup } from "../../usecases/linking/change-groups.ts";
import { type Endpoint, endpoint, NO_BODY, NO_PARAMETERS } from "./endpoint.ts";
import { GROUP } from "./examples.ts";
import { cursorParameter, groupId, limit, toPage } from "./fields.ts";
import { group, groupName, groupPage } from "./schemas.ts";

const GROUP_ID = z.strictObject({
  id: groupId.meta({ param: { example: GROUP.id } }),
});

const position = z.tuple([groupName.shape.name, groupId]).transform(([name, id]) => ({ name, id }));
const LIST = z.strictObject({ limit, cursor: cursorParameter(position) });

const listing = endpoint(
  {
    id: "listGroups",
    method: "get",
    path: "/v1/groups",
    tag: "Groups",
    summary: "List contract groups",
    description: "The tenant's groups, ordered by name.",
    scopes: ["groups:write", "links:read"],
    serviceTokens: "name-tenant",
    params: NO_PARAMETERS,
    query: LIST,
    body: NO_BODY,
    answer: {
      status: 200,
      description: "A page of groups.",
      schema: groupPage,
      example: { items: [GROUP], nextCursor: null },
    },
    problems: {},
  },
  async (deps, { caller, query }) => {
    const page = { limit: query.limit + 1, after: query.cursor };
    const rows = await listGroupPage(deps.db, caller.tenant, page);
    return toPage(rows, query.limit, { item: (row) => row, position: ({ name, id }) => [name, id] });
  },
);

const putting = endpoint(
  {
    id: "putGroup",
    method: "put",
    path: "/v1/groups/{id}",
    tag: "Groups",
    summary: "Create or rename a group",
    description: "Also restores a deleted group. Imports that waited for the group continue.",
    scopes: ["groups:write"],
    params: GROUP_ID,
    refuseParams: "malformed",
    query: NO_PARAMETERS,
    body: groupName,
    bodyExample: { name: GROUP.name },
    answer: { status: 200, description: "The group.", schema: group, example: GROUP },
    problems: {},
  },
  async (deps, { caller, params, body }) => {
    const saved = { id: params.id, name: body.name };
    await putGroup(deps, caller.tenant, saved);
    return saved;
  },
);

const deletion = endpoint(
  {
    id: "deleteGroup",
    method: "delete",
    path: "/v1/groups/{id}",
    tag: "Groups",
    summary: "Delete a group",
    description:
      "The group's contracts remain. If a link imports into the group, its imports wait until an owner chooses another group. Deleting a group again changes nothing.",
    scopes: ["groups:write"],
    params: GROUP_ID,
    query: NO_PARAMETERS,
    body: NO_BODY,
    answer: { status: 204, description: "The group is deleted.", schema: null },
    problems: { 404: "The id does not have the form of a group id." },
  },
  async (deps, { caller, params }) => {
    await deleteGroup(deps, caller.tenant, params.id);
  },
);

export const groupEndpoints: readonly Endpoint[] = [listing, putting, deletion];
