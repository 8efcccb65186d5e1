/** So many of the list at most, spread evenly over it, always the same. */
export function chooseEvenly<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list];
  return Array.from({ length: most }, (_, index) => list[Math.floor((index * list.length) / most)]).filter(
    (one) => one !== undefined,
  );
}
