const HOUR_MS = 60 * 60 * 1000;

/** Returns the full hour at or before the given time. Full hours are the same in UTC and in Japan. */
export function startOfHour(now: Date): Date {
  return new Date(Math.floor(now.getTime() / HOUR_MS) * HOUR_MS);
}

/** Returns the first full hour after the given time: 11:00 for 10:00:00.000 (import-rules 3). */
export function nextFullHour(now: Date): Date {
  return new Date(startOfHour(now).getTime() + HOUR_MS);
}
