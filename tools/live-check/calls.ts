/** An answer as DocuSign gave it. `body` is parsed JSON, or text. */
export type Observed = {
  readonly name: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
};

export type Question = {
  /** Names the answer and its file. */
  readonly name: string;
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams;
};

/** Asks DocuSign once. Throws before a call beyond the limit. A missing answer is observed as status 0. */
export type Ask = (question: Question) => Promise<Observed>;

const MOST_CALLS = 30;
const TIMEOUT_MS = 30_000;
/** The kept start of a document or page. */
const MOST_TEXT = 1_000;

/** Counts the calls and keeps their answers in order. */
export function createAsk(observed: Observed[]): Ask {
  return async ({ name, url, method = "GET", headers = {}, body }) => {
    if (observed.length >= MOST_CALLS) throw new Error(`more than ${MOST_CALLS} calls`);
    const answer = await send(url, { method, headers, ...(body !== undefined && { body }) });
    observed.push({ name, ...answer });
    return { name, ...answer };
  };
}

async function send(url: string, init: RequestInit): Promise<Omit<Observed, "name">> {
  try {
    const response = await fetch(url, {
      ...init,
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    return { status: response.status, headers: Object.fromEntries(response.headers), body: parse(text) };
  } catch (error) {
    return { status: 0, headers: {}, body: error instanceof Error ? error.message : String(error) };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(0, MOST_TEXT);
  }
}
