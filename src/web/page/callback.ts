import { type Request, Router } from "express";
import type { Uses } from "../../usecases/capabilities.ts";
import { finishLinking, type LinkingResult } from "../../usecases/linking/finish-linking.ts";
import { type ConfirmationUses, requireSignIn } from "../auth/confirmation.ts";
import { LONGEST_RETURN, signedInOf } from "../auth/session.ts";
import { showResult } from "./results.ts";

type Deps = Uses<
  | "adminProfiles"
  | "db"
  | "largeImport"
  | "log"
  | "now"
  | "oauth"
  | "openAccount"
  | "openWithToken"
  | "publicUrl"
  | "vault"
>;

/**
 * `GET /links/docusign/callback`: DocuSign redirects the owner's browser here. Only a page session of the owner who
 * started the linking can finish it. Without a session, the browser signs in at the cabinet first and returns here
 * (service.md, settled details). Always redirects to the page, with the outcome in the address.
 */
export function callbackRoutes(deps: ConfirmationUses & Deps): Router {
  const router = Router();
  router.get("/links/docusign/callback", ...requireSignIn(deps), async (request, response) => {
    await showResult(deps, request, response, await finish(deps, request));
  });
  return router;
}

async function finish(deps: Deps, request: Request): Promise<LinkingResult> {
  const session = signedInOf(request);
  const state = text(request, "state");
  if (state === null) return "expired";
  if (session.role !== "owner") return "failed";
  const owner = { tenant: session.tenant, subject: session.subject, name: session.name };
  return await finishLinking(deps, owner, {
    state,
    code: text(request, "code"),
    error: text(request, "error"),
  });
}

function text(request: Request, name: string): string | null {
  const value = request.query[name];
  return typeof value === "string" && value !== "" && value.length <= LONGEST_RETURN ? value : null;
}
