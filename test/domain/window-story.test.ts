import assert from "node:assert/strict";
import { test } from "node:test";
import type { Envelope } from "../../src/domain/envelope.ts";
import { accountA, accountB, accountC, envelope, recipient, user } from "./envelopes.ts";
import { type Linking, playHistory } from "./history.ts";

/** The people in the help page's tables: X and Z of account A, Y of account B. */
const x = user("2");
const y = user("3");
const z = user("4");
const stranger = user("8");
const elsewhere = { ...stranger, accountId: accountC };

/** The start of a month of 2026 in Japan. */
function monthStart(month: number): Date {
  return new Date(Date.UTC(2026, month - 1, 1, -9));
}

function momentsOf(month: number): Date[] {
  const [first, end] = [monthStart(month), monthStart(month + 1)];
  return [first, new Date((first.getTime() + end.getTime()) / 2), new Date(end.getTime() - 1)];
}

const times = {
  earlier: [new Date("2019-07-01T00:00:00Z"), new Date(monthStart(1).getTime() - 1)],
  january: momentsOf(1),
  february: momentsOf(2),
  march: momentsOf(3),
  april: momentsOf(4),
};

type Time = keyof typeof times;
type Way = "sent by A" | "sent by B" | "received by X" | "received by Y" | "received by Z";

const MAKE: Record<Way, Partial<Envelope>> = {
  "sent by A": { sender: { ...stranger, accountId: accountA } },
  "sent by B": { sender: { ...stranger, accountId: accountB } },
  "received by X": { sender: elsewhere, recipients: [recipient(stranger), recipient(x)] },
  "received by Y": { sender: elsewhere, recipients: [recipient(y)] },
  "received by Z": { sender: elsewhere, recipients: [recipient(z)] },
};
const ways: readonly Way[] = ["sent by A", "sent by B", "received by X", "received by Y", "received by Z"];

function envelopeOf(way: Way, completedAt: Date): Envelope {
  return envelope({ subject: way, completedAt, ...MAKE[way] });
}

/** A row of the table: the completion times of each kind of envelope that the month imports. */
type Row = Partial<Record<Way, readonly Time[]>>;

function assertTable(linkings: readonly Linking[], table: readonly Row[]): void {
  const all = ways.flatMap((way) =>
    Object.values(times)
      .flat()
      .map((moment) => envelopeOf(way, moment)),
  );

  const found = playHistory(linkings, all);

  assert.deepEqual(
    found.map((month) => month.map(nameOf).sort()),
    table.map((row) => namesOf(row).sort()),
  );
}

function nameOf({ subject, completedAt }: Envelope): string {
  return `${subject} ${completedAt?.toISOString()}`;
}

function namesOf(row: Row): string[] {
  return Object.entries(row).flatMap(([way, named]) =>
    named.flatMap((time) => times[time]).map((moment) => `${way} ${moment.toISOString()}`),
  );
}

const xInJanuary = { accountId: accountA, userId: x.userId, endedAt: monthStart(2) };
const yInFebruary = { accountId: accountB, userId: y.userId, endedAt: monthStart(3) };
const zInFebruary = { accountId: accountA, userId: z.userId, endedAt: monthStart(3) };
const xInMarch = { accountId: accountA, userId: x.userId, endedAt: monthStart(4) };

test("different accounts: X in January, Y in February, X in March import what the help page's table shows", () => {
  assertTable(
    [xInJanuary, yInFebruary, xInMarch],
    [
      { "received by X": ["earlier", "january"], "sent by A": ["earlier", "january"] },
      {
        "received by Y": ["earlier", "january", "february"],
        "sent by B": ["earlier", "january", "february"],
      },
      { "received by X": ["february", "march"], "sent by A": ["february", "march"] },
    ],
  );
});

test("the same account: X in January, Z in February, X in March import what the help page's table shows", () => {
  assertTable(
    [xInJanuary, zInFebruary, xInMarch],
    [
      { "received by X": ["earlier", "january"], "sent by A": ["earlier", "january"] },
      { "received by Z": ["earlier", "january", "february"], "sent by A": ["february"] },
      { "received by X": ["february", "march"], "sent by A": ["march"] },
    ],
  );
});
