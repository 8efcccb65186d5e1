import type { Metrics } from "../../../usecases/capabilities.ts";

export type RepeatedReads = {
  /** Notes that the client got entries after this position. */
  note(client: string, after: number): void;
};

/** A client may repeat a request after a lost answer, and a few processes of one service may read in step. */
const USUAL = 4;
/** Clients that are remembered at a time. */
const MOST_CLIENTS = 1_000;

/** Counts reads of clients that do not get past a position: they probably fail on one of its entries. */
export function createRepeatedReads({ feedReadRepeated }: Pick<Metrics, "feedReadRepeated">): RepeatedReads {
  const clients = new Map<string, { readonly after: number; readonly times: number }>();
  return {
    note(client, after) {
      const last = clients.get(client);
      const times = last?.after === after ? last.times + 1 : 1;
      // The map keeps the order of insertion, so the first client is the one that has not read for the longest time.
      clients.delete(client);
      clients.set(client, { after, times });
      const [oldest] = clients.keys();
      if (clients.size > MOST_CLIENTS && oldest !== undefined) clients.delete(oldest);
      if (times > USUAL) feedReadRepeated();
    },
  };
}
