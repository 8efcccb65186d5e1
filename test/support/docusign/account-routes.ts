import {
  accountAnswer,
  accountSettingsAnswer,
  permissionProfilesAnswer,
  userAnswer,
} from "./account-answers.ts";
import { type Answer, DocuSignError, type Route } from "./exchange.ts";
import { type RestCall, type RestParts, restRoute } from "./rest-route.ts";
import { membershipOf } from "./state.ts";

/** Reading the account, its settings, and its users. */
export function createAccountRoutes(parts: RestParts): Route[] {
  return [
    restRoute(parts, "GET", "/accounts/{accountId}", {
      handle: ({ account }) => ({ status: 200, json: accountAnswer(account) }),
    }),
    restRoute(parts, "GET", "/settings", {
      handle: (call) => {
        demandAdmin(call);
        return { status: 200, json: accountSettingsAnswer(call.account) };
      },
    }),
    restRoute(parts, "GET", "/permission_profiles", {
      handle: (call) => {
        demandAdmin(call);
        return { status: 200, json: permissionProfilesAnswer(call.account, parts.state.users.values()) };
      },
    }),
    restRoute(parts, "GET", "/users", {
      understands: ["count", "email", "user_name_substring"],
      handle: (call) => {
        demandAdmin(call);
        return listUsers(parts, call);
      },
    }),
    restRoute(parts, "GET", "/users/{userId}", {
      understands: ["additional_info"],
      handle: (call) => readUser(parts, call),
    }),
  ];
}

/** DocuSign returns at most 100 users. */
function listUsers({ state }: RestParts, { account, query }: RestCall): Answer {
  const [email, name] = [query.get("email"), query.get("user_name_substring")?.toLowerCase() ?? ""];
  const found = [...state.users.values()]
    .filter((user) => user.memberships.has(account.accountId))
    .filter((user) => email === null || user.email.toLowerCase() === email.toLowerCase())
    .filter((user) => user.name.toLowerCase().includes(name));
  const users = found
    .slice(0, Number(query.get("count") ?? "100"))
    .map((user) => userAnswer(user, account, false));
  const sizes = { resultSetSize: String(users.length), totalSetSize: String(found.length) };
  return { status: 200, json: { users, ...sizes, startPosition: "0" } };
}

/** Rejects users who are not administrators of the account. */
export function demandAdmin({ user, account }: RestCall): void {
  if (!membershipOf(user, account).isAdmin) throw new DocuSignError(401, "USER_NOT_ACCOUNT_ADMIN");
}

/** Users see themselves; administrators see everybody of the account. */
function readUser({ state }: RestParts, { user, account, params, query }: RestCall): Answer {
  const wanted = state.users.get(params["userId"] ?? "");
  if (wanted !== user && !membershipOf(user, account).isAdmin)
    throw new DocuSignError(401, "USER_LACKS_PERMISSIONS");
  if (wanted === undefined || !wanted.memberships.has(account.accountId)) {
    throw new DocuSignError(404, "USER_NOT_FOUND");
  }
  return { status: 200, json: userAnswer(wanted, account, query.get("additional_info") === "true") };
}
