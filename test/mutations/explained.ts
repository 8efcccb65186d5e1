/** A mutant that no test can or need object to, and why. */
export type Explained = {
  readonly file: string;
  /** The code as it stands. */
  readonly code: string;
  /** What the mutant makes of it. */
  readonly mutant: string;
  readonly because: string;
};

/** Survivors that were looked at one by one. One that is not listed fails the run. */
export const EXPLAINED: readonly Explained[] = [];
