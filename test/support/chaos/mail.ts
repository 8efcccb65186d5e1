import { shuffled } from "../docusign/shuffled.ts";
import type { World } from "../world.ts";
import type { Random } from "./random.ts";

const DROPPED = 0.3;
const REPEATED = 0.2;
const AT_ONCE = 8;

/** What Connect has to tell is kept back from now on; part of it gets lost, part comes twice, none in its order. */
export function createMail(
  world: World,
  random: Random,
): { mix(): void; deliver(share: number): Promise<void> } {
  const { docusign } = world;
  docusign.holdDeliveries();
  let mixed: typeof docusign.held = [];
  return {
    mix: () => {
      const arriving = docusign.held
        .splice(0)
        .filter(() => !random.chance(DROPPED))
        .flatMap((message) => (random.chance(REPEATED) ? [message, message] : [message]));
      mixed = shuffled([...mixed, ...arriving], random.next);
    },
    deliver: async (share) => {
      docusign.held.push(...mixed.splice(0, Math.ceil(mixed.length * share)));
      while (docusign.held.length > 0) await docusign.deliver(AT_ONCE, { atOnce: true });
    },
  };
}
