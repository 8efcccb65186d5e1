import { type Request, type Response, Router, urlencoded } from "express";
import { z } from "zod";
import { type LinkId, parseUuid } from "../../domain/identifiers.ts";
import { Refusal, type RefusalCode } from "../../domain/refusal.ts";
import { findCurrentLink, findLink, type Link } from "../../store/links/links.ts";
import type { Uses } from "../../usecases/capabilities.ts";
import { beginLinking, type Owner } from "../../usecases/linking/begin-linking.ts";
import { approveImport, editLink, type LinkEdit } from "../../usecases/linking/change-link.ts";
import { endLink } from "../../usecases/linking/end-link.ts";
import { pauseLink, resumeLink } from "../../usecases/linking/pause-link.ts";
import { type ConfirmationUses, requireSignIn } from "../auth/confirmation.ts";
import { requireCsrf } from "../auth/csrf.ts";
import { requireOwner, signedInOf } from "../auth/session.ts";
import { sendOnward } from "../html/onward.ts";
import { showResult } from "./results.ts";
import type { ResultCode } from "./sections/messages.ts";

type Deps = Uses<
  | "adminProfiles"
  | "cabinetOrigins"
  | "db"
  | "documents"
  | "log"
  | "now"
  | "oauth"
  | "openAccount"
  | "page"
  | "publicUrl"
  | "vault"
>;

type Change = (deps: Deps, owner: Owner, form: unknown) => Promise<ResultCode>;

/**
 * The page's forms, for owners only. Each redirects to the page with its outcome, except a linking, which continues at
 * DocuSign.
 */
export function changeRoutes(deps: ConfirmationUses & Deps): Router {
  const router = Router();
  // A form's address can be typed, or reloaded after a sign-in: it has no page of its own.
  router.get(["/links/edit", "/links/approve", "/links/pause", "/links/resume"], (_request, response) =>
    response.redirect(303, "/links"),
  );
  const form = urlencoded({ extended: false, limit: "16kb" });
  router.post("/links{/*form}", requireSignIn(deps), form, requireCsrf(deps.publicUrl), requireOwner);
  router.post("/links", async (request, response) => await link(deps, request, response));
  for (const [path, change] of Object.entries(CHANGES)) {
    router.post(path, async (request, response) => {
      const result = await resultOf(() => change(deps, ownerOf(request), request.body));
      await showResult(deps, request, response, result);
    });
  }
  return router;
}

/** An empty field means no start date. The use case checks that it is not in the future. */
const START = z
  .union([z.literal(""), z.iso.date()])
  .transform((text) => text || null)
  .optional();
const LINKING = z.object({ group: z.string().min(1), service: z.literal("docusign") });
const OPTIONS = z.object({
  from: START,
  certificates: z.literal("yes").optional(),
  options: z.string().optional(),
});
const EDITING = z.object({ group: z.string().min(1), link: z.string() });
const ABOUT_LINK = z.object({ link: z.string() });

async function link(deps: ConfirmationUses & Deps, request: Request, response: Response): Promise<void> {
  const form = LINKING.safeParse(request.body);
  if (!form.success) {
    await showResult(deps, request, response, "incomplete");
    return;
  }
  const options = OPTIONS.safeParse(request.body);
  if (!options.success) {
    await showResult(deps, request, response, "invalid-start-date");
    return;
  }
  const wish = {
    groupId: form.data.group,
    from: options.data.from ?? null,
    certificates: options.data.certificates === "yes",
  };
  const begun = await refusable(() => beginLinking(deps, ownerOf(request), wish));
  if ("result" in begun) await showResult(deps, request, response, begun.result);
  else sendOnward(response, deps.page, { name: "DocuSign", address: begun.done.authorizationUrl });
}

const CHANGES: Readonly<Record<string, Change>> = {
  "/links/edit": async (deps, owner, body) => {
    const form = EDITING.safeParse(body);
    if (!form.success) return "incomplete";
    const { groupId } = await requireCurrent(deps, owner, form.data.link);
    const options = OPTIONS.safeParse(body);
    if (!options.success) return "invalid-start-date";
    await editLink(deps, owner, { groupId: form.data.group, ...editedOptions(options.data) });
    return form.data.group === groupId ? "settings-changed" : "edited";
  },
  "/links/approve": async (deps, owner, body) => {
    await requireCurrent(deps, owner, ABOUT_LINK.safeParse(body).data?.link);
    const options = OPTIONS.safeParse(body);
    if (!options.success) return "invalid-start-date";
    // A page of version 0.1 has no field, which leaves the start date as it is.
    const { from } = options.data;
    await approveImport(deps, owner, from === undefined ? {} : { from });
    return "approved";
  },
  "/links/pause": async (deps, owner, body) => {
    await requireCurrent(deps, owner, ABOUT_LINK.safeParse(body).data?.link);
    await pauseLink(deps, owner);
    return "paused";
  },
  "/links/resume": async (deps, owner, body) => {
    await requireCurrent(deps, owner, ABOUT_LINK.safeParse(body).data?.link);
    await resumeLink(deps, owner);
    return "resumed";
  },
  "/links/delete": async (deps, owner, body) => {
    const id = ABOUT_LINK.safeParse(body).data?.link;
    // A second click or a reload after the deletion: the link has already ended.
    if (await hasEnded(deps, owner, id)) return "deleted";
    await requireCurrent(deps, owner, id);
    return await deleteLink(deps, owner);
  },
};

/** The document store takes no tombstone: the page has one message for each deletion that could not be completed. */
async function deleteLink(deps: Deps, owner: Owner): Promise<ResultCode> {
  try {
    await endLink(deps, owner);
    return "deleted";
  } catch (error) {
    if (error instanceof Refusal && error.code === "unavailable") return "deletion-failed";
    throw error;
  }
}

/** A page of version 0.1 does not show the options, which then stay as they are. */
function editedOptions({ options, from, certificates }: z.infer<typeof OPTIONS>): Omit<LinkEdit, "groupId"> {
  if (options === undefined) return {};
  return { certificates: certificates === "yes", ...(from !== undefined && { from }) };
}

/** An open page may show a link that has ended since. Its forms must not change the current link. */
async function requireCurrent({ db }: Uses<"db">, owner: Owner, id: string | undefined): Promise<Link> {
  const current = await findCurrentLink(db, owner.tenant);
  if (current === null || current.id !== id) throw new Refusal("link-not-found");
  return current;
}

async function hasEnded({ db }: Uses<"db">, owner: Owner, id: string | undefined): Promise<boolean> {
  const linkId = parseUuid<LinkId>(id);
  const found = linkId === null ? null : await findLink(db, linkId);
  return found !== null && found.tenant === owner.tenant && found.state === "ended";
}

const RESULTS: Partial<Record<RefusalCode, ResultCode>> = {
  "group-not-found": "group-not-found",
  "link-not-found": "link-not-found",
  "link-active": "already-linked",
  // A second click: the first one has already started the import.
  "not-awaiting-approval": "approved",
  "not-active": "paused",
  "not-paused": "resumed",
  "deletion-failed": "deletion-failed",
  // Only the start date of a form can still be invalid when a use case gets it.
  malformed: "invalid-start-date",
};

/** Turns refusals that have a message into results. All other errors reach the router's error handler. */
async function refusable<T>(work: () => Promise<T>): Promise<{ done: T } | { result: ResultCode }> {
  try {
    return { done: await work() };
  } catch (error) {
    const result = error instanceof Refusal ? RESULTS[error.code] : undefined;
    if (result === undefined) throw error;
    return { result };
  }
}

async function resultOf(change: () => Promise<ResultCode>): Promise<ResultCode> {
  const ended = await refusable(change);
  return "result" in ended ? ended.result : ended.done;
}

function ownerOf(request: Request): Owner {
  const { tenant, subject, name } = signedInOf(request);
  return { tenant, subject, name };
}
