import { EventEmitter, once } from "node:events";
import type { Address } from "../address.ts";
import { CHANGES_CHANNEL } from "../notifier.ts";
import { keepSession, type SessionOptions } from "../session.ts";

export type ChangeNews = {
  /**
   * Resolves with `news` when the tenant's feed may have more entries, and with `over` when the signal is aborted or this
   * object is closed. Start waiting before you read the feed, so that no news is missed. Holds no connection.
   */
  waitFor(tenant: string, signal: AbortSignal): Promise<"news" | "over">;
  /** Ends all waiting and the connection. */
  close(): Promise<void>;
};

export type ChangeNewsOptions = Pick<SessionOptions, "onLost" | "reconnectMs">;

/**
 * Listens for news of the change feed over one connection for all readers of this process. News lost with the connection
 * cost only time: after reconnecting, all readers look again.
 */
export function createChangeNews(address: Address, options: ChangeNewsOptions = {}): ChangeNews {
  const readers = new EventEmitter().setMaxListeners(0);
  const closing = new AbortController();
  const session = keepSession(address, {
    applicationName: "torikomi change news",
    setUp: () => {
      let isListening = false;
      return async (query) => {
        if (isListening) return;
        await query(`listen ${CHANGES_CHANNEL}`);
        isListening = true;
        // Earlier notifications are lost: all readers have to look.
        for (const event of readers.eventNames()) readers.emit(event);
      };
    },
    onNotification: (tenant) => readers.emit(eventOf(tenant)),
    ...options,
  });
  return {
    async waitFor(tenant, signal) {
      const over = AbortSignal.any([signal, closing.signal]);
      return await once(readers, eventOf(tenant), { signal: over }).then(
        () => "news",
        () => "over",
      );
    },
    async close() {
      closing.abort();
      await session.close();
    },
  };
}

/** A prefix, since Node.js treats an event named `error` specially. */
function eventOf(tenant: string): string {
  return `changes of ${tenant}`;
}
