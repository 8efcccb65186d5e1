import type { Address } from "./address.ts";
import { keepSession, type Query, type Session, type SessionOptions } from "./session.ts";

/**
 * Wakes readers of the feed and workers, of all processes. To be called after the commit. A notification that is lost
 * with this process or its connection costs them one poll, never a change or a job.
 */
export type Notifier = {
  /** The tenant's feed holds more. */
  changed(tenant: string): void;
  /** So many more jobs are due. */
  queued(jobs: number): void;
  /** Sends what is left and ends the connection. */
  close(): Promise<void>;
};

/** The payload is the tenant. */
export const CHANGES_CHANNEL = "torikomi_changes";
/** The channel and the payload that graphile-worker 0.18 listens for. */
const JOBS_CHANNEL = "jobs:insert";

/**
 * Sends over one connection, which is opened when it is first needed. News that come in during a notification go out with
 * the next one. PostgreSQL lets one transaction at a time notify, in all databases of the server, and
 * until it is flushed. So these are not flushed at once, and no other transaction of ours notifies.
 */
export function openNotifier(address: Address, options: Pick<SessionOptions, "onLost"> = {}): Notifier {
  const tenants = new Set<string>();
  let jobs = 0;
  let session: Session | null = null;
  const send = async (query: Query): Promise<void> => {
    const news = [...tenants].map((tenant) => ({ channel: CHANGES_CHANNEL, payload: tenant }));
    if (jobs > 0) news.push({ channel: JOBS_CHANNEL, payload: JSON.stringify({ count: jobs }) });
    tenants.clear();
    jobs = 0;
    if (news.length > 0) await query(SEND, [JSON.stringify(news)]);
  };
  const wake = (): void => {
    if (session !== null) return session.refresh();
    const setUp = (): typeof send => {
      let isReady = false;
      return async (query) => {
        if (!isReady) await query("set synchronous_commit = off");
        isReady = true;
        await send(query);
      };
    };
    session = keepSession(address, { ...options, applicationName: "torikomi notifier", setUp });
  };
  return {
    changed(tenant) {
      tenants.add(tenant);
      wake();
    },
    queued(count) {
      if (count === 0) return;
      jobs += count;
      wake();
    },
    close: async () => await session?.close(),
  };
}

const SEND =
  "select pg_notify(channel, payload) from json_to_recordset($1) as news (channel text, payload text)";
