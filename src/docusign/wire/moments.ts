const MOMENT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?([.,]\d{1,12})?\s*(Z|[+-]\d\d:?(?:\d\d)?)?$/i;

/**
 * A date and time as DocuSign writes it, with any number of fraction digits, cut to the millisecond. Where it names
 * no zone, `offsetHours` from UTC counts; null where that is unknown too, or where the text is no moment
 * (year 1 is how an unset date is written).
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
  // The comparison refuses 30 February and 24:00, which the engine would roll over.
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
