import assert from "node:assert/strict";
import { test } from "node:test";
import { openDocuSignAccount } from "../../src/docusign/api/account.ts";
import { type AccountId, parseUuid } from "../../src/domain/identifiers.ts";
import { DOWNLOAD_AGAIN_MS, MOST_ATTEMPTS } from "../../src/domain/retries.ts";
import { createAccessTokens } from "../../src/usecases/account/access-tokens.ts";
import {
  type ImportDeps,
  type ImportOutcome,
  importEnvelope,
} from "../../src/usecases/importing/import-envelope.ts";
import type { Call } from "../support/docusign/exchange.ts";
import type { Failure } from "../support/docusign/faults.ts";
import type { Envelope } from "../support/docusign/state.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  endLink,
  explain,
  fateOf,
  importRequestOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { linesOf, MINUTE_MS } from "../support/reconciling.ts";
import type { World } from "../support/world.ts";

const ENVELOPE = "/envelopes/{envelopeId}";
const DOCUMENT = "/envelopes/{envelopeId}/documents/{documentId}";
const HTML = "<!doctype html><title>Service Unavailable</title>";

/** Imports as a job does, and gives what it came to. */
async function importNow(
  world: World,
  envelope: Envelope,
  tasks: ImportDeps = world.service.foundation.tasks,
): Promise<ImportOutcome> {
  return await importEnvelope(tasks, await importRequestOf(world, envelope));
}

/** Whatever it is, it may be over after a while. */
const PASSING: Readonly<Record<string, (docusign: World["docusign"]) => void>> = {
  "an error of DocuSign's, at the envelope": (docusign) => docusign.failNext(1, { status: 500 }, ENVELOPE),
  "an error of DocuSign's, at the document": (docusign) => docusign.failNext(1, { status: 503 }, DOCUMENT),
  "a page instead of the envelope": (docusign) => docusign.failNext(1, { status: 200, html: HTML }, ENVELOPE),
  "a page instead of the document": (docusign) => docusign.failNext(1, { status: 200, html: HTML }, DOCUMENT),
  "a page of what stands before DocuSign": (docusign) =>
    docusign.failNext(1, { status: 444, html: HTML }, ENVELOPE),
  "an answer that is no envelope": (docusign) =>
    docusign.failNext(1, { status: 200, body: { surprise: true } }, ENVELOPE),
  "a document that breaks off": (docusign) => docusign.truncateNextDownload(),
  "a document that ends early, in order and without a length": (docusign) =>
    docusign.endNextDownloadByClose("half"),
  "no connection at all": (docusign) => docusign.goDown(),
};

test("an import waits while DocuSign fails in a way that may pass, and succeeds later", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const fates: Record<string, string[]> = {};

  for (const [name, befall] of Object.entries(PASSING)) {
    const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
    befall(world.docusign);
    await world.runJobs();
    world.docusign.comeUp();
    const meanwhile = await fateOf(world, envelope);
    world.clock.pass(5_000);
    await world.runJobs();
    fates[name] = [meanwhile, await fateOf(world, envelope)];
  }

  const expected = ["waiting docusign-unavailable", "imported sent"];
  assert.deepEqual(fates, Object.fromEntries(Object.keys(PASSING).map((name) => [name, expected])));
});

test("a document that comes whole, and without a length, is imported at once", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.endNextDownloadByClose("whole");

  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "imported sent");
});

const NO_PDF: Readonly<Record<string, { bytes: Buffer | string; reason: string }>> = {
  "no PDF": { bytes: "PK\u0003\u0004 a word processor's file", reason: "document-not-pdf" },
  empty: { bytes: "", reason: "document-empty" },
};

for (const [name, { bytes, reason }] of Object.entries(NO_PDF)) {
  test(`an envelope with a document that is ${name} waits as a whole, and is not asked for again at once`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    const documents = [{ name: "一" }, { name: "二" }];
    const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], documents });
    world.docusign.serveNextDownloadAs(bytes);

    await world.runJobs();
    assert.equal(await fateOf(world, envelope), `waiting ${reason}`);
    world.clock.pass(15 * 60 * 1000);
    await world.runJobs();
    assert.equal(world.docusign.callsTo(DOCUMENT).length, 1);
    assert.deepEqual(await world.contracts(), []);
    world.clock.pass(5 * 60 * 1000);
    await world.runJobs();

    assert.equal((await world.contracts()).length, 2);
  });
}

test("an envelope whose document is no PDF for days is parked, and still says so", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  world.docusign.serveNextDownloadAs("PK\u0003\u0004 a word processor's file");
  await world.runJobs();
  const { db } = world.service.foundation.working;
  await db.updateTable("envelope").set({ attempts: MOST_ATTEMPTS }).execute();
  world.docusign.serveNextDownloadAs("PK\u0003\u0004 a word processor's file");

  world.clock.pass(DOWNLOAD_AGAIN_MS);
  await world.runJobs();

  const { outcome, reason, waitingFor } = await explain(world, envelope);
  assert.deepEqual([outcome, reason, waitingFor.until], ["waiting", "document-not-pdf", null]);
});

test("a document that stands still is given up, its half is not kept, and the import succeeds later", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const { tasks } = world.service.foundation;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  const tokens = createAccessTokens(tasks);
  const impatient: typeof tasks = {
    ...tasks,
    openAccount: ({ id, account }) =>
      openDocuSignAccount({
        baseUri: account.baseUri,
        accountId: account.id,
        accessToken: async (stale) => await tokens.get(id, stale),
        timeoutMs: 200,
      }),
  };
  world.docusign.stallNextDownload();

  const stalled = await importNow(world, envelope, impatient);
  const told = await explain(world, envelope);
  const keys: string[] = [];
  for await (const { key } of tasks.documents.list()) keys.push(key);
  world.clock.pass(5_000);
  await importNow(world, envelope);

  assert.equal(stalled.kind, "waiting");
  assert.equal(told.lastError, "timeout");
  assert.deepEqual(keys, []);
  assert.equal(await fateOf(world, envelope), "imported sent");
});

for (const status of [429, 400] as const) {
  test(`an account whose hour is spent, said with ${status}, is left alone until the reset, to the second`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, account, colleague } = companies;
    world.docusign.setLimits({ status });
    const until = new Date("2031-01-15T04:47:13Z");
    world.docusign.throttle(account, until);
    for (const subject of ["一", "二", "三"]) {
      await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject });
    }
    const unheard = await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "四" });

    await world.runJobs();
    const asked = world.docusign.calls.length;
    const refused = world.docusign.calls.filter((call) => call.status === status);
    await world.runHour();
    world.clock.now = new Date(until.getTime() - 1_000);
    await world.runJobs();
    assert.equal(world.docusign.calls.length, asked, "nobody called before the reset");
    assert.equal(refused.length, 1);
    assert.deepEqual(await world.contracts(), []);
    world.clock.now = until;
    await world.runJobs();

    assert.deepEqual(await subjects(world), ["一", "三", "二", "四"]);
    assert.equal((await explain(world, unheard)).attempts, 1);
  });
}

test("an import whose turn comes while its account takes no calls, its link stands still or is over asks DocuSign nothing, and says so", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, admin, colleague } = companies;
  const { tasks } = world.service.foundation;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  const request = await importRequestOf(world, envelope);
  const until = new Date(world.clock.now.getTime() + 20 * MINUTE_MS);
  await tasks.budgets.pause(parseUuid<AccountId>(account.accountId)!, until);

  assert.deepEqual(await importEnvelope(tasks, request), {
    kind: "waiting",
    reason: "account-throttled",
    until,
  });
  world.clock.now = until;
  world.docusign.revokeConsent(admin);
  await world.runHour();
  const now = world.clock.now;
  assert.deepEqual(await importEnvelope(tasks, request), { kind: "waiting", reason: "queued", until: now });
  assert.equal((await endLink(world)).status, 204);
  assert.deepEqual(await importEnvelope(tasks, request), { kind: "link-ended" });
  assert.deepEqual(world.docusign.callsTo(ENVELOPE), []);
});

test("waiting for the hour's budget is no attempt, and is told with its end", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;
  const until = new Date("2031-01-15T03:47:13Z");
  world.docusign.throttle(account, until);

  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();

  const told = await explain(world, envelope);
  assert.equal(`${told.outcome} ${told.reason}`, "waiting account-throttled");
  assert.equal(told.waitingFor.until, until.toISOString());
  assert.equal(told.attempts, 0);
});

test("the limit of the burst is waited for half a minute", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const burst: Failure = {
    status: 429,
    body: { errorCode: "BURST_APIINVOCATION_LIMIT_EXCEEDED", message: "x" },
  };
  world.docusign.failNext(1, burst, ENVELOPE);

  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  const asked = world.docusign.calls.length;
  world.clock.pass(29_000);
  await world.runJobs();
  assert.equal(world.docusign.calls.length, asked);
  assert.equal(await fateOf(world, envelope), "waiting account-throttled");
  world.clock.pass(1_000);
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "imported sent");
});

test("a burst's shorter wait does not end the longer one for the hour", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;
  const { budgets } = world.service.foundation.tasks;
  const until = new Date("2031-01-15T03:47:13Z");
  const accountId = parseUuid<Parameters<typeof budgets.pause>[0]>(account.accountId)!;

  await budgets.pause(accountId, until);
  await budgets.pause(accountId, new Date("2031-01-15T03:10:30Z"));
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  const asked = world.docusign.calls.length;
  world.clock.pass(60_000);
  await world.runJobs();

  assert.equal(world.docusign.calls.length, asked);
});

test("what DocuSign refuses of one envelope stops no other", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const refused = await world.docusign.concludeEnvelope({
    from: colleague,
    to: [CUSTOMER],
    subject: "refused",
  });
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "other" });
  const isRefused = ({ path }: { path: string }) => path.includes(refused.envelopeId);
  const polling: Failure = {
    status: 400,
    body: { errorCode: "HOURLY_ENVELOPE_POLLING_LIMIT_EXCEEDED", message: "x" },
  };
  world.docusign.failNext(1, polling, isRefused);

  await world.runJobs();
  assert.deepEqual(await subjects(world), ["other"]);
  world.clock.pass(15 * 60 * 1000);
  await world.runJobs();

  assert.deepEqual(await subjects(world), ["other", "refused"]);
});

const REFUSED: Failure = { status: 403, body: { errorCode: "USER_LACKS_PERMISSIONS", message: "x" } };
const USER = "/users/{userId}";

test("an import that is refused while DocuSign cannot say whether the user still is an admin waits, and its link goes on", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(1, REFUSED, ENVELOPE);
  world.docusign.failNext(1, { status: 500 }, USER);

  await world.runJobs();
  assert.equal(await fateOf(world, envelope), "waiting docusign-unavailable");
  assert.equal((await linkOf(world)).state, "active");
  world.clock.pass(5_000);
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "imported sent");
});

const GONE: Failure = { status: 401, body: { errorCode: "USER_AUTHENTICATION_FAILED", message: "x" } };

for (const [what, failure, cause] of [
  ["that it does not know the user any more", GONE, "authorization-revoked"],
  ["that the user may not ask", REFUSED, "not-admin"],
] as const) {
  test(`an import that is refused, with the word ${what}, stops its link with that cause`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
    world.docusign.failNext(1, REFUSED, ENVELOPE);
    world.docusign.failNext(2, failure, USER);

    await world.runJobs();

    assert.equal(await fateOf(world, envelope), "waiting link-error");
    const { state, cause: told } = await linkOf(world);
    assert.deepEqual([state, told.code], ["error", cause]);
  });
}

type Told = { fails: (world: World, at: Companies) => unknown; outcome: object; error: string };

const TOLD: Readonly<Record<string, Told>> = {
  "whose user DocuSign knows no more": {
    fails: ({ docusign }) => {
      docusign.failNext(1, REFUSED, ENVELOPE);
      docusign.failNext(2, GONE, USER);
    },
    outcome: { reason: "link-error", until: "2031-01-15T03:10:00.000Z" },
    error: "USER_LACKS_PERMISSIONS",
  },
  "whose user is no admin any more": {
    fails: ({ docusign }) => {
      docusign.failNext(1, REFUSED, ENVELOPE);
      docusign.failNext(2, REFUSED, USER);
    },
    outcome: { reason: "link-error", until: "2031-01-15T03:10:00.000Z" },
    error: "USER_LACKS_PERMISSIONS",
  },
  "whose tokens DocuSign refuses": {
    fails: ({ docusign }) => {
      docusign.failNext(1, GONE, ENVELOPE);
      docusign.failNext(1, { status: 400, body: { error: "invalid_grant" } }, "/oauth/token");
    },
    outcome: { reason: "link-error", until: "2031-01-15T03:10:00.000Z" },
    error: "invalid_grant",
  },
  "whose account has spent its hour": {
    fails: ({ docusign }, { account }) => docusign.throttle(account, new Date("2031-01-15T03:47:13Z")),
    outcome: { reason: "account-throttled", until: "2031-01-15T03:47:13.000Z" },
    error: "HOURLY_APIINVOCATION_LIMIT_EXCEEDED",
  },
  "of what DocuSign will not give, for a reason of its own": {
    fails: ({ docusign }) =>
      docusign.failNext(1, { status: 400, body: { errorCode: "SOMETHING_NEW", message: "x" } }, DOCUMENT),
    outcome: { reason: "import-failed", until: "2031-01-15T03:30:00.000Z" },
    error: "SOMETHING_NEW",
  },
};

for (const [whose, { fails, outcome, error }] of Object.entries(TOLD)) {
  test(`an import ${whose} says what it waits for, in the log too`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
    fails(world, companies);

    const { kind, ...came } = await importNow(world, envelope);

    assert.equal(kind, "waiting");
    assert.deepEqual(JSON.parse(JSON.stringify(came)), outcome);
    const { db } = world.service.foundation.working;
    const lines = await db
      .selectFrom("envelope")
      .select(["reason", "waiting_until as until", "last_error"])
      .execute();
    assert.deepEqual(JSON.parse(JSON.stringify(lines)), [{ ...outcome, last_error: error }]);
    const [logged] = linesOf(world, "import put off");
    assert.deepEqual(
      [logged.envelopeId, logged.linkId, logged.fault],
      [envelope.envelopeId, (await linkOf(world)).id, error],
    );
  });
}

for (const [what, template] of Object.entries({ document: DOCUMENT, envelope: ENVELOPE } as const)) {
  test(`${what === "envelope" ? "an envelope" : "a document"} that DocuSign takes no token for waits, and stops no other while the user is admin`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    const refused = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
    const isRefused = (call: Call) => call.template === template && call.path.includes(refused.envelopeId);
    world.docusign.failNext(2, GONE, isRefused);

    await world.runJobs();
    await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER], subject: "other" });
    await world.runJobs();
    const meanwhile = await fateOf(world, refused);
    const { state } = await linkOf(world);
    const others = await subjects(world);
    world.clock.pass(5_000);
    await world.runJobs();

    assert.deepEqual([meanwhile, state, others], ["waiting docusign-unavailable", "active", ["other"]]);
    assert.equal(await fateOf(world, refused), "imported sent");
  });
}

test("a document that DocuSign takes no token for stops the link where it takes none for the user either", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(2, GONE, DOCUMENT);
  world.docusign.failNext(2, GONE, USER);

  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "waiting link-error");
  assert.equal((await linkOf(world)).cause?.code, "authorization-revoked");
});

test("a document that DocuSign takes no token for stops the link where the refresh is refused, though the old token still serves", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(1, GONE, DOCUMENT);
  world.docusign.failNext(1, { status: 400, body: { error: "invalid_grant" } }, "/oauth/token");

  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "waiting link-error");
  assert.equal((await linkOf(world)).cause?.code, "authorization-revoked");
});

test("an import that the end of its process breaks off is no failure, and whoever comes next takes it up at once", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  world.docusign.onNext(DOCUMENT, () => world.service.foundation.giveUp());

  const brokenOff = await importNow(world, envelope);

  assert.deepEqual(brokenOff, { kind: "waiting", reason: "queued", until: world.clock.now });
  const { outcome, reason, attempts, lastError } = await explain(world, envelope);
  assert.deepEqual([outcome, reason, attempts, lastError], ["waiting", "queued", 0, null]);
  await world.restart();
  assert.deepEqual(await importNow(world, envelope), { kind: "imported", contracts: 1 });
});

const UNKNOWN: Failure = { status: 404, body: { errorCode: "ENVELOPE_DOES_NOT_EXIST", message: "x" } };

test("an envelope whose event is faster than DocuSign's own index waits until DocuSign finds it", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(1, UNKNOWN, ENVELOPE);

  await world.runJobs();
  const { outcome, reason, text } = await explain(world, envelope);
  world.clock.pass(5_000);
  await world.runJobs();

  assert.deepEqual([outcome, reason], ["waiting", "not-found-yet"]);
  assert.match(text, /まだ見つからない/);
  assert.equal(await fateOf(world, envelope), "imported sent");
});

test("an envelope that DocuSign does not know is asked for four times, then forgotten", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(100, UNKNOWN, ENVELOPE);
  const before = world.docusign.callsTo(ENVELOPE).length;

  for (let minute = 0; minute < 10; minute += 1) {
    await world.runJobs();
    world.clock.pass(60_000);
  }

  assert.equal(world.docusign.callsTo(ENVELOPE).length - before, 4);
  const { db } = world.service.foundation.working;
  const rows = await db
    .selectFrom("envelope")
    .select("state")
    .where("envelope_id", "=", envelope.envelopeId)
    .execute();
  assert.deepEqual(rows, []);
});

test("an import of what DocuSign does not know says so in the end", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(100, UNKNOWN, ENVELOPE);

  for (let attempt = 1; attempt < 4; attempt += 1)
    assert.equal((await importNow(world, envelope)).kind, "waiting");

  assert.deepEqual(await importNow(world, envelope), { kind: "unknown" });
});

test("an envelope that a listing has shown is waited for though DocuSign denies it, for days, and then counts as gone", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  world.docusign.failNext(1_000, UNKNOWN, ({ template }) => template.startsWith(ENVELOPE));
  await world.runHour();

  for (let minute = 0; minute < 20; minute += 1) {
    world.clock.pass(60_000);
    await world.runJobs();
  }
  const meanwhile = await explain(world, envelope);
  const { db } = world.service.foundation.working;
  await db.updateTable("envelope").set({ attempts: MOST_ATTEMPTS }).execute();
  world.docusign.lateInListing(envelope, new Date("2031-02-01T00:00:00Z"));
  await world.runHour();

  const gone = await explain(world, envelope);
  assert.equal(meanwhile.reason, "not-found-yet");
  assert.deepEqual([gone.outcome, gone.reason], ["excluded", "documents-purged"]);
  assert.equal(gone.facts.sentByAccount, true);
  assert.deepEqual(gone.facts, meanwhile.facts);
});

test("an excluded envelope that DocuSign does not know any more stays excluded, with what was known of it", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.docusign.purgeDocuments(envelope, "documents_purged");
  await world.runJobs();
  const before = await explain(world, envelope);
  world.docusign.failNext(100, UNKNOWN, ENVELOPE);

  const outcomes: string[] = [];
  for (let attempt = 0; attempt < 6; attempt += 1) {
    outcomes.push((await importNow(world, envelope)).kind);
    world.clock.pass(60_000);
  }

  const after = await explain(world, envelope);
  assert.deepEqual(new Set(outcomes), new Set(["waiting", "excluded"]), outcomes.join());
  assert.equal(before.facts.sentByAccount, true);
  assert.deepEqual(
    [after.outcome, after.reason, after.facts, after.completedAt],
    [before.outcome, before.reason, before.facts, before.completedAt],
  );
});

const BLOCKED: Failure = {
  status: 400,
  body: { errorCode: "API_REQUEST_IS_THROTTLED", message: "GetDocument call blocked" },
};

test("a download that DocuSign blocks is not tried again within a quarter of an hour", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.failNext(1, BLOCKED, DOCUMENT);

  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  world.clock.pass(14 * 60 * 1000);
  await world.runJobs();
  assert.equal(world.docusign.callsTo(DOCUMENT).length, 1);
  world.clock.pass(60 * 1000);
  await world.runJobs();

  assert.equal((await world.contracts()).length, 1);
});

test("an hour that strikes while a download is blocked lists its envelope and tries it no sooner", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.clock.now = new Date("2031-01-15T03:55:00Z");
  world.docusign.failNext(1, BLOCKED, DOCUMENT);
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();

  await world.runHour();
  assert.equal(world.docusign.callsTo(DOCUMENT).length, 1);
  world.clock.pass(10 * MINUTE_MS);
  await world.runJobs();

  assert.equal((await world.contracts()).length, 1);
});

test("what is logged of a fault holds no token and no address", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, colleague } = companies;
  world.docusign.failNext(1, { status: 500, body: { errorCode: "X", message: admin.email } }, ENVELOPE);

  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();

  assert.equal(world.logged.length, 1);
  assert.doesNotMatch(world.logged.join("\n"), /@|bearer|token":/i);
});

test("a document that is not found for days is told as a failure, and parked", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.failNext(
    100,
    { status: 404, body: { errorCode: "DOCUMENT_DOES_NOT_EXIST", message: "x" } },
    DOCUMENT,
  );
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();
  const { db } = world.service.foundation.working;
  await db.updateTable("envelope").set({ attempts: MOST_ATTEMPTS }).execute();

  await world.runHour();

  const { outcome, reason, waitingFor } = await explain(world, envelope);
  assert.deepEqual([outcome, reason, waitingFor.until], ["waiting", "import-failed", null]);
});

test("a document that is not found waits: only the envelope says whether its documents are purged", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const missing: Failure = { status: 404, body: { errorCode: "DOCUMENT_DOES_NOT_EXIST", message: "x" } };
  world.docusign.failNext(100, missing, "/envelopes/{envelopeId}/documents/{documentId}");
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });

  for (let minute = 0; minute < 10; minute += 1) {
    await world.runJobs();
    world.clock.pass(60_000);
  }

  assert.equal(await fateOf(world, envelope), "waiting not-found-yet");
  await world.docusign.purgeDocuments(envelope, "documents_purged");
  await world.runHour();
  assert.equal(await fateOf(world, envelope), "excluded documents-purged");
});
