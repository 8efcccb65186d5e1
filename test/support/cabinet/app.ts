import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type Response,
  urlencoded,
} from "express";
import { errors, type Provider } from "oidc-provider";
import { choicePage, messagePage, startPage } from "./pages.ts";
import type { Person } from "./people.ts";
import { providerOf, type State, tokenOf } from "./state.ts";

const ALL_SCOPES = "contracts:read contracts:write groups:write links:read links:write";

/** The cabinet's addresses: where to choose who one is, tokens for curl, and the provider's own. */
export function createApp(state: State): Express {
  const app = express();
  app.disable("x-powered-by");
  app.get("/", (_request, response) => {
    response.type("html").send(startPage(state.issuer, [...state.people.values()]).toString());
  });
  app.get("/demo/token", async (request, response) => {
    const { tenant, scope } = request.query;
    const options = { tenant: String(tenant ?? ""), scope: typeof scope === "string" ? scope : ALL_SCOPES };
    response.type("text").send(`${await tokenOf(state, options)}\n`);
  });
  app.get("/sign-in/:uid", (request, response) => askWho(state, request, response));
  app.post("/sign-in/:uid", urlencoded({ extended: false }), (request, response) =>
    takeChoice(state, request, response),
  );
  app.use((request, response) => providerOf(state).callback()(request, response));
  app.use(showStaleSignIn);
  return app;
}

const showStaleSignIn: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (!(error instanceof errors.SessionNotFound)) {
    next(error);
    return;
  }
  const page = messagePage(
    "サインインできません",
    "このサインインは終わっています。はじめからやり直してください。",
  );
  response.status(400).type("html").send(page.toString());
};

async function askWho(state: State, request: Request, response: Response): Promise<void> {
  const person = state.awaited.shift();
  if (person !== undefined) return finish(state, request, response, person);
  response.type("html").send(choicePage(request.originalUrl, [...state.people.values()]).toString());
}

async function takeChoice(state: State, request: Request, response: Response): Promise<void> {
  const form = new Map<string, unknown>(Object.entries(request.body ?? {}));
  return finish(state, request, response, state.people.get(String(form.get("sub"))) ?? null);
}

async function finish(
  state: State,
  request: Request,
  response: Response,
  person: Person | null,
): Promise<void> {
  const provider = providerOf(state);
  const { session } = await provider.interactionDetails(request, response);
  const result =
    person === null
      ? { error: "access_denied", error_description: "the person went away" }
      : { login: { accountId: person.sub } };
  const next = await provider.interactionResult(request, response, result, {
    mergeWithLastSubmission: false,
  });
  if (session !== undefined && session.accountId !== person?.sub)
    await forgetWhoIsSignedIn(provider, session.uid);
  response.redirect(303, next);
}

/** Otherwise the provider puts a page that submits itself by script before a change of person. */
async function forgetWhoIsSignedIn(provider: Provider, sessionUid: string): Promise<void> {
  const session = await provider.Session.findByUid(sessionUid);
  if (session === undefined) return;
  delete session.accountId;
  session.authorizations = {};
  await session.persist();
}
