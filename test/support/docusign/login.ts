import type { OAuth } from "./oauth.ts";
import type { DocuSignState, User } from "./state.ts";

export type Client = {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Addresses that may be returned to; any by default. */
  readonly redirectUris?: readonly string[];
};

export type LoginVerbs = {
  /** The next person who is sent to the login page is this user, and allows at once. */
  nextLogin(user: User): void;
  /** The next login page redirects to another host first, as a company's own login (SSO) does. */
  redirectNextLogin(): void;
  /** Plays the person: logs in as the user and allows. Returns the address that DocuSign sends the browser to. */
  authorize(authorizationUrl: string, user: User): Promise<string>;
  /** The person goes back instead. */
  deny(authorizationUrl: string): Promise<string>;
};

const KNOWN = new Set(
  "response_type scope client_id redirect_uri state prompt code_challenge code_challenge_method login_hint ui_locales".split(
    " ",
  ),
);

/** Violations of DocuSign's or this service's rules by an authorization request. */
export function authorizationProblems(client: Client, query: URLSearchParams): string[] {
  const scopes = (query.get("scope") ?? "").split(" ");
  const redirectUri = query.get("redirect_uri") ?? "";
  const checks: [boolean, string][] = [
    [query.get("response_type") === "code", "response_type is not code"],
    [query.get("client_id") === client.clientId, "client_id is unknown"],
    [isRegistered(client, redirectUri), `redirect_uri is not registered: ${redirectUri}`],
    [scopes.includes("signature") && scopes.includes("extended"), "scope lacks signature or extended"],
    [query.get("prompt") === "login", "prompt is not login"],
    [(query.get("state") ?? "") !== "", "state is missing"],
    [query.get("code_challenge_method") === "S256", "code_challenge_method is not S256"],
    [/^[\w-]{43}$/.test(query.get("code_challenge") ?? ""), "code_challenge is no SHA-256"],
  ];
  const unknown = [...query.keys()]
    .filter((name) => !KNOWN.has(name))
    .map((name) => `unknown parameter ${name}`);
  return [...checks.flatMap(([fine, problem]) => (fine ? [] : [problem])), ...unknown];
}

function isRegistered(client: Client, redirectUri: string): boolean {
  return URL.canParse(redirectUri) && (client.redirectUris?.includes(redirectUri) ?? true);
}

/** The redirect after the user allowed access. */
export function allowedRedirect(oauth: OAuth, user: User, query: URLSearchParams): string {
  const redirectUri = query.get("redirect_uri") ?? "";
  const code = oauth.issueCode(user, {
    scopes: (query.get("scope") ?? "").split(" "),
    challenge: query.get("code_challenge") ?? "",
    redirectUri,
  });
  return withParameters(redirectUri, { code, state: query.get("state") ?? "" });
}

/** The redirect after the user denied access. */
export function deniedRedirect(query: URLSearchParams): string {
  return withParameters(query.get("redirect_uri") ?? "", {
    error: "access_denied",
    error_message: "The user did not consent to connecting the application.",
    state: query.get("state") ?? "",
  });
}

function withParameters(address: string, parameters: Record<string, string>): string {
  const url = new URL(address);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** The page that a person sees: who they are, and whether they allow. */
export function loginPage(state: DocuSignState, query: URLSearchParams, message: string): string {
  const options = [...state.users.values()].map(
    (user) =>
      `<option value="${escapeHtml(user.email)}">${escapeHtml(`${user.name} (${describe(state, user)})`)}</option>`,
  );
  return `<!doctype html>
<html lang="ja">
<head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Docusign（シミュレーター）</title></head>
<body>
<main>
<h1>Docusign（シミュレーター）へのログイン</h1>
<p role="alert">${escapeHtml(message)}</p>
<form method="post" action="/oauth/auth?${escapeHtml(query.toString())}">
<p><label for="email">メールアドレス</label>
<input id="email" name="email" type="email" list="users" autocomplete="off" autofocus></p>
<datalist id="users">${options.join("")}</datalist>
<p><button name="decision" value="allow">アクセスの許可</button>
<button name="decision" value="deny" formnovalidate>キャンセル</button></p>
</form>
</main>
</body>
</html>
`;
}

function describe(state: DocuSignState, user: User): string {
  const account = state.accounts.get(user.defaultAccountId);
  return `${user.memberships.get(user.defaultAccountId)?.role ?? ""}, ${account?.name ?? ""}`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
