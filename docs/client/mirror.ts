import type { Contract, LinkChange, RecordedContract, TorikomiClient } from "./torikomi-client.ts";

/** The reader's own database. */
export type Mirror = {
  readonly position: () => Promise<number>;
  /** Runs the work in one transaction that also stores the position. */
  readonly commit: (position: number, work: (tx: MirrorTransaction) => Promise<void>) => Promise<void>;
};

export type MirrorTransaction = {
  readonly put: (contract: Contract | RecordedContract) => Promise<void>;
  readonly remove: (id: string) => Promise<void>;
  readonly listIds: (tenant: string | undefined) => Promise<readonly string[]>;
  /** Queues a mail to the owners of the link. */
  readonly mail: (change: LinkChange) => Promise<void>;
};

/** Follows all changes until the signal is aborted. With a service token, of all tenants. */
export async function follow(client: TorikomiClient, mirror: Mirror, signal: AbortSignal): Promise<void> {
  const after = await mirror.position();
  const pages = client.followChanges({ after, types: "imported,deleted,link,restored", limit: 200, signal });
  for await (const { items, next } of pages) {
    await mirror.commit(next, async (tx) => {
      for (const item of items) {
        if (item.type === "imported") await tx.put(item.contract);
        else if (item.type === "deleted") await tx.remove(item.contract.id);
        else if (item.type === "link") await tx.mail(item);
        else await compare(client, tx, item.tenant);
      }
    });
  }
}

/** After the service's database was set back, the list of contracts decides. */
async function compare(client: TorikomiClient, tx: MirrorTransaction, tenant?: string): Promise<void> {
  const gone = new Set(await tx.listIds(tenant));
  for await (const contract of client.listAllContracts({ tenant, limit: 200 })) {
    gone.delete(contract.id);
    await tx.put(contract);
  }
  for (const id of gone) await tx.remove(id);
}
