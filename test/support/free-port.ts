import { randomInt } from "node:crypto";
import { createServer } from "node:net";

const LOWEST_PORT = 20_000;
const PORTS = 12_000;

/** Below those that the system gives to outgoing connections: one of these could take it before the service does. */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + randomInt(PORTS);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
