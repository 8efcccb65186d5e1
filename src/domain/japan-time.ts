const JAPAN_OFFSET_MS = 9 * 60 * 60 * 1000;

/** Returns 0:00 in Japan of a calendar date `YYYY-MM-DD`. */
export function startOfDate(date: string): Date {
  return new Date(`${date}T00:00:00+09:00`);
}

/** Converts a time to calendar date and clock time in Japan (UTC+9, no daylight saving), for the years 1 to 9999. */
export function inJapan(moment: Date): { date: string; time: string } {
  const local = new Date(moment.getTime() + JAPAN_OFFSET_MS);
  const year = local.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) throw new RangeError("the moment is outside the years 1 to 9999");
  const text = local.toISOString();
  return { date: text.slice(0, 10), time: text.slice(11, 19) };
}
