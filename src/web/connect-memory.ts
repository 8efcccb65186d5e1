/** Bodies up to this size have a quarter of the memory for themselves. */
export const SMALL_BODY = 256 * 1024;

/** The memory for the bodies that a process holds. */
export type ConnectMemory = {
  /** Starts to count a body. `release` must follow. */
  open(size: "small" | "large"): BodyMemory;
  /** Returns true if large bodies may use more memory now. */
  hasRoomForLarge(): boolean;
};

/** The memory of one body. */
export type BodyMemory = {
  /** Counts bytes that arrived. Returns false if they exceed the bound. */
  add(bytes: number): boolean;
  /** Counts the body as a large one from now on. Returns false if it exceeds their part of the bound. */
  becomeLarge(): boolean;
  /** Counts nothing any more. Has no effect the second time. */
  release(): void;
};

/** Bounds the bytes of all bodies. Large ones leave a quarter of the bound to small ones. */
export function createConnectMemory(bound: number): ConnectMemory {
  const forLarge = bound - Math.floor(bound / 4);
  const used = { all: 0, large: 0 };
  const isWithin = (): boolean => used.all <= bound && used.large <= forLarge;
  return {
    hasRoomForLarge: () => used.all < bound && used.large < forLarge,
    open(size) {
      let isLarge = size === "large";
      let held = 0;
      const add = (bytes: number): boolean => {
        held += bytes;
        used.all += bytes;
        if (isLarge) used.large += bytes;
        return isLarge ? isWithin() : used.all <= bound;
      };
      return {
        add,
        becomeLarge() {
          isLarge = true;
          used.large += held;
          return isWithin();
        },
        release: () => void add(-held),
      };
    },
  };
}
