import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

type Pooler = AsyncDisposable & { readonly connectionString: string };

/** The last message of an answer; its body is the state of the transaction. */
const READY = "Z";
const NO_TRANSACTION = "I";
const TERMINATE = "X";

/**
 * Stands between programs and PostgreSQL as a pooler in transaction mode does: a client holds a session only until its
 * transaction ends, and the next transaction, of whichever client, gets the session that became free last.
 */
export async function startTransactionPooler(target: string): Promise<Pooler> {
  const { hostname, port } = new URL(target);
  const idle: Socket[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    let session: Socket | null = connect(Number(port), hostname);
    let isSignedIn = false;
    for (const socket of [client, session]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.setNoDelay(true);
    }
    const attach = (socket: Socket): void => {
      session = socket;
      const frames = frameReader((type, body) => {
        if (type !== READY || body !== NO_TRANSACTION) return;
        socket.removeAllListeners("data");
        session = null;
        // One session is enough for clients that are idle.
        if (!isSignedIn && idle.length > 0) socket.end();
        else idle.push(socket);
        isSignedIn = true;
      });
      socket.on("data", (data: Buffer) => {
        client.write(data);
        frames(data);
      });
    };
    attach(session);
    client.on("data", (data: Buffer) => {
      if (session === null && data.toString("latin1", 0, 1) === TERMINATE) return;
      if (session === null) {
        const free = idle.pop();
        if (free === undefined) throw new Error("the pooler has no session left");
        attach(free);
      }
      session?.write(data);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the pooler has no port");
  const pooled = new URL(target);
  [pooled.hostname, pooled.port] = ["127.0.0.1", String(address.port)];
  return {
    connectionString: pooled.href,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), "close");
    },
  };
}

/** Calls back for each message of the server: its type and its body. */
function frameReader(onFrame: (type: string, body: string) => void): (data: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (data) => {
    rest = Buffer.concat([rest, data]);
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const end = rest.readInt32BE(1) + 1;
      onFrame(rest.toString("latin1", 0, 1), rest.toString("latin1", 5, end));
      rest = rest.subarray(end);
    }
  };
}
