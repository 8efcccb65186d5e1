import { Refusal } from "../../domain/refusal.ts";
import { findCurrentLink } from "../../store/links/links.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import { beginLinking } from "../../usecases/linking/begin-linking.ts";
import { approveImport, editLink } from "../../usecases/linking/change-link.ts";
import { describeLink, type LinkDescription } from "../../usecases/linking/describe-link.ts";
import { endLink } from "../../usecases/linking/end-link.ts";
import { pauseLink, resumeLink } from "../../usecases/linking/pause-link.ts";
import { personOf } from "../auth/tokens.ts";
import { LINKING_RESULTS } from "./codes.ts";
import { type Endpoint, endpoint, NO_BODY, NO_PARAMETERS } from "./endpoint.ts";
import { LINK, PAUSED_LINK } from "./examples.ts";
import { approval as approvalWish, begunLinking, link, linkEdit, linkingWish } from "./schemas.ts";

const PATH = { path: "/v1/link", params: NO_PARAMETERS, query: NO_PARAMETERS } as const;
const NO_LINK = "The tenant has no link.";
const NO_GROUP = "The contract group does not exist.";

const reading = endpoint(
  {
    ...PATH,
    id: "getLink",
    method: "get",
    tag: "Link",
    summary: "Get the link",
    description: "The tenant's link with its state, totals and progress. Ended links are in the history.",
    scopes: ["links:read"],
    serviceTokens: "name-tenant",
    body: NO_BODY,
    answer: { status: 200, description: "The link.", schema: link, example: LINK },
    problems: { 404: NO_LINK },
  },
  async (deps, { caller }) => await describeCurrent(deps, caller.tenant),
);

const beginning = endpoint(
  {
    ...PATH,
    id: "beginLinking",
    method: "post",
    tag: "Link",
    summary: "Start linking a DocuSign account",
    description:
      "Redirect the owner's browser to `authorizationUrl`. Only the person in the token's `sub` can finish the linking, within 15 minutes. If the link is in state `error`, the same DocuSign user repairs it by logging in; the options are then ignored.\n\n" +
      "The browser returns to `/links?result=CODE`, or to `returnTo` with `result=CODE` in its query. An unknown or expired attempt returns to `/links`. More codes may be added.\n\n" +
      LINKING_RESULTS,
    scopes: ["links:write"],
    body: linkingWish,
    bodyExample: { groupId: LINK.groupId },
    answer: {
      status: 201,
      description: "The address for the owner's browser.",
      schema: begunLinking,
      example: {
        authorizationUrl: "https://account.docusign.com/oauth/auth?response_type=code&prompt=login",
      },
    },
    problems: { 409: "The tenant already has a link.", 422: NO_GROUP },
  },
  async (deps, { caller, body }) => await beginLinking(deps, personOf(caller), body),
);

const editing = endpoint(
  {
    ...PATH,
    id: "editLink",
    method: "patch",
    tag: "Link",
    summary: "Edit the link",
    description:
      "Future imports go into the group. Existing contracts stay in their group.\n\nThe start date can only move earlier, or stay. Envelopes that it excluded are then judged again. An imported envelope stays imported.",
    scopes: ["links:write"],
    body: linkEdit,
    bodyExample: { groupId: LINK.groupId },
    answer: { status: 200, description: "The changed link.", schema: link, example: LINK },
    problems: { 404: NO_LINK, 422: NO_GROUP },
  },
  async (deps, { caller, body }) => {
    await editLink(deps, personOf(caller), body);
    return await describeCurrent(deps, caller.tenant);
  },
);

const approval = endpoint(
  {
    ...PATH,
    path: "/v1/link/approve",
    id: "approveImport",
    method: "post",
    tag: "Link",
    summary: "Approve a large first import",
    description:
      "Starts the first import of a link in state `awaiting-approval`. A start date in the body replaces the one of the link. The body may be absent.",
    scopes: ["links:write"],
    body: approvalWish.optional(),
    bodyExample: {},
    answer: { status: 200, description: "The changed link.", schema: link, example: LINK },
    problems: { 404: NO_LINK, 409: "The link is not in state `awaiting-approval`." },
  },
  async (deps, { caller, body }) => {
    await approveImport(deps, personOf(caller), body);
    return await describeCurrent(deps, caller.tenant);
  },
);

const pausing = endpoint(
  {
    ...PATH,
    path: "/v1/link/pause",
    id: "pauseLink",
    method: "post",
    tag: "Link",
    summary: "Pause the link",
    description:
      "Events are still recorded, but nothing is listed or imported until the link is resumed. The user's admin right is checked once a day.",
    scopes: ["links:write"],
    body: NO_BODY,
    answer: { status: 200, description: "The paused link.", schema: link, example: PAUSED_LINK },
    problems: { 404: NO_LINK, 409: "The link is not in state `active`." },
  },
  async (deps, { caller }) => {
    await pauseLink(deps, personOf(caller));
    return await describeCurrent(deps, caller.tenant);
  },
);

const resumption = endpoint(
  {
    ...PATH,
    path: "/v1/link/resume",
    id: "resumeLink",
    method: "post",
    tag: "Link",
    summary: "Resume the link",
    description: "A reconciliation then accounts for everything that completed during the pause.",
    scopes: ["links:write"],
    body: NO_BODY,
    answer: { status: 200, description: "The resumed link.", schema: link, example: LINK },
    problems: { 404: NO_LINK, 409: "The link is not in state `paused`." },
  },
  async (deps, { caller }) => {
    await resumeLink(deps, personOf(caller));
    return await describeCurrent(deps, caller.tenant);
  },
);

const ending = endpoint(
  {
    ...PATH,
    id: "endLink",
    method: "delete",
    tag: "Link",
    summary: "End the link",
    description:
      "Removes the service's Connect configurations from DocuSign. Contracts and history remain. If DocuSign cannot be reached or does not remove the configurations, the link is unchanged.",
    scopes: ["links:write"],
    body: NO_BODY,
    answer: { status: 204, description: "The link has ended.", schema: null },
    problems: {
      404: NO_LINK,
      502: "DocuSign could not be reached or did not remove the configurations. The link is unchanged.",
    },
  },
  async (deps, { caller }) => await endLink(deps, personOf(caller)),
);

export const linkEndpoints: readonly Endpoint[] = [
  reading,
  beginning,
  editing,
  ending,
  approval,
  pausing,
  resumption,
];

async function describeCurrent(
  deps: Uses<"db" | "now" | "reserveShare">,
  tenant: string,
): Promise<LinkDescription> {
  const current = await findCurrentLink(deps.db, tenant);
  if (current === null) throw new Refusal("link-not-found");
  return await describeLink(deps, current);
}
