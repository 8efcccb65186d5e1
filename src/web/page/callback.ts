import { type Request, Router } from "express";
import { parseReturnAddress, withResult } from "../../domain/return-address.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import { type FinishedLinking, finishLinking } from "../../usecases/linking/finish-linking.ts";
import { type ConfirmationUses, requireSignIn } from "../auth/confirmation.ts";
import { LONGEST_RETURN, signedInOf } from "../auth/session.ts";
import { showResult } from "./results.ts";

type Deps = Uses<
  | "adminProfiles"
  | "cabinetOrigins"
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
 * (service.md, settled details). Redirects to the page, or to the address in the cabinet that the linking named. The
 * outcome is in the address.
 */
export function callbackRoutes(deps: ConfirmationUses & Deps): Router {
  const router = Router();
  router.get("/links/docusign/callback", ...requireSignIn(deps), async (request, response) => {
    const { result, returnTo } = await finish(deps, request);
    // An origin may have left the list since the linking began.
    const address = returnTo === null ? null : parseReturnAddress(returnTo, deps.cabinetOrigins);
    if (address === null) await showResult(deps, request, response, result);
    else response.set("Cache-Control", "no-store").redirect(303, withResult(address, result));
  });
  return router;
}

async function finish(deps: Deps, request: Request): Promise<FinishedLinking> {
  const session = signedInOf(request);
  const state = text(request, "state");
  if (state === null) return { result: "expired", returnTo: null };
  if (session.role !== "owner") return { result: "failed", returnTo: null };
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
