const HOUR_MS = 60 * 60 * 1000;

/** Returns the full hour at or before the given time. Full hours are the same in UTC and in Japan. */
export function startOfHour(now: Date): Date {
  return new Date(Math.floor(now.getTime() / HOUR_MS) * HOUR_MS);
}

/** Returns the first full hour after the given time: 11:00 for 10:00:00.000 (import-rules 3). */
export function nextFullHour(now: Date): Date {
  return new Date(startOfHour(now).getTime() + HOUR_MS);
}

/**
 * Returns a fixed delay for the link, in whole milliseconds from 0 to less than `windowMs`. It spreads the links that
 * are due on the hour, so that they do not all call in the same second.
 */
export function spreadWithin(linkId: string, windowMs: number): number {
  return Math.floor((hash(linkId) / 2 ** 32) * windowMs);
}

/** FNV-1a with a final mixing step, so that ids which differ in one character are far apart. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
