import type { Content } from "./pdf.ts";

/** The calls that the simulator knows; those of the API without `/restapi/v2.1/accounts/{accountId}`. */
export type Template =
  | "/oauth/auth"
  | "/oauth/token"
  | "/oauth/userinfo"
  | "/accounts/{accountId}"
  | "/settings"
  | "/permission_profiles"
  | "/users"
  | "/users/{userId}"
  | "/envelopes"
  | "/envelopes/{envelopeId}"
  | "/envelopes/{envelopeId}/recipients"
  | "/envelopes/{envelopeId}/documents"
  | "/envelopes/{envelopeId}/documents/{documentId}"
  | "/connect"
  | "/connect/failures"
  | "/connect/{connectId}";

/** A request that came in, for tests and benches to count. */
export type Call = {
  readonly method: string;
  readonly template: Template;
  /** With what was filled in, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accountId: string | null;
  readonly at: Date;
  /** Null as long as no answer was given. */
  status: number | null;
};

export type Exchange = {
  readonly call: Call;
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
};

export type Answer = {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
  readonly html?: string;
  readonly content?: Content;
};

export type Route = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly template: Template;
  /** The path with its parameters in braces. */
  readonly path: string;
  readonly handle: (exchange: Exchange) => Answer | Promise<Answer>;
};

/** An error answer of DocuSign: a status and one of its error codes. */
export class DocuSignError extends Error {
  override readonly name = "DocuSignError";
  readonly status: number;
  readonly errorCode: string;

  constructor(status: number, errorCode: string, message: string = errorCode) {
    super(message);
    this.status = status;
    this.errorCode = errorCode;
  }
}

export type Found = { readonly route: Route; readonly params: Record<string, string> };

/** Finds the route of a request; undefined if the simulator knows none. */
export function findRoute(routes: readonly Route[], method: string, pathname: string): Found | undefined {
  const segments = pathname.split("/");
  for (const route of routes) {
    const params = route.method === method ? matchPath(route.path.split("/"), segments) : null;
    if (params !== null) return { route, params };
  }
  return undefined;
}

function matchPath(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? "";
    if (part.startsWith("{")) params[part.slice(1, -1)] = decodeURIComponent(segment);
    else if (part !== segment) return null;
  }
  return params;
}
