// The part of docs/client/torikomi-client.ts that is the same whatever the API offers; npm run types:client copies it.
import type { ChangePage, Problem } from "../../docs/client/torikomi-client.ts";

export type TorikomiOptions = {
  /** Address of the service, such as `https://torikomi.example`. */
  url: string;
  /** Returns a token of the cabinet. Called for each request, so that it can be renewed. */
  token: () => string | Promise<string>;
  fetch?: typeof fetch;
  /** Waits between the attempts of `followChanges`. The default uses a timer. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
};

export type CallOptions = {
  /** Aborts the call, which then throws the signal's reason. */
  signal?: AbortSignal | undefined;
};

export type ReadOptions = CallOptions & {
  /** `etagOf` an earlier answer. If it has not changed, the method returns null, or the 304 response for a document. */
  ifNoneMatch?: string | undefined;
};

/** The result if the answer has not changed: null. Only methods with `ifNoneMatch` return it. */
export type Unchanged<Options> = "ifNoneMatch" extends keyof Options ? null : never;

/** The service refused or failed; `problem.type` is stable. */
export class TorikomiError extends Error {
  override readonly name = "TorikomiError";
  readonly status: number;
  readonly problem: Problem | null;
  /** Seconds to wait before the next attempt, from `Retry-After`; null without it. */
  readonly retryAfter: number | null;

  constructor(response: Response, problem: Problem | null) {
    super(problem?.detail ?? problem?.title ?? `torikomi answered ${response.status}`);
    this.status = response.status;
    this.problem = problem;
    const seconds = response.headers.get("retry-after");
    this.retryAfter = seconds === null ? null : Number(seconds);
  }
}

const etags = new WeakMap<object, string>();

/** The `ETag` of an answer that a method returned, to pass as `ifNoneMatch` later. */
export function etagOf(answer: object): string | undefined {
  return etags.get(answer);
}

type Call = {
  method: string;
  path: string;
  query?: Record<string, string | number | undefined>;
  headers?: Record<string, string | undefined>;
  body?: unknown;
  signal?: AbortSignal | undefined;
};

type Send = (call: Call) => Promise<Response>;

export function createSend(options: TorikomiOptions): Send {
  return async ({ method, path, query = {}, headers = {}, body, signal }) => {
    const address = new URL(path, options.url);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) address.searchParams.set(name, String(value));
    }
    const sent = new Headers({ authorization: `Bearer ${await options.token()}` });
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) sent.set(name, value);
    if (body !== undefined) sent.set("content-type", "application/json");
    const response = await (options.fetch ?? fetch)(address, {
      method,
      headers: sent,
      signal: signal ?? null,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok && response.status !== 304) throw new TorikomiError(response, await problemOf(response));
    return response;
  };
}

async function problemOf(response: Response): Promise<Problem | null> {
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") ?? false;
  return isProblem ? await json(response) : null;
}

/** The type is safe: the service encodes its answers with the schemas that this file is generated from. */
async function json<T>(response: Response): Promise<T> {
  const answer: T = JSON.parse(await response.text());
  const etag = response.headers.get("etag");
  if (etag !== null && typeof answer === "object" && answer !== null) etags.set(answer, etag);
  return answer;
}

export async function jsonUnlessSame<T, Options>(response: Response): Promise<T | Unchanged<Options>>;
export async function jsonUnlessSame(response: Response): Promise<unknown> {
  return response.status === 304 ? null : await json(response);
}

type Page<Item> = { items: Item[]; nextCursor: string | null };

export async function* allItems<Item, Request extends object>(
  list: (request: Request & { cursor?: string | undefined }) => Promise<Page<Item>>,
  request: Request,
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | undefined;
  do {
    const page: Page<Item> = await list({ ...request, cursor });
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

export type Following = {
  /** `next` of the last page that was processed. The default, 0, starts with the first change, `latest` with the next one. */
  after?: number | "latest" | undefined;
  /** Comma-separated types of the changes to follow. The default is `imported,deleted`. */
  types?: string | undefined;
  /** Maximum number of changes per page. */
  limit?: number | undefined;
  /** Ends the iteration, which then throws the signal's reason. */
  signal?: AbortSignal | undefined;
};

const WAIT_SECONDS = 30;
/** Detects dead connections: no answer takes longer than this. */
const LONGEST_ANSWER_MS = (WAIT_SECONDS + 60) * 1_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

export async function* followChanges(
  list: (
    request: { after: number | "latest"; types: string | undefined; limit: number | undefined; wait: number },
    options: CallOptions,
  ) => Promise<ChangePage>,
  { after = 0, types, limit, signal }: Following,
  pause: (ms: number, signal?: AbortSignal) => Promise<void>,
): AsyncGenerator<ChangePage, never, undefined> {
  let position = after;
  let failures = 0;
  for (;;) {
    signal?.throwIfAborted();
    const began = performance.now();
    const patience = AbortSignal.timeout(LONGEST_ANSWER_MS);
    const options = { signal: signal === undefined ? patience : AbortSignal.any([signal, patience]) };
    let page: ChangePage;
    try {
      page = await list({ after: position, types, limit, wait: WAIT_SECONDS }, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (!isTransient(error)) throw error;
      failures += 1;
      await pause(pauseAfter(failures, error), signal);
      continue;
    }
    failures = 0;
    if (page.next !== position) {
      position = page.next;
      yield page;
    } else if (performance.now() - began < FIRST_PAUSE_MS) {
      // A service that is shutting down answers immediately.
      await pause(FIRST_PAUSE_MS, signal);
    }
  }
}

/** True if the network failed, the answer timed out, or the service is overloaded or unavailable. */
function isTransient(error: unknown): boolean {
  if (error instanceof TorikomiError) return error.status === 429 || error.status >= 500;
  return error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError");
}

/** Exponential backoff with jitter, so that readers do not return all at once. At least `Retry-After`. */
function pauseAfter(failures: number, error: unknown): number {
  const backoff =
    Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
  const asked = error instanceof TorikomiError ? (error.retryAfter ?? 0) * 1_000 : 0;
  return Math.max(backoff, asked);
}

export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
  signal?.throwIfAborted();
}
