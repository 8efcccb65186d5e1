import { type ChangeNews } from "../../../store/contracts/change-news.ts";
import { type FeedPage, type FeedReading, readFeed, readNewest } from "../../../store/contracts/feed.ts";
import { publishChanges } from "../../../store/contracts/publication.ts";
import type { Log, Uses } from "../../../usecases/capabilities.ts";
import { createGate } from "./gate.ts";
import { createTurns } from "./turns.ts";

/** Readers of one group take turns with those of other groups: a tenant, or the subject of a service token. */
export type FeedRequest = FeedReading & { readonly group: string };

export type FeedReader = {
  /** Returns the feed's current end. */
  latest(request: Pick<FeedRequest, "group" | "tenant">): Promise<number>;
  read(request: FeedRequest): Promise<FeedPage>;
  /**
   * Waits for an entry until the signal is aborted. Returns null at once if too many requests of the group wait. A
   * waiting request holds no connection.
   */
  wait(request: FeedRequest, patience: AbortSignal): Promise<FeedPage | null>;
};

export type FeedReaderParts = Uses<"db"> & {
  readonly changeNews: ChangeNews;
  readonly log: Pick<Log, "warn">;
  /** The number of waiting requests of a group. */
  readonly feedWaiters: number;
};

/** Few of the database connections, so that other requests do not wait behind a thousand waking readers. */
const READ_AT_ONCE = 4;
/** Waiting requests that are answered before other requests get a chance. */
const ANSWERS_AT_ONCE = 5;
/** Without a reason, each read would make an error with its stack. */
const READ = "read";
const COMPLAIN_EVERY_MS = 60_000;

export function createFeedReader({ db, changeNews, log, feedWaiters }: FeedReaderParts): FeedReader {
  const turns = createTurns(READ_AT_ONCE);
  const share = createSharing();
  const waiting = createCounter(feedWaiters);
  const publish = createPublisher(db, log);
  const pass = createGate(ANSWERS_AT_ONCE);
  const read: Read = async (request) => {
    const { group, tenant, after, limit, types } = request;
    const question = JSON.stringify([tenant, after, limit, ...types]);
    return await share(question, async (begin) =>
      turns(group, async () => {
        begin();
        const page = await readFeed(db, request);
        if (!page.hasUnpublished) return page;
        await publish();
        return await readFeed(db, request);
      }),
    );
  };
  return {
    read,
    latest: async ({ group, tenant }) =>
      await turns(group, async () => {
        await publish();
        return await readNewest(db, tenant);
      }),
    async wait(request, patience) {
      if (!waiting.enter(request.group)) return null;
      try {
        const page = await readPatiently(changeNews, read, request, patience);
        await pass();
        return page;
      } finally {
        waiting.leave(request.group);
      }
    },
  };
}

/** Publishes, and reads again, if the page shows that something is unpublished. */
type Read = FeedReader["read"];

/** Reads at each news until there is an entry, and a last time when the patience ends. */
async function readPatiently(
  changeNews: ChangeNews,
  read: Read,
  request: FeedRequest,
  patience: AbortSignal,
): Promise<FeedPage> {
  for (;;) {
    const waiting = new AbortController();
    // Starts waiting before it reads, so that no news in between is missed.
    const news = changeNews.waitFor(request, AbortSignal.any([patience, waiting.signal]));
    try {
      const page = await read(request);
      if (page.entries.length > 0) return page;
      if ((await news) === "over") return await read(request);
    } finally {
      waiting.abort(READ);
    }
  }
}

type Share = (question: string, ask: (begin: () => void) => Promise<FeedPage>) => Promise<FeedPage>;

/** Requests with the same question share a read that has not begun: readers with one cursor wake at the same moment. */
function createSharing(): Share {
  const queued = new Map<string, Promise<FeedPage>>();
  return async (question, ask) => {
    const shared = queued.get(question);
    if (shared !== undefined) return await shared;
    const { promise, resolve } = Promise.withResolvers<FeedPage>();
    queued.set(question, promise);
    resolve(ask(() => queued.delete(question)));
    return await promise;
  };
}

function createCounter(most: number): {
  readonly enter: (group: string) => boolean;
  readonly leave: (group: string) => void;
} {
  const counts = new Map<string, number>();
  return {
    enter(group) {
      const count = counts.get(group) ?? 0;
      if (count >= most) return false;
      counts.set(group, count + 1);
      return true;
    },
    leave(group) {
      const count = counts.get(group) ?? 0;
      if (count > 1) counts.set(group, count - 1);
      else counts.delete(group);
    },
  };
}

/** Publishes; a refusal is logged once a minute, since each reader tries again. */
function createPublisher(db: FeedReaderParts["db"], log: FeedReaderParts["log"]): () => Promise<void> {
  let quietUntil = 0;
  return async () => {
    if ((await publishChanges(db)) === "current" || performance.now() < quietUntil) return;
    quietUntil = performance.now() + COMPLAIN_EVERY_MS;
    log.warn(
      {},
      "the feed publishes nothing: the database's clock is more than 5 minutes behind its newest position",
    );
  };
}
