import { prepareCluster } from "./cluster.ts";
import { joinServer, leaveServer, type Membership } from "./membership.ts";

export type EmbeddedPostgres = {
  readonly connectionString: string;
  /** Leaves the server, and stops it where nobody else uses it: within 20 s or so. A second call changes nothing. */
  close(): Promise<void>;
};

export type EmbeddedPostgresOptions = {
  /** The database lies in its folder `postgres`. */
  dataDir: string;
  /** Refused: production has a database of its own. */
  production: boolean;
  /** False gives up safety against crashes of the machine, though not of programs, for speed: as tests do. */
  durable?: boolean;
  /** PostgreSQL's settings beside ours. */
  settings?: Readonly<Record<string, string>>;
  /** Told what went wrong beside what the caller asked for. */
  log?: (message: string) => void;
};

/**
 * A PostgreSQL of our own, for development and one small machine: joins the server that runs on the data folder
 * already, or makes and starts one. It takes over what a killed process left behind, and lives until the last one
 * that uses it closes. Throws where the programs are not installed or PostgreSQL cannot start, with what it said.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  if (options.production) throw new Error("the embedded PostgreSQL is not for production: set DATABASE_URL");
  const { dataDir, durable = true, settings = {}, log = () => {} } = options;
  const cluster = await prepareCluster({ dataDir, durable, settings });
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

/** A crash of the server ends its connections, and with them the membership: joins anew, starting it if need be. */
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
