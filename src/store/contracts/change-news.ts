import type { Address } from "../address.ts";
import { CHANGES_CHANNEL, type News } from "../notifier.ts";
import { keepSession, type SessionOptions } from "../session.ts";
import type { FeedType } from "./feed.ts";
import { FEED_NOTES_CHANNEL } from "./feed-notes.ts";

/** The tenant and the types that a reader waits for. */
export type Interest = {
  /** Null waits for the news of all tenants. */
  readonly tenant: string | null;
  readonly types: ReadonlySet<FeedType>;
};

export type ChangeNews = {
  /**
   * Resolves with `news` when the feed may have more entries of interest, and with `over` when the signal is aborted or
   * this object is closed. Start waiting before you read the feed, so that no news is missed. Holds no connection.
   */
  waitFor(interest: Interest, signal: AbortSignal): Promise<"news" | "over">;
  /** Ends all waiting and the connection. */
  close(): Promise<void>;
};

export type ChangeNewsOptions = Pick<SessionOptions, "onLost" | "reconnectMs">;

/**
 * Listens for news of the feed over one connection for all readers of this process. News lost with the connection cost
 * only time: after reconnecting, all readers look again. `changed` wakes readers without a notification.
 */
export function createChangeNews(
  address: Address,
  options: ChangeNewsOptions = {},
): ChangeNews & Pick<News, "changed"> {
  const readers = createReaders();
  const session = keepSession(address, {
    applicationName: "torikomi change news",
    setUp: () => {
      let isListening = false;
      return async (query) => {
        if (isListening) return;
        await query(`listen ${CHANGES_CHANNEL}; listen ${FEED_NOTES_CHANNEL}`);
        isListening = true;
        // Earlier notifications are lost: all readers have to look.
        readers.wakeAll();
      };
    },
    onNotification: (payload, channel) => {
      if (channel === CHANGES_CHANNEL) readers.wake("contract", payload);
      else readers.wake("note", payload.slice(payload.indexOf(" ") + 1));
    },
    ...options,
  });
  return {
    waitFor: readers.waitFor,
    changed: (tenant) => readers.wake("contract", tenant),
    async close() {
      readers.close();
      await session.close();
    },
  };
}

type Topic = "contract" | "note";

type Readers = Pick<ChangeNews, "waitFor"> & {
  wake(topic: Topic, tenant: string): void;
  wakeAll(): void;
  close(): void;
};

/** A topic of a tenant or, by null, of all tenants. */
type Place = `${Topic} ${string}`;

function createReaders(): Readers {
  const waiting = new Map<Place, Set<(ending: "news" | "over") => void>>();
  let isClosed = false;
  const endAt = (places: Iterable<Place>, ending: "news" | "over"): void => {
    for (const place of places) for (const end of waiting.get(place) ?? []) end(ending);
  };
  return {
    async waitFor(interest, signal) {
      if (isClosed || signal.aborted) return "over";
      const places = placesOf(interest);
      const { promise, resolve } = Promise.withResolvers<"news" | "over">();
      const abort = (): void => resolve("over");
      for (const place of places) addTo(waiting, place, resolve);
      signal.addEventListener("abort", abort);
      const ending = await promise;
      signal.removeEventListener("abort", abort);
      for (const place of places) removeFrom(waiting, place, resolve);
      return ending;
    },
    wake: (topic, tenant) => endAt([placeOf(topic, tenant), placeOf(topic, null)], "news"),
    wakeAll: () => endAt(waiting.keys(), "news"),
    close: () => {
      isClosed = true;
      endAt(waiting.keys(), "over");
    },
  };
}

function placesOf({ tenant, types }: Interest): Place[] {
  const topics = new Set<Topic>(
    [...types].map((type) => (type === "imported" || type === "deleted" ? "contract" : "note")),
  );
  return [...topics].map((topic) => placeOf(topic, tenant));
}

function placeOf(topic: Topic, tenant: string | null): Place {
  return `${topic} ${JSON.stringify(tenant)}`;
}

function addTo<Key, Value>(sets: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set.add(value));
}

function removeFrom<Key, Value>(sets: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const set = sets.get(key);
  set?.delete(value);
  if (set?.size === 0) sets.delete(key);
}
