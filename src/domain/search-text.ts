/** Keeps a word from matching across two names. Not a character, so names and queries cannot contain it. */
const BOUNDARY = "\uFFFF";

/**
 * Normalizes names and queries so that a literal comparison finds what a reader means: full and half width, composed and
 * decomposed, capital and small letters are equal. Replaces what PostgreSQL cannot store.
 */
export function normalizeText(text: string): string {
  const folded = text.normalize("NFKC").toLowerCase();
  // JavaScript writes a sigma at the end of a word differently, but a query may end within a word.
  return folded.replaceAll("ς", "σ").replaceAll(/[\0\uFFFF]/g, "\uFFFD");
}

/** The normalized names of one contract as one text. */
export function searchText(names: readonly (string | null)[]): string {
  return names
    .filter((name) => name !== null)
    .map(normalizeText)
    .join(BOUNDARY);
}

/** Returns each pair of adjacent UTF-16 code units once. Pairs across two names are left out. */
export function pairsOf(text: string): string[] {
  const pairs = new Set<string>();
  for (let end = 2; end <= text.length; end += 1) pairs.add(text.slice(end - 2, end));
  return [...pairs].filter((pair) => !pair.includes(BOUNDARY));
}
