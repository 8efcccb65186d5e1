import { type Answer, DocuSignError, type Exchange, type Route, type Template } from "./exchange.ts";
import type { ListingHabits } from "./faults.ts";
import type { CallLimits } from "./limits.ts";
import type { OAuth } from "./oauth.ts";
import type { DocuSignSchema } from "./schema.ts";
import { type Account, type DocuSignState, membershipOf, type User } from "./state.ts";
import { bearerToken } from "./token-routes.ts";

export type RestParts = {
  readonly state: DocuSignState;
  readonly oauth: OAuth;
  readonly limits: CallLimits;
  readonly problems: string[];
  /** Null if nothing is validated. */
  readonly schema: DocuSignSchema | null;
  readonly includesIgnored: () => boolean;
  readonly listingHabits: () => ListingHabits;
};

/** A call of the API that came from a member of the account. */
export type RestCall = {
  readonly account: Account;
  readonly user: User;
  readonly query: URLSearchParams;
  readonly params: Readonly<Record<string, string>>;
  /** The JSON of the body; undefined if there was none. */
  readonly json: unknown;
};

export type RestHandler = (call: RestCall) => Answer;

/**
 * A route of the eSignature API: proves the token and the membership, counts the call, holds request and
 * answer against DocuSign's description, and puts the rate-limit headers on.
 * `understands` names the query parameters that the handler honours; any other is a problem.
 */
export function restRoute(
  parts: RestParts,
  method: Route["method"],
  template: Template,
  { understands = [], handle }: { understands?: readonly string[]; handle: RestHandler },
): Route {
  const official = `/v2.1/accounts/{accountId}${template === "/accounts/{accountId}" ? "" : template}`;
  return {
    method,
    template,
    path: `/restapi${official}`,
    handle: (exchange) => {
      const { headers, exceeded } = parts.limits.spend(exchange.params["accountId"] ?? "", 1);
      const answer =
        exceeded === null
          ? answered(() => handle(acceptedCall(parts, official, understands, exchange)))
          : errorAnswer(
              new DocuSignError(
                parts.limits.status,
                exceeded,
                "The maximum number of API invocations has been exceeded.",
              ),
            );
      reportProblems(parts, `${method} ${template}`, answer, official);
      return { ...answer, headers: { ...headers, ...answer.headers } };
    },
  };
}

function answered(act: () => Answer): Answer {
  try {
    return act();
  } catch (error) {
    if (error instanceof DocuSignError) return errorAnswer(error);
    throw error;
  }
}

function errorAnswer({ status, errorCode, message }: DocuSignError): Answer {
  return { status, json: { errorCode, message } };
}

function acceptedCall(
  parts: RestParts,
  official: string,
  understands: readonly string[],
  { call, params, headers, body }: Exchange,
): RestCall {
  const user = authenticated(parts, headers["authorization"]);
  const account = parts.state.accounts.get(params["accountId"] ?? "");
  if (account === undefined || !user.memberships.has(account.accountId)) {
    throw new DocuSignError(401, "USER_DOES_NOT_BELONG_TO_SPECIFIED_ACCOUNT");
  }
  if (membershipOf(user, account).status !== "Active") throw new DocuSignError(401, "USER_LACKS_MEMBERSHIP");
  const json: unknown = body.length === 0 ? undefined : parseJson(body.toString());
  const strange = [...call.query.keys()].filter((name) => !understands.includes(name));
  const wrong = [
    ...strange.map((name) => `query parameter ${name} is unknown to the simulator`),
    ...(parts.schema?.requestProblems(official, call.method, call.query, json) ?? []),
  ];
  if (wrong.length > 0) throw new DocuSignError(501, "UNKNOWN_TO_SIMULATOR", wrong.join("; "));
  return { account, user, query: call.query, params, json };
}

function authenticated({ oauth, problems }: RestParts, authorization: string | string[] | undefined): User {
  const user = oauth.userOf(bearerToken(authorization) ?? "");
  if (user === "unknown") problems.push("an access token that was never issued");
  if (typeof user !== "string") return user;
  throw new DocuSignError(
    401,
    "AUTHORIZATION_INVALID_TOKEN",
    "The access token provided is expired, revoked or malformed.",
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DocuSignError(
      400,
      "INVALID_REQUEST_BODY",
      "The request body is missing or improperly formatted.",
    );
  }
}

/** Requests that the simulator does not know, and its own invalid answers, fail the test. */
function reportProblems(parts: RestParts, name: string, answer: Answer, official: string): void {
  if (answer.status === 501) parts.problems.push(`${name}: ${JSON.stringify(answer.json)}`);
  if (parts.schema === null || answer.content !== undefined) return;
  const method = name.slice(0, name.indexOf(" "));
  const wrong = parts.schema.answerProblems(official, method, answer.status, answer.json);
  parts.problems.push(...wrong.map((problem) => `answer to ${name}: ${problem}`));
}
