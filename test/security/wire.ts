import { connect } from "node:net";

/** A request as it goes over the wire, right or wrong. */
export type WireRequest = {
  readonly method: string;
  /** As it stands in the first line, encoded or not. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
};

export type WireAnswer = {
  /** Null if the connection ended without an answer. */
  readonly status: number | null;
  readonly text: string;
  readonly ms: number;
};

const PATIENCE_MS = 20_000;

/** The bytes, with a length unless the request has its own header for it. */
export function toBytes({ method, target, headers, body }: WireRequest): Buffer {
  const told = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  const all = [
    ["Host", "127.0.0.1"],
    ["Connection", "close"],
    ...headers,
    ...(told || (body.length === 0 && method === "GET") ? [] : [["Content-Length", String(body.length)]]),
  ];
  const head = `${method} ${target} HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return Buffer.concat([Buffer.from(head, "utf8"), body]);
}

/**
 * Sends the bytes on a connection of their own and reads to its end; rejects if nothing comes in time. Who hangs up
 * at once says that no more is to come, and need not be answered.
 */
export async function sendBytes(port: number, bytes: Buffer, { hangUp = false } = {}): Promise<WireAnswer> {
  const start = performance.now();
  const pieces: Buffer[] = [];
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const tooLate = setTimeout(() => reject(new Error("no answer in time")), PATIENCE_MS);
  socket.on("data", (piece) => pieces.push(piece));
  // Being cut off is an answer too.
  socket.on("error", () => resolve());
  socket.on("close", () => resolve());
  if (hangUp) socket.end(bytes);
  else socket.write(bytes);
  try {
    await promise;
  } finally {
    clearTimeout(tooLate);
    socket.destroy();
  }
  const text = Buffer.concat(pieces).toString("latin1");
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1];
  return { status: status === undefined ? null : Number(status), text, ms: performance.now() - start };
}
