import { type Delivery, type Message, postMessage, postRaw, type RawMessage } from "./connect-post.ts";
import { shuffled } from "./shuffled.ts";

export type DeliveryVerbs = {
  /** Every message posted, in the order of the answers. */
  readonly deliveries: Delivery[];
  /** Messages kept back, in the order of their events; a test may reorder or remove them. */
  readonly held: Message[];
  /** Messages that were lost on request. */
  readonly lost: Message[];
  /** From now on messages wait in `held`. */
  holdDeliveries(): void;
  /** From now on messages are posted at once; what is held stays held. */
  releaseDeliveries(): void;
  /** Posts the first held messages one after the other, or all at once. */
  deliver(count?: number | "all", options?: { atOnce?: boolean }): Promise<Delivery[]>;
  /** Posts the first held messages, each one again after its answer, as a retry does. */
  deliverTwice(count?: number | "all"): Promise<Delivery[]>;
  /** Posts the very same bytes and signatures once more. */
  redeliver(delivery: Delivery): Promise<Delivery>;
  /** Posts again what no 2xx answered, with the retryCount one higher; only what asks for acknowledgement. */
  retryFailed(): Promise<Delivery[]>;
  /** The next messages vanish on their way. */
  loseNext(count?: number): void;
  /** Held messages change places; the random numbers (0 to below 1) decide. */
  shuffleHeld(random: () => number): void;
  /** Posts a body of the test's own making, signed with the keys. */
  post(message: RawMessage): Promise<{ status: number; body: string }>;
};

/** The posting side of Connect, and the way in for new messages. */
export function createDeliveries(): DeliveryVerbs & {
  dispatch(messages: readonly Message[]): Promise<void>;
} {
  const deliveries: Delivery[] = [];
  const held: Message[] = [];
  const lost: Message[] = [];
  let holding = false;
  let losing = 0;
  const send = async (message: Message, retryCount = 0): Promise<Delivery> => {
    const delivery = await postMessage(message, message.body(retryCount));
    deliveries.push(delivery);
    return delivery;
  };
  const take = (count: number | "all"): Message[] => held.splice(0, count === "all" ? held.length : count);
  return {
    deliveries,
    held,
    lost,
    dispatch: async (messages) => {
      const vanished = messages.slice(0, losing);
      losing -= vanished.length;
      lost.push(...vanished);
      const rest = messages.slice(vanished.length);
      if (holding) held.push(...rest);
      else for (const message of rest) await send(message);
    },
    holdDeliveries: () => {
      holding = true;
    },
    releaseDeliveries: () => {
      holding = false;
    },
    deliver: (count = 1, options = {}) =>
      options.atOnce === true
        ? Promise.all(take(count).map((message) => send(message)))
        : inTurn(take(count), (message) => send(message)),
    deliverTwice: async (count = 1) =>
      (await inTurn(take(count), async (message) => [await send(message), await send(message, 1)])).flat(),
    redeliver: async (delivery) => {
      const again = await postMessage(delivery.message, delivery.body);
      deliveries.push(again);
      return again;
    },
    retryFailed: () => inTurn(unanswered(deliveries), ({ message, tries }) => send(message, tries)),
    loseNext: (count = 1) => {
      losing += count;
    },
    shuffleHeld: (random) => {
      held.splice(0, held.length, ...shuffled(held, random));
    },
    post: postRaw,
  };
}

/** One after the other: the answer to one comes before the next is sent. */
async function inTurn<Thing, Result>(
  things: readonly Thing[],
  act: (thing: Thing) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const thing of things) results.push(await act(thing));
  return results;
}

function unanswered(deliveries: readonly Delivery[]): { message: Message; tries: number }[] {
  const messages = new Map<Message, { tries: number; succeeded: boolean }>();
  for (const { message, status } of deliveries) {
    const before = messages.get(message) ?? { tries: 0, succeeded: false };
    const succeeded = before.succeeded || (status !== null && status >= 200 && status < 300);
    messages.set(message, { tries: before.tries + 1, succeeded });
  }
  return [...messages]
    .filter(([message, { succeeded }]) => message.acknowledged && !succeeded)
    .map(([message, { tries }]) => ({ message, tries }));
}
