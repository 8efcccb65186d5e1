/** How an answer writes moments: the API and Connect differ. */
export type DateFormat = (date: Date) => string;

/** A moment as the API writes it: `2026-03-31T15:00:00.0000000Z`. */
export function apiDate(date: Date): string {
  return `${date.toISOString().slice(0, -1)}0000Z`;
}

/** A moment as Connect writes it inside envelopeSummary: as many fraction digits as it takes, maybe none. */
export function messageDate(date: Date): string {
  return date.toISOString().replace(/\.?0*Z$/, "Z");
}

/** A moment as legacy XML writes it: the local time of an offset in whole hours, without saying which. */
export function localDate(date: Date, offsetHours: number): string {
  const local = new Date(date.getTime() + offsetHours * 3_600_000);
  return local.toISOString().replace(/\.?0*Z$/, "");
}

/** DocuSign's scalars are strings, booleans too. */
export function flag(value: boolean): "true" | "false" {
  return value ? "true" : "false";
}
