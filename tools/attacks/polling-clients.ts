import { connect, type Socket } from "node:net";
import { serveParent } from "../bench/child.ts";

/** Readers of one token that wait for news, in a process of their own. Each tries again a second after a refusal. */
export type PollingWish = { readonly port: number; readonly token: string; readonly clients: number };

/** How often each status came since the last time. */
export type PollingCounts = Readonly<Record<string, number>>;

const RETRY_MS = 1_000;
/** Fewer than connections that the kernel lets wait for the server. */
const AT_ONCE = 100;
const counts = new Map<string, number>();
const sockets = new Set<Socket>();
let position = 0;

serveParent(
  {
    start: async ({ port, token, clients }: PollingWish) => {
      for (let opened = 0; opened < clients; opened += AT_ONCE)
        await Promise.all(Array.from({ length: AT_ONCE }, async () => await openClient(port, token)));
    },
    takeCounts: () => {
      const taken: PollingCounts = Object.fromEntries(counts);
      counts.clear();
      return taken;
    },
  },
  async () => sockets.forEach((socket) => socket.destroy()),
);

async function openClient(port: number, token: string): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  sockets.add(socket);
  socket.on("error", () => count("broken"));
  const ask = (): void => {
    const path = `/v1/changes?wait=30&after=${position}`;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: torikomi\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  };
  let received = "";
  socket.setEncoding("latin1").on("data", (text: string) => {
    received += text;
    const answer = readAnswer(received);
    if (answer === null) return;
    received = "";
    count(answer.status);
    position = Math.max(position, answer.next);
    if (answer.status === "200") ask();
    else setTimeout(ask, RETRY_MS);
  });
  await new Promise((resolve) => socket.once("connect", resolve));
  ask();
}

/** One answer with a length, since a client asks again only after it. */
function readAnswer(text: string): { status: string; next: number } | null {
  const end = text.indexOf("\r\n\r\n");
  const length = /^content-length: (\d+)/im.exec(text)?.[1];
  if (end < 0 || length === undefined || text.length < end + 4 + Number(length)) return null;
  return { status: text.slice(9, 12), next: Number(/"next":(\d+)/.exec(text)?.[1] ?? 0) };
}

function count(status: string): void {
  counts.set(status, (counts.get(status) ?? 0) + 1);
}
