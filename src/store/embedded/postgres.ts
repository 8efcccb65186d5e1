import { prepareCluster } from "./cluster.ts";
import { joinServer, leaveServer, type Membership } from "./membership.ts";

export type EmbeddedPostgres = {
  readonly connectionString: string;
  /** Leaves the server, and stops it within about 20 s if nothing else uses it. Idempotent. */
  close(): Promise<void>;
};

export type EmbeddedPostgresOptions = {
  /** The database is stored in its folder `postgres`. */
  dataDir: string;
  /** Must be false: production brings its own database. */
  production: boolean;
  /** False trades safety against crashes of the machine for speed, as tests do. Crashes of programs stay safe. */
  durable?: boolean;
  /** Further settings for PostgreSQL. */
  settings?: Readonly<Record<string, string>>;
  /** The folder of PostgreSQL's programs; by default, those that npm installed. */
  programs?: string | null;
  /** Called with problems that do not fail the call. */
  log?: (message: string) => void;
};

/**
 * Opens an embedded PostgreSQL, for development and for one small machine. Joins the server that already runs on the data
 * folder, or creates and starts one. Recovers what a killed process left behind. The server lives until the last user
 * closes it. Throws if the programs are not installed or PostgreSQL cannot start, with PostgreSQL's output.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  if (options.production) throw new Error("the embedded PostgreSQL is not for production: set DATABASE_URL");
  const { dataDir, durable = true, settings = {}, programs = null, log = () => {} } = options;
  const cluster = await prepareCluster({ dataDir, durable, settings, programs });
  const first = await joinServer(cluster);
  const membership = holdMembership(first, () => joinServer(cluster), log);
  let closing: Promise<void> | undefined;
  return {
    connectionString: first.connectionString,
    close: () =>
      (closing ??= membership.end((current) => leaveServer(cluster, current)).catch(reportTo(log))),
  };
}

type Held = { end(leave: (current: Membership) => Promise<void>): Promise<void> };

/** A crash of the server ends the membership with its connection. Joins again and starts the server if necessary. */
function holdMembership(
  first: Membership,
  join: () => Promise<Membership>,
  log: (message: string) => void,
): Held {
  let ended = false;
  let current = Promise.resolve(first);
  const watch = (membership: Membership): Membership => {
    membership.keeper.once("error", (error) => {
      if (ended) return;
      reportTo(log)(error);
      current = join().then(watch);
      current.catch(reportTo(log));
    });
    return membership;
  };
  watch(first);
  return {
    async end(leave) {
      ended = true;
      await leave(await current);
    },
  };
}

function reportTo(log: (message: string) => void): (error: unknown) => void {
  return (error) => log(`embedded PostgreSQL: ${error instanceof Error ? error.message : String(error)}`);
}
