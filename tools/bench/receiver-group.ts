import { openDatabase } from "../../src/store/database.ts";
import { createTestDatabase } from "../../test/support/postgres.ts";
import { type Child, startChild } from "./child.ts";
import type { Receiver } from "./receivers.ts";
import type { Bench } from "./report.ts";
import { addLinks, type SeededLink } from "./seed.ts";

export type ReceiverGroup = AsyncDisposable & {
  readonly ports: ReadonlyMap<Receiver, number>;
  /** The address of each receiver's database. */
  readonly databases: ReadonlyMap<Receiver, string>;
  readonly senders: Child;
  /** Makes requests, signed, so many that nobody runs out of them. */
  prepare(count: number): Promise<void>;
};

/** Receivers side by side, each with a database of its own, and the senders. Who is not asked uses no processor. */
export async function startReceivers(
  { adminUrl }: Bench,
  names: readonly Receiver[],
): Promise<ReceiverGroup> {
  await using opened = new AsyncDisposableStack();
  const ports = new Map<Receiver, number>();
  const databases = new Map<Receiver, string>();
  let links: SeededLink[] | undefined;
  for (const name of names) {
    const database = opened.use(await createTestDatabase(adminUrl));
    const { db, close } = openDatabase(database.connectionString, { max: 1 });
    links = await addLinks(db, links ?? 10);
    await close();
    const receiver = opened.use(await startChild("./receivers.ts", [name, database.connectionString]));
    ports.set(name, await receiver.ask("port"));
    databases.set(name, database.connectionString);
  }
  const senders = opened.use(await startChild("./senders.ts"));
  const kept = opened.move();
  const linkIds = links?.map(({ id }) => id) ?? [];
  return {
    ports,
    databases,
    senders,
    prepare: async (count) => await senders.ask("prepare", { count, linkIds }),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}
