const MOMENT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?([.,]\d{1,12})?\s*(Z|[+-]\d\d:?(?:\d\d)?)?$/i;

/**
 * Parses a date and time as DocuSign writes it, with any number of fraction digits, truncated to the millisecond. If it
 * has no zone, `offsetHours` from UTC is used. Returns null if that is unknown too, or if the text is not a time. DocuSign
 * writes an unset date as year 1.
 */
export function parseMoment(text: string | null, offsetHours: number | null): Date | null {
  const match = MOMENT.exec(text?.trim() ?? "");
  if (match === null) return null;
  const [, date, time, seconds = ":00", fraction = ".", zone] = match;
  const local = readAsUtc(`${date}T${time}${seconds}.${fraction.slice(1, 4).padEnd(3, "0")}Z`);
  const minutes = zone === undefined ? minutesOf(offsetHours) : readZone(zone);
  return local === null || minutes === null ? null : new Date(local.getTime() - minutes * 60_000);
}

function readAsUtc(iso: string): Date | null {
  const date = new Date(iso);
  // The comparison rejects 30 February and 24:00, which the engine would roll over.
  const exists = !Number.isNaN(date.getTime()) && date.toISOString() === iso;
  return exists && date.getUTCFullYear() > 1 ? date : null;
}

function minutesOf(hours: number | null): number | null {
  return hours === null ? null : hours * 60;
}

function readZone(zone: string): number {
  if (zone.toUpperCase() === "Z") return 0;
  const digits = zone.replace(/\D/g, "").padEnd(4, "0");
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return zone.startsWith("-") ? -minutes : minutes;
}
