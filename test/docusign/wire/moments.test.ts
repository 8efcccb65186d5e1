import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMoment } from "../../../src/docusign/wire/moments.ts";

const MOMENTS: readonly (readonly [text: string, offsetHours: number | null, utc: string | undefined])[] = [
  ["2026-03-31T15:00:00Z", null, "2026-03-31T15:00:00.000Z"],
  ["2022-12-09T18:32:13.2990000Z", null, "2022-12-09T18:32:13.299Z"],
  ["2022-12-09T18:32:54.34Z", null, "2022-12-09T18:32:54.340Z"],
  ["2022-12-09T18:32:54.9999999Z", null, "2022-12-09T18:32:54.999Z"],
  ["2010-06-26T09:19:45.771206-07:00", 9, "2010-06-26T16:19:45.771Z"],
  ["2026-04-01T05:30:00+0530", null, "2026-04-01T00:00:00.000Z"],
  ["2020-03-28T23:57:15.1085476", -7, "2020-03-29T06:57:15.108Z"],
  ["2026-04-01T00:00:15.5", 9, "2026-03-31T15:00:15.500Z"],
  ["2026-04-01T00:00", 0, "2026-04-01T00:00:00.000Z"],
  ["2020-03-28T23:57:15", null, undefined],
  ["2026-02-30T00:00:00Z", null, undefined],
  ["2026-01-01T24:00:00Z", null, undefined],
  ["0001-01-01T00:00:00.0000000Z", null, undefined],
  ["yesterday", 0, undefined],
  ["", 0, undefined],
];

for (const [text, offsetHours, utc] of MOMENTS) {
  test(`"${text}" at UTC${offsetHours ?? "?"} is ${utc ?? "not a valid time"}`, () => {
    assert.equal(parseMoment(text, offsetHours)?.toISOString(), utc);
  });
}
