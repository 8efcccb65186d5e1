import { setImmediate as soon } from "node:timers/promises";
import type { Address } from "./address.ts";
import { keepSession, type Session, type SessionOptions } from "./session.ts";

export type News = {
  /** The tenant's feed holds more. */
  readonly changed: (tenant: string) => void;
  /** So many more jobs are due. */
  readonly queued: (jobs: number) => void;
};

/**
 * Wakes readers of the feed and workers, of all processes. To be called after the commit. A notification that is lost
 * with this process or its connection costs them one poll, never a change or a job.
 */
export type Notifier = News & {
  /**
   * Also calls back for this process's own news, which then need no round trip. `queued` returns how many of the jobs are
   * taken: other processes are not woken for them.
   */
  shortcut(own: { readonly changed?: News["changed"]; readonly queued?: (jobs: number) => number }): void;
  /** Sends what is left and ends the connection. */
  close(): Promise<void>;
};

/** The payload is the tenant. */
export const CHANGES_CHANNEL = "torikomi_changes";
/** The channel and the payload that graphile-worker 0.18 listens for. */
const JOBS_CHANNEL = "jobs:insert";

/** Sends over one connection, which is opened when it is first needed. */
export function openNotifier(address: Address, options: Pick<SessionOptions, "onLost"> = {}): Notifier {
  const tenants = new Set<string>();
  let jobs = 0;
  let own: Parameters<Notifier["shortcut"]>[0] = {};
  const sender = openSender(address, options, () => {
    const taken = [...tenants].map((tenant) => ({ channel: CHANGES_CHANNEL, payload: tenant }));
    if (jobs > 0) taken.push({ channel: JOBS_CHANNEL, payload: JSON.stringify({ count: jobs }) });
    tenants.clear();
    jobs = 0;
    return taken;
  });
  return {
    changed(tenant) {
      own.changed?.(tenant);
      // The readers of this process go first.
      setImmediate(() => {
        tenants.add(tenant);
        sender.wake();
      });
    },
    queued(count) {
      if (count === 0) return;
      // The answers to the events leave first.
      setImmediate(() => {
        jobs += count - (own.queued?.(count) ?? 0);
        if (jobs > 0) sender.wake();
      });
    },
    shortcut(news) {
      own = { ...own, ...news };
    },
    close: sender.close,
  };
}

type Notification = { readonly channel: string; readonly payload: string };

/**
 * News that come in during a notification go out with the next one. PostgreSQL lets one transaction at a time notify, in
 * all databases of the server, and until it is flushed. So these are not flushed at once, and no other transaction of
 * ours notifies.
 */
function openSender(
  address: Address,
  options: Pick<SessionOptions, "onLost">,
  take: () => readonly Notification[],
): { readonly wake: () => void; readonly close: () => Promise<void> } {
  let session: Session | null = null;
  const setUp = (): ReturnType<SessionOptions["setUp"]> => {
    let isReady = false;
    return async (query) => {
      if (!isReady) await query("set synchronous_commit = off");
      isReady = true;
      const notifications = take();
      if (notifications.length > 0) await query(SEND, [JSON.stringify(notifications)]);
    };
  };
  return {
    wake() {
      if (session !== null) session.refresh();
      else session = keepSession(address, { ...options, applicationName: "torikomi notifier", setUp });
    },
    async close() {
      // After what is about to be queued.
      await soon();
      await session?.close();
    },
  };
}

const SEND =
  "select pg_notify(channel, payload) from json_to_recordset($1) as news (channel text, payload text)";
