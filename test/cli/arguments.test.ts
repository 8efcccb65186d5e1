import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommand, UsageError } from "../../src/cli/arguments.ts";

const ID = "0f8fad5b-d9cb-469f-a165-70867728950e";

test("the default command is all", () => {
  assert.deepEqual(parseCommand([]), { name: "all" });
});

test("commands are parsed with their arguments", () => {
  const said = [
    "reconcile",
    "--link",
    ID.toUpperCase(),
    "--from",
    "2031-01-01",
    "--to",
    "2031-01-01T09:30:00+09:00",
  ];

  assert.deepEqual(parseCommand([...said, "--dry-run", "--json"]), {
    name: "reconcile",
    link: ID,
    from: new Date("2031-01-01T00:00:00Z"),
    to: new Date("2031-01-01T00:30:00Z"),
    dryRun: true,
    json: true,
  });
  assert.deepEqual(parseCommand(["explain", ID, "--tenant", "tenant-1"]), {
    name: "explain",
    envelopeId: ID,
    tenant: "tenant-1",
    json: false,
  });
  assert.deepEqual(parseCommand(["replay"]), { name: "replay", link: null, since: null, json: false });
});

const WRONG: readonly (readonly [line: string, message: RegExp])[] = [
  ["reconcile now", /./],
  ["reconcile --link 1", /--link must be the id of a link/],
  ["reconcile --from yesterday", /--from must be a time/],
  ["reconcile --from 2031-01-01T00:00:00", /--from must be a time/],
  ["reconcile --from 2031-02-30", /--from must be a time/],
  ["reconcile --from 2031-01-02 --to 2031-01-01", /--from must be before --to/],
  ["reconcile --from 2031-01-01 --to 2031-01-01", /--from must be before --to/],
  ["reconcile --sideways", /sideways/],
  ["explain", /needs the id of an envelope/],
  ["explain 1", /needs the id of an envelope/],
  [`explain ${ID} ${ID}`, /too many arguments/],
  [`explain ${ID} --tenant *`, /must name one tenant/],
  ["replay --since 2031", /--since must be a time/],
  ["doctor --json", /json/],
  ["migrate twice", /./],
  ["Serve", /unknown command "Serve"/],
];

for (const [line, message] of WRONG)
  test(`a usage error is reported in one line: ${line}`, () => {
    assert.throws(
      () => parseCommand(line.split(" ")),
      (error) => error instanceof UsageError && message.test(error.message) && !error.message.includes("\n"),
    );
  });
