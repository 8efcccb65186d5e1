import { connect } from "node:net";

export type SlowSenders = {
  /** How many of them are still being listened to. */
  open(): number;
  /** The answer of each closed connection; null if there was none. */
  readonly answers: (number | null)[];
  hangUp(): void;
};

const DRIBBLE_MS = 500;

/** Opens connections that send the beginning at once and then a byte every half a second, without end. */
export function dribble(port: number, count: number, beginning: string): SlowSenders {
  const answers: (number | null)[] = [];
  const sockets = Array.from({ length: count }, () => {
    const socket = connect({ port, host: "127.0.0.1" });
    let text = "";
    socket.write(beginning);
    const drip = setInterval(() => socket.write("a"), DRIBBLE_MS);
    socket.on("data", (piece) => (text += piece.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => {
      clearInterval(drip);
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      answers.push(status === undefined ? null : Number(status));
    });
    return socket;
  });
  return {
    open: () => count - answers.length,
    answers,
    hangUp: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
