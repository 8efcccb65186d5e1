import { setTimeout as pause } from "node:timers/promises";
import { type Message, postMessage } from "../docusign/connect-post.ts";
import type { DocuSignSimulator } from "../docusign/simulator.ts";
import { until } from "../waiting.ts";

/** Connect's sending side: asks for acknowledgement, and sends again what was not answered with 200. */
export type Sender = AsyncDisposable & {
  /** Messages that were answered with 200. */
  readonly accepted: ReadonlySet<Message>;
  /** Messages that were given up after the last attempt. */
  readonly givenUp: ReadonlySet<Message>;
  /** Messages that vanished on their way, as `lose` asked for. */
  readonly lost: readonly Message[];
  /** How often each answer came: `200`, `503`, …, `none` if nobody answered. */
  readonly answers: ReadonlyMap<string, number>;
  /** Nothing is under way and nothing waits. */
  drained(): Promise<number>;
};

type Waiting = { readonly message: Message; readonly tries: number; readonly at: number };

export type SenderOptions = {
  /** Messages under way at once. */
  readonly connections: number;
  readonly attempts: number;
  /** The wait before the second attempt; it grows by as much each time. */
  readonly retryMs: number;
  /** One in this many messages is lost; one in this many is sent twice although it was answered. */
  readonly loseEvery: number;
  readonly repeatEvery: number;
};

const USUAL: SenderOptions = { connections: 8, attempts: 60, retryMs: 500, loseEvery: 9, repeatEvery: 7 };
const LONGEST_WAIT_MS = 3_000;
const LOOK_MS = 10;

/** Sends whatever the simulator's Connect has to tell from now on; `docusign` must be holding deliveries. */
export function startSender(docusign: DocuSignSimulator, options: Partial<SenderOptions> = {}): Sender {
  const { connections, attempts, retryMs, loseEvery, repeatEvery } = { ...USUAL, ...options };
  const queue: Waiting[] = [];
  const accepted = new Set<Message>();
  const givenUp = new Set<Message>();
  const lost: Message[] = [];
  const answers = new Map<string, number>();
  const under = new Set<Promise<void>>();
  let taken = 0;
  let stopped = false;

  const takeHeld = (): void => {
    for (const message of docusign.held.splice(0)) {
      taken += 1;
      if (taken % loseEvery === 0) lost.push(message);
      else queue.push({ message, tries: 0, at: 0 });
    }
  };
  const post = async ({ message, tries }: Waiting): Promise<void> => {
    const { status } = await postMessage(message, message.body(tries));
    const answer = String(status ?? "none");
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
    const again = { message, tries: tries + 1, at: performance.now() + waitAfter(tries, retryMs) };
    if (status === 200) {
      const isFirst = !accepted.has(message);
      accepted.add(message);
      if (isFirst && accepted.size % repeatEvery === 0) queue.push(again);
    } else if (accepted.has(message)) return;
    else if (message.acknowledged && tries + 1 < attempts) queue.push(again);
    else givenUp.add(message);
  };
  const run = async (): Promise<void> => {
    while (!stopped) {
      takeHeld();
      const due = queue.findIndex(({ at }) => at <= performance.now());
      if (due < 0 || under.size >= connections) {
        await pause(LOOK_MS);
        continue;
      }
      const [next] = queue.splice(due, 1);
      const sending: Promise<void> = post(next!).finally(() => under.delete(sending));
      under.add(sending);
    }
    await Promise.all(under);
  };
  const running = run();
  return {
    accepted,
    givenUp,
    lost,
    answers,
    drained: async () =>
      await until(
        () => docusign.held.length === 0 && queue.length === 0 && under.size === 0,
        "every message is answered or given up",
        240_000,
      ),
    async [Symbol.asyncDispose]() {
      stopped = true;
      await running;
    },
  };
}

function waitAfter(tries: number, retryMs: number): number {
  return Math.min(LONGEST_WAIT_MS, retryMs * (tries + 1));
}
