/** Narrows a text to a closed list that a `check` constraint guarantees. */
export function oneOf<T extends string>(values: readonly T[], text: string): T {
  return required(values.find((value) => value === text));
}

/** Asserts a value that a constraint of the database guarantees. */
export function required<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) {
    throw new Error("the database holds a value that its constraints forbid");
  }
  return value;
}
