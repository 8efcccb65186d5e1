import assert from "node:assert/strict";
import { test } from "node:test";
import { type CompletedQuery, listOptions, readPage } from "../../../src/docusign/api/listing.ts";

const QUERY: CompletedQuery = {
  from: new Date("2026-03-31T14:00:00Z"),
  to: new Date("2026-03-31T15:00:00Z"),
  startPosition: 0,
  count: 3,
  receivedOnly: false,
};

function rows(count: number): object[] {
  return Array.from({ length: count }, () => ({
    envelopeId: "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    status: "completed",
  }));
}

test("a listing requests completed envelopes by completion time, oldest first, with recipients and documents", () => {
  assert.deepEqual(listOptions(QUERY), {
    fromDate: "2026-03-31T14:00:00.000Z",
    toDate: "2026-03-31T15:00:00.000Z",
    fromToStatus: "completed",
    status: "completed",
    orderBy: "completed",
    order: "asc",
    count: "3",
    startPosition: "0",
    include: "recipients,documents",
  });
});

test("a listing can cover received envelopes and omit recipients and documents", () => {
  const options = listOptions({ ...QUERY, receivedOnly: true, include: false });

  assert.deepEqual([options["userFilter"], options["include"]], ["recipient", undefined]);
});

type Page = readonly [what: string, start: number, listed: number, rest: object, next: number | null];

const uri = (start: number): string => `/envelopes?start_position=${start}&count=3&status=completed`;

const PAGES: readonly Page[] = [
  ["no fields", 0, 0, {}, null],
  ["an empty page", 0, 0, { totalSetSize: "0", endPosition: "0", nextUri: "" }, null],
  ["a partly filled page", 0, 2, { totalSetSize: "2", endPosition: "1" }, null],
  ["all signs of a next page", 0, 3, { totalSetSize: "9", endPosition: "2", nextUri: uri(3) }, 3],
  ["a later page", 3, 3, { totalSetSize: "9", endPosition: "5", nextUri: uri(6) }, 6],
  ["the last page", 6, 2, { totalSetSize: "8", endPosition: "7" }, null],
  ["only a next URI", 0, 2, { nextUri: uri(3) }, 2],
  ["only a total", 0, 2, { totalSetSize: "5" }, 2],
  ["only a full page", 0, 3, {}, 3],
  ["a full page that claims to be all", 0, 3, { totalSetSize: "3", endPosition: "2" }, 3],
  ["a one-based end position", 0, 3, { totalSetSize: "9", endPosition: "3" }, 3],
  ["an end position relative to the page", 3, 3, { totalSetSize: "9", endPosition: "2", nextUri: uri(6) }, 6],
  ["a page with omitted rows", 0, 2, { totalSetSize: "9", endPosition: "2", nextUri: uri(3) }, 3],
  ["an empty page before the end", 3, 0, { totalSetSize: "9", nextUri: uri(6) }, 6],
  ["an empty page with a next URI but no total", 3, 0, { nextUri: uri(6) }, null],
  ["an empty page with a next URI after the total", 9, 0, { totalSetSize: "9", nextUri: uri(12) }, null],
  ["an empty page of a larger total", 6, 0, { totalSetSize: "20", endPosition: "8" }, null],
  ["a next URI that leads back", 3, 0, { nextUri: uri(0) }, null],
];

for (const [what, startPosition, listed, rest, next] of PAGES) {
  test(`${what}: the next start position is ${next ?? "none"}`, () => {
    const page = readPage({ envelopes: rows(listed), ...rest }, { ...QUERY, startPosition });

    assert.deepEqual([page.next, page.envelopes.length], [next, listed]);
  });
}

test("a listing without envelopes is empty if a count confirms it", () => {
  assert.deepEqual(readPage({ envelopes: null, resultSetSize: "0" }, QUERY).envelopes, []);
  assert.deepEqual(readPage({ totalSetSize: "0" }, QUERY).envelopes, []);
  assert.deepEqual(readPage({ totalSetSize: "9" }, { ...QUERY, startPosition: 9 }).envelopes, []);
});

for (const answer of [
  {},
  { resultSetSize: "1" },
  { totalSetSize: "9" },
  { envelopes: null, resultSetSize: 2 },
]) {
  test(`${JSON.stringify(answer)} is unreadable: it has no envelopes and does not confirm that there are none`, () => {
    assert.throws(() => readPage(answer, QUERY), { code: "unreadable-answer" });
  });
}

test("a row without a status counts as completed, since only completed envelopes were requested", () => {
  const { status: _status, ...row } = {
    status: "completed",
    ...rows(1)[0],
    completedDateTime: "2031-01-15T03:30:00Z",
  };

  const [envelope] = readPage({ envelopes: [row] }, QUERY).envelopes;

  assert.deepEqual(
    [envelope?.status, envelope?.completedAt],
    ["completed", new Date("2031-01-15T03:30:00Z")],
  );
});

test("unreadable rows are counted, and the others are kept", () => {
  const page = readPage({ envelopes: [...rows(1), { envelopeId: "x" }, null], totalSetSize: "3" }, QUERY);

  assert.deepEqual([page.envelopes.length, page.unreadable, page.totalSetSize], [1, 2, 3]);
});

test("a response that is not a listing is a fault", () => {
  assert.throws(() => readPage({ envelopes: {} }, QUERY), { code: "unreadable-answer" });
  assert.throws(() => readPage("", QUERY), { code: "unreadable-answer" });
});
