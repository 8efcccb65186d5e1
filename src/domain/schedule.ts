const HOUR_MS = 60 * 60 * 1000;

/** The full hour at or before the moment; full hours are the same in UTC and in Japan. */
export function startOfHour(now: Date): Date {
  return new Date(Math.floor(now.getTime() / HOUR_MS) * HOUR_MS);
}

/** The first full hour after the moment: at 10:00:00.000 that is 11:00 (import-rules 3). */
export function nextFullHour(now: Date): Date {
  return new Date(startOfHour(now).getTime() + HOUR_MS);
}

/**
 * A link's own delay in whole milliseconds, from 0 to less than `windowMs` and always the same, so that many links
 * that are due on the hour do not all call in the same second.
 */
export function spreadWithin(linkId: string, windowMs: number): number {
  return Math.floor((hash(linkId) / 2 ** 32) * windowMs);
}

/** FNV-1a, then a last mixing so that ids which differ in one character land far apart. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
