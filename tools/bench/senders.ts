import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { serveParent } from "./child.ts";
import { type Announcement, announceAny, signedRequest } from "./messages.ts";

/**
 * The senders of Connect messages: as many connections as wished for, each with one request at a time, as cheap as
 * can be, since they share the processors with the receiver. Requests are made and signed beforehand.
 */
const stock: Buffer[] = [];

serveParent({
  prepare: ({ count, linkIds }: { count: number; linkIds: string[] }) => {
    stock.push(...announceAny(count - stock.length, linkIds).map(signedRequest));
  },
  prepareThese: (announcements: Announcement[]) => {
    stock.push(...announcements.toReversed().map(signedRequest));
  },
  flood,
  pace,
  oneByOne,
  sendAll,
});

export type Flood = { readonly answered: number; readonly perSecond: number };

/** Everybody sends as fast as answers come; counted after the warm-up. */
async function flood(wish: {
  port: number;
  senders: number;
  warmUpMs: number;
  durationMs: number;
}): Promise<Flood> {
  const start = performance.now() + wish.warmUpMs;
  const end = start + wish.durationMs;
  let answered = 0;
  const sendUntilEnd = async (): Promise<void> => {
    const sender = await openSender(wish.port);
    while (performance.now() < end) {
      await sender.send(take());
      const now = performance.now();
      if (now >= start && now < end) answered += 1;
    }
    sender.close();
  };
  await Promise.all(Array.from({ length: wish.senders }, sendUntilEnd));
  return { answered, perSecond: (answered * 1000) / wish.durationMs };
}

/** At a steady rate, whether or not answers come; times are counted from when each was to be sent. */
async function pace(wish: {
  port: number;
  senders: number;
  perSecond: number;
  durationMs: number;
}): Promise<number[]> {
  const senders = await Promise.all(Array.from({ length: wish.senders }, () => openSender(wish.port)));
  const idle = [...senders];
  const late: number[] = [];
  const times: number[] = [];
  const start = performance.now();
  const total = Math.floor((wish.perSecond * wish.durationMs) / 1000);
  let due = 0;
  const sendDue = (): void => {
    while (late.length > 0 && idle.length > 0) sendOne(idle.pop()!, late.shift()!);
  };
  const sendOne = (sender: Sender, dueAt: number): void => {
    void sender.send(take()).then(() => {
      times.push(performance.now() - dueAt);
      idle.push(sender);
      sendDue();
    });
  };
  while (times.length < total) {
    for (; due < total && start + (due * 1000) / wish.perSecond <= performance.now(); due += 1)
      late.push(start + (due * 1000) / wish.perSecond);
    sendDue();
    await sleep(1);
  }
  for (const sender of senders) sender.close();
  return times;
}

/** One sender, one event, a pause, the next: each finds the receiver idle. */
async function oneByOne(wish: { port: number; count: number; pauseMs: number }): Promise<number[]> {
  const sender = await openSender(wish.port);
  const times: number[] = [];
  for (let sent = 0; sent < wish.count; sent += 1) {
    await sleep(wish.pauseMs);
    const start = performance.now();
    await sender.send(take());
    times.push(performance.now() - start);
  }
  sender.close();
  return times;
}

/** All that was prepared, in its order; each sender its next one when the last was answered. */
async function sendAll(wish: { port: number; senders: number }): Promise<void> {
  const sendUntilNoneIsLeft = async (): Promise<void> => {
    const sender = await openSender(wish.port);
    while (stock.length > 0) await sender.send(take());
    sender.close();
  };
  await Promise.all(Array.from({ length: wish.senders }, sendUntilNoneIsLeft));
}

function take(): Buffer {
  const request = stock.pop();
  if (request === undefined) throw new Error("no request is left: prepare more");
  return request;
}

type Sender = {
  /** Resolves with the whole answer's end; throws unless that is 200. */
  send(request: Buffer): Promise<void>;
  close(): void;
};

async function openSender(port: number): Promise<Sender> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  let waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  listen(socket, (problem) => {
    const settled = waiting;
    waiting = undefined;
    if (problem === null) settled?.resolve();
    else settled?.reject(problem);
  });
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => void socket.destroy(),
  };
}

function listen(socket: Socket, settle: (problem: Error | null) => void): void {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    const head = text.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
    if (text.length < head + 4 + length) return;
    const answer = text;
    text = "";
    settle(answer.startsWith("HTTP/1.1 200") ? null : new Error(answer));
  });
  socket.on("error", (error) => settle(error));
  socket.on("close", () => settle(new Error("the receiver hung up")));
}
