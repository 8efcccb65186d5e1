import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { Refusal } from "../../src/domain/refusal.ts";
import { BODY_LIMITS, type BodyLimits, readBody } from "../../src/web/connect-body.ts";
import { createConnectMemory } from "../../src/web/connect-memory.ts";
import { createRounds } from "../../src/web/connect-rounds.ts";
import { problemFor } from "../../src/web/problem.ts";
import { startHttpServer } from "../../src/web/server.ts";
import { leaveUnread } from "../../src/web/unread-body.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** The bound of these tests: three quarters are for large bodies. */
const MEMORY = 4 * MIB;

test("a body is read in the order of its parts, whether its length is declared or not", async () => {
  await using receiver = await startReceiver();

  for (const declared of [12, null]) {
    const sender = receiver.open(declared);
    for (const part of ["first ", "second"]) sender.send(Buffer.from(part));
    sender.finish();

    assert.deepEqual(await sender.answer(), { status: 200, body: "first second" });
  }
  const empty = receiver.open(0);
  assert.deepEqual(await empty.answer(), { status: 200, body: "" });
});

test("large bodies share three quarters of the memory; small ones use the rest, and all of it without large ones", async () => {
  await using receiver = await startReceiver();
  const large = await receiver.holding(31 * MIB, 3 * MIB - 64 * KIB);

  const second = await receiver.holding(31 * MIB, 0);
  second.send(Buffer.alloc(128 * KIB));
  assert.equal((await second.answer()).status, 503);
  const smalls = [];
  for (let count = 0; count < 4; count += 1) smalls.push(await receiver.holding(256 * KIB, 255 * KIB));
  large.hangUp();
  await receiver.until(4 * 255 * KIB);
  for (let count = 4; count < 16; count += 1) smalls.push(await receiver.holding(256 * KIB, 255 * KIB));
  const beyond = receiver.open(256 * KIB);
  beyond.send(Buffer.alloc(200 * KIB));

  assert.equal((await beyond.answer()).status, 503);
  for (const small of smalls) {
    small.send(Buffer.alloc(KIB));
    assert.equal((await small.answer()).status, 200);
  }
  assert.equal(receiver.held(), 0);
});

test("while large bodies fill their part, another one is refused before it is read, and without a question", async () => {
  await using receiver = await startReceiver();
  await receiver.holding(31 * MIB, 3 * MIB);

  const second = receiver.open(MIB);

  assert.equal((await second.answer()).status, 503);
  assert.equal(receiver.questions, 1);
});

test("a body of more than 256 KiB is read only if it is permitted, and is not drained otherwise", async () => {
  await using receiver = await startReceiver({ isPermitted: false });

  const declared = receiver.open(31 * MIB);
  declared.send(Buffer.alloc(20 * MIB));
  assert.equal((await declared.answer()).status, 410);
  const undeclared = receiver.open(null);
  undeclared.send(Buffer.alloc(20 * MIB));
  assert.equal((await undeclared.answer()).status, 410);
  const small = receiver.open(null);
  small.send(Buffer.alloc(256 * KIB));
  small.finish();
  assert.equal((await small.answer()).status, 200);

  assert.equal(receiver.questions, 2);
  assert.ok(receiver.bytesRead() < 2 * MIB, `${receiver.bytesRead()} bytes were read`);
});

test("a body of more than 32 MiB is answered with 413 and not drained", async () => {
  await using receiver = await startReceiver({ memory: 64 * MIB });

  const declared = receiver.open(32 * MIB + 1);
  declared.send(Buffer.alloc(20 * MIB));
  assert.equal((await declared.answer()).status, 413);
  assert.ok(receiver.bytesRead() < MIB, `${receiver.bytesRead()} bytes were read`);
  const undeclared = receiver.open(null);
  undeclared.send(Buffer.alloc(40 * MIB));
  assert.equal((await undeclared.answer()).status, 413);

  assert.ok(receiver.bytesRead() < 34 * MIB, `${receiver.bytesRead()} bytes were read`);
  assert.equal(receiver.held(), 0);
});

const QUICK = {
  ...BODY_LIMITS,
  smallWithinMs: 300,
  beginningWithinMs: 300,
  periodMs: 400,
  bytesPerPeriod: 40 * KIB,
};

test("a body that is not complete in time is answered with 408", async () => {
  await using receiver = await startReceiver({ limits: QUICK });

  for (const [declared, sent] of [
    [256 * KIB, 100],
    [null, 100],
    [31 * MIB, 100],
    [31 * MIB, 300 * KIB],
  ] as const) {
    const sender = receiver.open(declared);
    sender.send(Buffer.alloc(sent));
    assert.equal((await sender.answer()).status, 408, `${declared} ${sent}`);
  }
  assert.equal(receiver.held(), 0);
});

test("a large body may take any time if it arrives at the required speed, and is refused once it slows down", async () => {
  await using receiver = await startReceiver({ limits: QUICK });
  const sender = await receiver.holding(3 * MIB, 300 * KIB);
  const begun = performance.now();

  const dripping = setInterval(() => sender.send(Buffer.alloc(8 * KIB)), 40);
  await receiver.until(300 * KIB + 30 * 8 * KIB);
  clearInterval(dripping);

  assert.ok(performance.now() - begun > 2 * QUICK.periodMs);
  assert.equal((await sender.answer()).status, 408);
});

test("two parts of large bodies are read in a round of the event loop, in the order in which they wait", async () => {
  const rounds = createRounds();
  const read: number[] = [];
  const perRound: number[][] = [];
  for (let part = 1; part <= 5; part += 1) rounds.wait(() => read.push(part));

  while (read.length < 5) {
    await new Promise((resolve) => setImmediate(resolve));
    perRound.push([...read]);
  }
  rounds.wait(() => read.push(6));
  await new Promise((resolve) => setImmediate(resolve));

  assert.deepEqual(perRound, [
    [1, 2],
    [1, 2, 3, 4],
    [1, 2, 3, 4, 5],
  ]);
  assert.equal(read.at(-1), 6);
});

test("each part of a large body but the first waits for its round", async () => {
  await using receiver = await startReceiver();
  const sender = await receiver.holding(2 * MIB, MIB);

  sender.send(Buffer.alloc(MIB));

  assert.equal((await sender.answer()).status, 200);
  assert.ok(receiver.rounds >= 28, `${receiver.rounds} rounds`);
});

test("the memory of an aborted body is free again, before any of its time limits", async () => {
  await using receiver = await startReceiver({ limits: { ...BODY_LIMITS, periodMs: 3_600_000 } });
  const sender = await receiver.holding(31 * MIB, 2 * MIB);

  sender.hangUp();
  await receiver.until(0);

  assert.equal(receiver.held(), 0);
});

type Options = { readonly limits?: BodyLimits; readonly isPermitted?: boolean; readonly memory?: number };

/** A server that reads bodies and answers with them if they are short. */
async function startReceiver({
  limits = BODY_LIMITS,
  isPermitted = true,
  memory: bound = MEMORY,
}: Options = {}) {
  const bodies = new Map<IncomingMessage, number>();
  const memory = createConnectMemory(bound);
  const turns = createRounds();
  const rounds = {
    wait: (goOn: () => void): void => {
      state.rounds += 1;
      turns.wait(goOn);
    },
  };
  const changes = new EventTarget();
  const sockets = new Set<IncomingMessage["socket"]>();
  const state = { questions: 0, rounds: 0 };
  const held = (): number => [...bodies.values()].reduce((sum, bytes) => sum + bytes, 0);
  const note = (request: IncomingMessage, bytes: number | null): void => {
    if (bytes === null) bodies.delete(request);
    else bodies.set(request, (bodies.get(request) ?? 0) + bytes);
    changes.dispatchEvent(new Event("change"));
  };
  const allowLarge = async (): Promise<void> => {
    state.questions += 1;
    if (!isPermitted) throw new Refusal("gone");
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    sockets.add(request.socket);
    const onPart = ({ length }: Uint8Array): void => note(request, length);
    try {
      const { parts, release } = await readBody(request, { memory, rounds, limits, allowLarge, onPart });
      note(request, null);
      release();
      response.end(Buffer.concat(parts).subarray(0, 100));
    } catch (error) {
      note(request, null);
      leaveUnread(request, response);
      response.statusCode = problemFor(error).status;
      response.end();
    }
  };
  const server = await startHttpServer((request, response) => void answer(request, response), {
    host: "127.0.0.1",
    port: 0,
  });
  const opened: ReturnType<typeof openSender>[] = [];
  const open = (declared: number | null) => {
    const sender = openSender(server.port, declared);
    opened.push(sender);
    return sender;
  };
  const until = async (bytes: number): Promise<void> => {
    while (held() !== bytes) await once(changes, "change");
  };
  return {
    open,
    until,
    held,
    get questions() {
      return state.questions;
    },
    /** How often a large body has waited for its turn. */
    get rounds() {
      return state.rounds;
    },
    bytesRead: () => [...sockets].reduce((sum, { bytesRead }) => sum + bytesRead, 0),
    /** A sender of whose body the given part has arrived. */
    async holding(declared: number, sent: number) {
      const sender = open(declared);
      sender.send(Buffer.alloc(sent));
      await until(held() + sent);
      return sender;
    },
    [Symbol.asyncDispose]: async () => {
      for (const sender of opened) sender.hangUp();
      await server.close(0);
    },
  };
}

function openSender(port: number, declared: number | null) {
  const socket = connect(port, "127.0.0.1");
  const length = declared === null ? "Transfer-Encoding: chunked" : `Content-Length: ${declared}`;
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${length}\r\n\r\n`);
  // Neither an answer before the end of the body nor the end of the connection is an error of the sender.
  socket.on("error", () => {});
  let text = "";
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on("data", (piece) => {
    text += piece.toString("latin1");
    if (text.includes("\r\n\r\n")) resolve();
  });
  socket.on("close", () => resolve());
  return {
    send: (bytes: Buffer) => {
      if (bytes.length === 0) return;
      if (declared === null) socket.write(`${bytes.length.toString(16)}\r\n`);
      socket.write(bytes);
      if (declared === null) socket.write("\r\n");
    },
    finish: () => {
      if (declared === null) socket.write("0\r\n\r\n");
    },
    answer: async () => {
      await promise;
      const [head = "", body = ""] = text.split("\r\n\r\n");
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
      return status === 200 ? { status, body: dechunked(head, body) } : { status };
    },
    hangUp: () => socket.destroy(),
  };
}

function dechunked(head: string, body: string): string {
  return /chunked/i.test(head) ? (body.split("\r\n")[1] ?? "") : body;
}
