import { EventEmitter, once } from "node:events";
import type { Address } from "../address.ts";
import { keepSession, type SessionOptions } from "../session.ts";
import { CHANGES_CHANNEL } from "./changes.ts";

export type ChangeNews = {
  /**
   * Resolves with `news` when the tenant's feed may hold more, and with `over` when the signal is aborted or the news
   * are closed. Begin to wait before you look, so that nothing falls in between. Holds no connection.
   */
  waitFor(tenant: string, signal: AbortSignal): Promise<"news" | "over">;
  /** Ends all waiting, for good, and the connection. */
  close(): Promise<void>;
};

export type ChangeNewsOptions = Pick<SessionOptions, "onLost" | "reconnectMs">;

/**
 * News of the change feed over one connection of its own for all readers of this process. News that are lost while
 * the connection is away only cost the wait: once it is back everybody looks again.
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
        // Nobody heard what was sent before: all have to look.
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

/** Not the bare tenant: Node.js knows an event `error`. */
function eventOf(tenant: string): string {
  return `changes of ${tenant}`;
}
