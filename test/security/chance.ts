/** Numbers that look random and are the same for the same seed (mulberry32). */
export type Chance = {
  /** From 0 to below `bound`, whole. */
  below(bound: number): number;
  pick<Thing>(things: readonly Thing[]): Thing;
  /** True once in `times`. */
  once(times: number): boolean;
};

export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const below = (bound: number): number => Math.floor(next() * bound);
  return {
    below,
    pick: (things) => {
      const thing = things[below(things.length)];
      if (thing === undefined) throw new Error("nothing to pick from");
      return thing;
    },
    once: (times) => below(times) === 0,
  };
}
