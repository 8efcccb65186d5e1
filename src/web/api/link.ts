import { Refusal } from "../../domain/refusal.ts";
import { findCurrentLink } from "../../store/links/links.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import { beginLinking } from "../../usecases/linking/begin-linking.ts";
import { approveImport, editLink } from "../../usecases/linking/change-link.ts";
import { describeLink, type LinkDescription } from "../../usecases/linking/describe-link.ts";
import { endLink } from "../../usecases/linking/end-link.ts";
import { personOf } from "../auth/tokens.ts";
import { type Endpoint, endpoint, NO_BODY, NO_PARAMETERS } from "./endpoint.ts";
import { LINK } from "./examples.ts";
import { begunLinking, groupChoice, link } from "./schemas.ts";

const PATH = { path: "/v1/link", params: NO_PARAMETERS, query: NO_PARAMETERS } as const;
const NO_LINK = "No link is active.";
const NO_GROUP = "There is no such contract group.";

const reading = endpoint(
  {
    ...PATH,
    id: "getLink",
    method: "get",
    summary: "The tenant's link: state, totals, progress",
    scopes: ["links:read"],
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
    summary: "Begins a linking",
    description:
      "Only the browser of the person whom the token names can finish it, within 15 minutes. While the link is in error the same DocuSign user repairs it.",
    scopes: ["links:write"],
    body: groupChoice,
    bodyExample: { groupId: LINK.groupId },
    answer: {
      status: 201,
      description: "Where to send the owner's browser.",
      schema: begunLinking,
      example: {
        authorizationUrl: "https://account.docusign.com/oauth/auth?response_type=code&prompt=login",
      },
    },
    problems: { 409: "A link is active.", 422: NO_GROUP },
  },
  async (deps, { caller, body }) => await beginLinking(deps, personOf(caller), body.groupId),
);

const editing = endpoint(
  {
    ...PATH,
    id: "editLink",
    method: "patch",
    summary: "Sends imports from now on to another group",
    scopes: ["links:write"],
    body: groupChoice,
    bodyExample: { groupId: LINK.groupId },
    answer: { status: 200, description: "The link as it is now.", schema: link, example: LINK },
    problems: { 404: NO_LINK, 422: NO_GROUP },
  },
  async (deps, { caller, body }) => {
    await editLink(deps, personOf(caller), body.groupId);
    return await describeCurrent(deps, caller.tenant);
  },
);

const approval = endpoint(
  {
    ...PATH,
    path: "/v1/link/approve",
    id: "approveImport",
    method: "post",
    summary: "Lets a large first import begin",
    scopes: ["links:write"],
    body: NO_BODY,
    answer: { status: 200, description: "The link as it is now.", schema: link, example: LINK },
    problems: { 404: NO_LINK, 409: "No first import awaits approval." },
  },
  async (deps, { caller }) => {
    await approveImport(deps, personOf(caller));
    return await describeCurrent(deps, caller.tenant);
  },
);

const ending = endpoint(
  {
    ...PATH,
    id: "endLink",
    method: "delete",
    summary: "Ends the link",
    description:
      "Contracts and history remain. Where DocuSign cannot be reached, or does not remove them, it fails and the link is as before.",
    scopes: ["links:write"],
    body: NO_BODY,
    answer: { status: 204, description: "It has ended.", schema: null },
    problems: {
      404: NO_LINK,
      502: "DocuSign could not be reached, or did not do it; the link is as before.",
    },
  },
  async (deps, { caller }) => await endLink(deps, personOf(caller)),
);

export const linkEndpoints: readonly Endpoint[] = [reading, beginning, editing, ending, approval];

async function describeCurrent(
  deps: Uses<"db" | "now" | "reserveShare">,
  tenant: string,
): Promise<LinkDescription> {
  const current = await findCurrentLink(deps.db, tenant);
  if (current === null) throw new Refusal("link-not-found");
  return await describeLink(deps, current);
}
