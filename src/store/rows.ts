/** One of a closed list that a `check` of the database promises. */
export function oneOf<T extends string>(values: readonly T[], text: string): T {
  return required(values.find((value) => value === text));
}

/** What a constraint of the database promises, said to the compiler. */
export function required<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) {
    throw new Error("the database holds a value that its constraints forbid");
  }
  return value;
}
