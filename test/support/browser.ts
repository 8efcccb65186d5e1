/** The page that a browser shows after all redirects. */
export type Page = {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Every address asked for on the way, the last one included. */
  readonly trail: readonly string[];
};

export type Browser = {
  get(url: string, headers?: Readonly<Record<string, string>>): Promise<Page>;
  /** One request whose redirect, if any, is not followed. */
  peek(url: string): Promise<Page>;
  /** Posts a form as a page of that very origin would, unless headers say otherwise. */
  post(
    url: string,
    fields: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Page>;
  /** Submits the form of a page that holds the button, with its hidden fields and what is filled in. */
  submit(page: Page, button: string, fields?: Readonly<Record<string, string>>): Promise<Page>;
  /** Name and value of the cookies that a host's pages get. */
  cookies(url: string): ReadonlyMap<string, string>;
};

type Jar = Map<string, Map<string, string>>;
type Step = {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Headers;
  readonly body: string | null;
};

const MAX_REDIRECTS = 20;

/**
 * A browser without scripts: keeps cookies per host (not per port, as browsers do), follows redirects and pages that move
 * on, fills in forms.
 */
export function createBrowser(): Browser {
  const jar: Jar = new Map();
  const browser: Browser = {
    get: (url, headers = {}) => visit(jar, { method: "GET", url, headers: new Headers(headers), body: null }),
    peek: async (url) => {
      const step: Step = { method: "GET", url, headers: new Headers(), body: null };
      return pageOf(await ask(jar, step), step, [url]);
    },
    post: (url, fields, headers = {}) => visit(jar, formPost(url, fields, headers)),
    submit: (page, button, fields = {}) => {
      const form = formOf(page, button);
      const url = new URL(form.action, page.url);
      const site = { origin: new URL(page.url).origin, "sec-fetch-site": siteOf(page.url, url.href) };
      if (form.method === "post") return browser.post(url.href, { ...form.fields, ...fields }, site);
      url.search = new URLSearchParams({ ...form.fields, ...fields }).toString();
      return browser.get(url.href);
    },
    cookies: (url) => jar.get(new URL(url).hostname) ?? new Map<string, string>(),
  };
  return browser;
}

function formPost(
  url: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
): Step {
  const usual = { origin: new URL(url).origin, "sec-fetch-site": "same-origin" };
  const type = { "content-type": "application/x-www-form-urlencoded" };
  const body = new URLSearchParams(fields).toString();
  return { method: "POST", url, headers: new Headers({ ...usual, ...type, ...headers }), body };
}

async function visit(jar: Jar, first: Step): Promise<Page> {
  const trail: string[] = [];
  let step = first;
  while (trail.length <= MAX_REDIRECTS) {
    trail.push(step.url);
    const response = await ask(jar, step);
    const isRedirect = response.status >= 300 && response.status < 400;
    const page = await pageOf(response, step, trail);
    const next = isRedirect ? response.headers.get("location") : onwardOf(page);
    if (next === null) return page;
    step = { method: "GET", url: new URL(next, step.url).href, headers: new Headers(), body: null };
  }
  throw new Error(`too many redirects: ${trail.join(" → ")}`);
}

async function ask(jar: Jar, { method, url, headers, body }: Step): Promise<Response> {
  const cookies = jar.get(new URL(url).hostname) ?? new Map<string, string>();
  const sent = new Headers({ accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" });
  if (cookies.size > 0)
    sent.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
  for (const [name, value] of headers) sent.set(name, value);
  const response = await fetch(url, { method, headers: sent, body, redirect: "manual" });
  keepCookies(cookies, response.headers.getSetCookie());
  jar.set(new URL(url).hostname, cookies);
  return response;
}

async function pageOf(response: Response, step: Step, trail: readonly string[]): Promise<Page> {
  const { status, headers } = response;
  return { url: step.url, status, headers, text: await response.text(), trail };
}

function keepCookies(cookies: Map<string, string>, lines: readonly string[]): void {
  for (const line of lines) {
    const [, name = "", value = ""] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
    if (isExpired(line)) cookies.delete(name);
    else cookies.set(name, value);
  }
}

function isExpired(line: string): boolean {
  const maxAge = /;\s*max-age=(-?\d+)/i.exec(line)?.[1];
  if (maxAge !== undefined) return Number(maxAge) <= 0;
  const expires = /;\s*expires=([^;]+)/i.exec(line)?.[1];
  return expires !== undefined && Date.parse(expires) <= Date.now();
}

/** The address that a page moves on to by itself. */
function onwardOf({ text }: Page): string | null {
  const [, attributes = ""] = /<meta http-equiv="refresh"([^>]*)>/.exec(text) ?? [];
  return attributeOf(attributes, "content")?.replace(/^0; url=/, "") ?? null;
}

type Form = { readonly action: string; readonly method: string; readonly fields: Record<string, string> };

function formOf(page: Page, button: string): Form {
  const forms = page.text.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs);
  for (const [, attributes = "", content = ""] of forms) {
    const pressed = [...content.matchAll(/<button\b([^>]*)>(.*?)<\/button>/gs)].find(([, , label = ""]) =>
      decode(label).includes(button),
    );
    if (pressed === undefined) continue;
    const method = (attributeOf(attributes, "method") ?? "get").toLowerCase();
    const fields = { ...hiddenFieldsOf(content), ...namedValueOf(pressed[1] ?? "") };
    return { action: attributeOf(attributes, "action") ?? page.url, method, fields };
  }
  throw new Error(`${page.url} has no form with a button "${button}":\n${page.text}`);
}

function hiddenFieldsOf(content: string): Record<string, string> {
  const inputs = [...content.matchAll(/<input\b([^>]*)>/g)].map(([, attributes = ""]) => attributes);
  return Object.assign(
    {},
    ...inputs.filter((input) => attributeOf(input, "type") === "hidden").map(namedValueOf),
  );
}

function namedValueOf(attributes: string): Record<string, string> {
  const name = attributeOf(attributes, "name");
  return name === null ? {} : { [name]: attributeOf(attributes, "value") ?? "" };
}

function attributeOf(attributes: string, name: string): string | null {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1];
  return value === undefined ? null : decode(value);
}

function decode(text: string): string {
  const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"' };
  return text
    .replace(/<[^>]*>/g, "")
    .replace(/&(?:#(\d+)|(amp|lt|gt|quot));/g, (_all, code?: string, name?: string) =>
      code === undefined ? (named[name ?? ""] ?? "") : String.fromCodePoint(Number(code)),
    );
}

function siteOf(from: string, to: string): "same-origin" | "same-site" | "cross-site" {
  const [a, b] = [new URL(from), new URL(to)];
  if (a.origin === b.origin) return "same-origin";
  return a.hostname === b.hostname ? "same-site" : "cross-site";
}
