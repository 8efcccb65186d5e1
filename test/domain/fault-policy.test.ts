import assert from "node:assert/strict";
import { test } from "node:test";
import { decideFault, type Fault, type ImportStep, type Reaction } from "../../src/domain/fault-policy.ts";
import { MOST_ATTEMPTS } from "../../src/domain/retries.ts";

const NOW = new Date("2031-01-15T03:00:00Z");
const RETRY_AT = new Date("2031-01-15T03:47:00Z");

const STEPS = ["envelope", "document", "listing", "user", "look-up", "dry-run"] as const;
type Step = (typeof STEPS)[number];
type Row = readonly [
  envelope: string,
  document: string,
  listing: string,
  user: string,
  lookUp: string,
  dryRun: string,
];

const RETRY = "docusign-unavailable, in 5 s, attempt";
const AGAIN = "docusign-unavailable, in 60 s";
const UNKNOWN = "docusign-unavailable";
const ASK_RETRY = "if admin: docusign-unavailable, in 5 s, attempt";
const ASK_AGAIN = "if admin: docusign-unavailable, in 60 s";
const FAILED = "import-failed, in 5 s, attempt";
const UNSTORED = "document-store-unavailable, in 5 s, attempt";
const QUEUED = "queued, in 0 s";
const ERROR = "link-error";
const GONE = "authorization-revoked";
const SEEK = "not-found-yet, in 5 s, attempt";
const SPENT = "account-throttled, in 2820 s, account paused";
const LIMITED = "account-throttled, in 2820 s";
const RESERVED = "budget-reserve, in 2820 s";
const LOOKED_UP = "lookup-budget, in 2820 s";

/** The table "When a call to DocuSign fails" of docs/design.md, for a first attempt. */
const TABLE: Readonly<Record<Fault["kind"], Row>> = {
  own: [FAILED, FAILED, "throw", "throw", "throw", "throw"],
  "store-refused": [UNSTORED, UNSTORED, "throw", "throw", "throw", "throw"],
  "process-ending": [QUEUED, QUEUED, QUEUED, QUEUED, UNKNOWN, UNKNOWN],
  unavailable: [RETRY, RETRY, AGAIN, AGAIN, UNKNOWN, UNKNOWN],
  "our-credentials": [RETRY, RETRY, AGAIN, AGAIN, UNKNOWN, UNKNOWN],
  "account-limit": [SPENT, SPENT, SPENT, SPENT, SPENT, SPENT],
  "resource-limit": [LIMITED, LIMITED, LIMITED, LIMITED, LIMITED, LIMITED],
  "reserve-reached": [RESERVED, RESERVED, RESERVED, RESERVED, RESERVED, RESERVED],
  "lookups-spent": [LOOKED_UP, LOOKED_UP, LOOKED_UP, LOOKED_UP, LOOKED_UP, LOOKED_UP],
  "tokens-gone": [GONE, GONE, GONE, GONE, ERROR, ERROR],
  "call-unauthorized": [ASK_RETRY, ASK_RETRY, ASK_AGAIN, GONE, ERROR, ERROR],
  "not-permitted": [ASK_RETRY, ASK_RETRY, ASK_AGAIN, "not-admin", ERROR, ERROR],
  "not-found": [SEEK, SEEK, ASK_AGAIN, "not-admin", "not-found", UNKNOWN],
  refused: [FAILED, "import-failed, in 1200 s, attempt", ASK_AGAIN, "not-admin", UNKNOWN, UNKNOWN],
  "not-a-pdf": [FAILED, "document-not-pdf, in 1200 s, attempt", ASK_AGAIN, "not-admin", UNKNOWN, UNKNOWN],
  "empty-document": [FAILED, "document-empty, in 1200 s, attempt", ASK_AGAIN, "not-admin", UNKNOWN, UNKNOWN],
};

for (const kind of Object.keys(TABLE).filter(isKind)) {
  test(`the reactions to a fault of kind "${kind}" are those of its row`, () => {
    assert.deepEqual(
      STEPS.map((step) => describe(react(kind, { step }))),
      TABLE[kind],
    );
  });
}

function isKind(text: string): text is Fault["kind"] {
  return text in TABLE;
}

test("a repeatedly failing import waits longer each time, a reconciliation does not", () => {
  const waits = (step: Step) =>
    [1, 2, 3, 9].map((attempts) => describe(react("unavailable", { step, attempts })));

  assert.deepEqual(
    waits("envelope"),
    [5, 10, 20, 1280].map((s) => RETRY.replace("5", String(s))),
  );
  assert.deepEqual(waits("listing"), [AGAIN, AGAIN, AGAIN, AGAIN]);
});

test("an import that has failed for days is parked as failed, unless its document gives a better reason", () => {
  const parked = (kind: Fault["kind"], step: ImportStep["step"]) =>
    describe(react(kind, { step, attempts: MOST_ATTEMPTS }));

  assert.equal(parked("unavailable", "envelope"), "import-failed, attempt");
  assert.equal(parked("not-permitted", "envelope"), "if admin: import-failed, attempt");
  assert.equal(parked("not-found", "document"), "import-failed, attempt");
  assert.equal(parked("store-refused", "document"), "import-failed, attempt");
  assert.equal(parked("not-a-pdf", "document"), "document-not-pdf, attempt");
  assert.equal(parked("account-limit", "envelope"), SPENT);
});

for (const [isListed, last] of [
  [false, 3],
  [true, MOST_ATTEMPTS - 1],
] as const) {
  test(`an envelope that ${isListed ? "a" : "no"} listing has shown is retried ${last} times before it counts as gone`, () => {
    const sought = (attempts: number) => react("not-found", { step: "envelope", attempts, isListed }).kind;

    assert.deepEqual([sought(last), sought(last + 1)], ["wait", "not-found"]);
  });
}

test("a limit without a known end causes a wait of half a minute", () => {
  const reaction = react("account-limit", { step: "listing" }, null);

  assert.equal(describe(reaction), "account-throttled, in 30 s, account paused");
});

type Situation = {
  readonly step: Step;
  readonly attempts?: number;
  readonly isListed?: boolean;
  readonly isOnAnotherSite?: boolean;
};

const TOMORROW = "on-another-site, in 86400 s";
/** The reactions to a refused document that another site holds, where they differ from the table. */
const ELSEWHERE: Partial<Record<Fault["kind"], string>> = {
  "call-unauthorized": `if admin: ${TOMORROW}`,
  "not-permitted": `if admin: ${TOMORROW}`,
  "not-found": TOMORROW,
  refused: TOMORROW,
};

test("a refused document that another site holds is tried again each day, however often it was refused", () => {
  for (const kind of Object.keys(TABLE).filter(isKind)) {
    const of = (step: Step, attempts: number) =>
      describe(react(kind, { step, attempts, isOnAnotherSite: true }));

    assert.equal(of("document", 1), ELSEWHERE[kind] ?? TABLE[kind][1], kind);
    if (kind in ELSEWHERE) assert.equal(of("document", MOST_ATTEMPTS), ELSEWHERE[kind]);
    assert.equal(of("envelope", 1), TABLE[kind][0]);
  }
});

function react(
  kind: Fault["kind"],
  { step, attempts = 1, isListed = false, isOnAnotherSite = false }: Situation,
  retryAt: Date | null = RETRY_AT,
): Reaction {
  const fault = { kind, code: "X", retryAt };
  if (step !== "envelope" && step !== "document") return decideFault(fault, { step }, NOW);
  return decideFault(fault, { step, attempts, isListed, isOnAnotherSite }, NOW);
}

function describe(reaction: Reaction): string {
  if (reaction.kind === "fail-link") return reaction.cause;
  if (reaction.kind !== "wait") return reaction.kind;
  const { reason, until, countsAsAttempt, accountPausedUntil, asksUser } = reaction;
  const words = [
    `${asksUser ? "if admin: " : ""}${reason}`,
    ...(until === null ? [] : [`in ${(+until - +NOW) / 1000} s`]),
    ...(countsAsAttempt ? ["attempt"] : []),
    ...(accountPausedUntil === null ? [] : ["account paused"]),
  ];
  assert.ok(accountPausedUntil === null || +accountPausedUntil === +(until ?? 0));
  return words.join(", ");
}
