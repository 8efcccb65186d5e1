import { type Request, type Response, Router } from "express";
import { Refusal } from "../../domain/refusal.ts";
import { listGroups } from "../../store/links/groups.ts";
import { findCurrentLink } from "../../store/links/links.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import { describeLink } from "../../usecases/linking/describe-link.ts";
import { type ConfirmationUses, requireSignIn } from "../auth/confirmation.ts";
import { requireOwner, signedInOf } from "../auth/session.ts";
import { assetRoutes } from "../html/assets.ts";
import type { Html } from "../html/html.ts";
import { layout } from "../html/layout.ts";
import { sendContractsCsv } from "./contracts-csv.ts";
import { linksContent } from "./links.ts";
import { showResult, takeResult } from "./results.ts";
import { parseSearch, readContracts } from "./sections/contracts.ts";
import { deletionPage } from "./sections/deletion.ts";
import { envelopesContent, envelopesTitle, parseOutcome, readEnvelopes } from "./sections/envelopes.ts";
import { livePart } from "./sections/first-import.ts";
import { inquire } from "./sections/inquiry.ts";
import { messageFor } from "./sections/messages.ts";
import { readLink, readPage } from "./view.ts";
import { visitorOf } from "./visitor.ts";

type Deps = ConfirmationUses &
  Uses<"budgets" | "db" | "importTiming" | "openAccount" | "page" | "reserveShare">;

/**
 * The page 電子契約サービス連携: `GET /links` shows everything, `/links/progress` the live part, and `/links/delete`
 * asks before a deletion. `/links/envelopes` lists the envelopes behind a count, `/links/contracts.csv` the contracts. Visitors without a session are redirected to the sign-in.
 */
export function linksPageRoutes(deps: Deps): Router {
  const router = Router();
  const signedIn = requireSignIn(deps);
  router.use(assetRoutes());
  router.get("/links", ...signedIn, async (request, response) => await showLinks(deps, request, response));
  router.get("/links/progress", ...signedIn, async (request, response) => {
    await showProgress(deps, request, response);
  });
  router.get("/links/delete", ...signedIn, requireOwner, async (request, response) => {
    await askBeforeDeletion(deps, request, response);
  });
  router.get("/links/envelopes", ...signedIn, async (request, response) => {
    await showEnvelopes(deps, request, response);
  });
  router.get("/links/contracts.csv", ...signedIn, async (request, response) => {
    const q = parseSearch(request.query["q"]);
    await sendContractsCsv(deps, { tenant: signedInOf(request).tenant, q }, response);
  });
  return router;
}

/** Replaces sign-in, callback and page if the cabinet's client is not configured. Refuses with `unavailable`. */
export function unconfiguredRoutes(): Router {
  const router = Router();
  router.use(assetRoutes());
  router.use(["/links", "/sign-in", "/sign-out"], () => {
    throw new Refusal(
      "unavailable",
      "この画面は設定されていません。管理者の方は、CABINET_ISSUER、CABINET_CLIENT_ID、CABINET_CLIENT_SECRETを設定してください。",
    );
  });
  return router;
}

async function showLinks(deps: Deps, request: Request, response: Response): Promise<void> {
  const { tenant } = signedInOf(request);
  const view = await readPage(deps, tenant);
  const message = messageFor(await takeResult(deps, request), view.current?.link.state ?? null);
  const inquiry = await inquire(deps, tenant, request.query["envelope"]);
  const visitor = visitorOf(request);
  const editing = request.query["edit"] !== undefined;
  const contracts = await readContracts(deps, tenant, request.query);
  const { page: settings } = deps;
  const content = linksContent({ view, visitor, message, inquiry, editing, contracts, settings });
  const title = message?.tone === "bad" ? "エラー" : "";
  send(response, layout({ settings, title, visitor, content }));
}

async function showProgress(
  deps: Uses<"budgets" | "db" | "now" | "reserveShare">,
  request: Request,
  response: Response,
): Promise<void> {
  const link = await findCurrentLink(deps.db, signedInOf(request).tenant);
  if (link === null) throw new Refusal("link-not-found");
  send(response, livePart(await readLink(deps, link)));
}

async function showEnvelopes(deps: Deps, request: Request, response: Response): Promise<void> {
  const outcome = parseOutcome(request.query["outcome"]);
  if (outcome === null) throw new Refusal("not-found");
  const link = await findCurrentLink(deps.db, signedInOf(request).tenant);
  if (link === null) throw new Refusal("link-not-found");
  const list = await readEnvelopes(deps, link, { outcome, after: request.query["after"] });
  const title = envelopesTitle(outcome);
  const content = envelopesContent(list);
  send(response, layout({ settings: deps.page, title, visitor: visitorOf(request), content }));
}

async function askBeforeDeletion(deps: Deps, request: Request, response: Response): Promise<void> {
  const { tenant } = signedInOf(request);
  const link = await findCurrentLink(deps.db, tenant);
  if (link === null) {
    await showResult(deps, request, response, "link-not-found");
    return;
  }
  const visitor = visitorOf(request);
  const groups = await listGroups(deps.db, tenant);
  const content = deletionPage(visitor, await describeLink(deps, link), groups);
  send(response, layout({ settings: deps.page, title: "連携の削除", visitor, content }));
}

function send(response: Response, page: Html): void {
  response.type("html").send(page.toString());
}
