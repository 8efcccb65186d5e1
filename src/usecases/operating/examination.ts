/** One check of the doctor. */
export type Examination<Deps> = {
  readonly name: string;
  /** Returns what works; throws if it does not. */
  readonly look: (deps: Deps) => Promise<string>;
  /** Follows the error. */
  readonly advice: string;
};
