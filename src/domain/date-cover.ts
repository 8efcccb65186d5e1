const MOST_MONTHS = 24;
const MOST_YEARS = 100;

/** The month and the year of a date `YYYY-MM-DD`. */
export function periodsOf(date: string): [month: string, year: string] {
  return [date.slice(0, 7), date.slice(0, 4)];
}

/**
 * Returns few periods that cover a range of dates: its months, or its years if it is long. Returns null if it is too long
 * even for that.
 */
export function coverDates(from: string, to: string): string[] | null {
  const [first, last] = [monthOf(from), monthOf(to)];
  if (last - first < MOST_MONTHS) return range(first, last).map(nameOfMonth);
  const [firstYear, lastYear] = [Math.floor(first / 12), Math.floor(last / 12)];
  return lastYear - firstYear < MOST_YEARS ? range(firstYear, lastYear).map(nameOfYear) : null;
}

/** Months since year 0. */
function monthOf(date: string): number {
  return Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}

function nameOfMonth(month: number): string {
  return `${nameOfYear(Math.floor(month / 12))}-${String((month % 12) + 1).padStart(2, "0")}`;
}

function nameOfYear(year: number): string {
  return String(year).padStart(4, "0");
}
