import assert from "node:assert/strict";
import { test } from "node:test";
import type { Call } from "../support/docusign/exchange.ts";
import type { Failure } from "../support/docusign/faults.ts";
import { importNow } from "../support/importing.ts";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  explain,
  fateOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { linesOf } from "../support/reconciling.ts";
import type { World } from "../support/world.ts";

const ENVELOPE = "/envelopes/{envelopeId}";

const DOCUMENT = "/envelopes/{envelopeId}/documents/{documentId}";

const HTML = "<!doctype html><title>Service Unavailable</title>";

/** Faults that may be transient. */
const PASSING: Readonly<Record<string, (docusign: World["docusign"]) => void>> = {
  "a DocuSign error for the envelope": (docusign) => docusign.failNext(1, { status: 500 }, ENVELOPE),
  "a DocuSign error for the document": (docusign) => docusign.failNext(1, { status: 503 }, DOCUMENT),
  "an HTML page instead of the envelope": (docusign) =>
    docusign.failNext(1, { status: 200, html: HTML }, ENVELOPE),
  "an HTML page instead of the document": (docusign) =>
    docusign.failNext(1, { status: 200, html: HTML }, DOCUMENT),
  "an HTML page from a proxy before DocuSign": (docusign) =>
    docusign.failNext(1, { status: 444, html: HTML }, ENVELOPE),
  "a response that is not an envelope": (docusign) =>
    docusign.failNext(1, { status: 200, body: { surprise: true } }, ENVELOPE),
  "a truncated document": (docusign) => docusign.truncateNextDownload(),
  "a document that ends early with a regular close and without a length": (docusign) =>
    docusign.endNextDownloadByClose("half"),
  "no connection": (docusign) => docusign.goDown(),
};

test("an import waits during transient DocuSign faults and succeeds later", async () => {
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

test("an envelope that DocuSign rejects delays no other", async () => {
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

test("an import that is rejected while DocuSign cannot confirm the admin right waits, and its link continues", async () => {
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
  ["does not know the user any more", GONE, "authorization-revoked"],
  ["denies the user access", REFUSED, "not-admin"],
] as const) {
  test(`an import that is rejected stops its link with the right cause if DocuSign ${what}`, async () => {
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

const SOMETHING_NEW: Failure = { status: 400, body: { errorCode: "SOMETHING_NEW", message: "x" } };

type Told = { fails: (world: World, at: Companies) => unknown; outcome: object; error: string };

const TOLD: Readonly<Record<string, Told>> = {
  "for a user whom DocuSign no longer knows": {
    fails: ({ docusign }) => {
      docusign.failNext(1, REFUSED, ENVELOPE);
      docusign.failNext(2, GONE, USER);
    },
    outcome: { reason: "link-error", until: "2031-01-15T03:10:00.000Z" },
    error: "USER_LACKS_PERMISSIONS",
  },
  "for a user who is no longer an admin": {
    fails: ({ docusign }) => {
      docusign.failNext(1, REFUSED, ENVELOPE);
      docusign.failNext(2, REFUSED, USER);
    },
    outcome: { reason: "link-error", until: "2031-01-15T03:10:00.000Z" },
    error: "USER_LACKS_PERMISSIONS",
  },
  "with tokens that DocuSign rejects": {
    fails: ({ docusign }) => {
      docusign.failNext(1, GONE, ENVELOPE);
      docusign.failNext(1, { status: 400, body: { error: "invalid_grant" } }, "/oauth/token");
    },
    outcome: { reason: "link-error", until: "2031-01-15T03:10:00.000Z" },
    error: "invalid_grant",
  },
  "for an account at its hourly limit": {
    fails: ({ docusign }, { account }) => docusign.throttle(account, new Date("2031-01-15T03:47:13Z")),
    outcome: { reason: "account-throttled", until: "2031-01-15T03:47:13.000Z" },
    error: "HOURLY_APIINVOCATION_LIMIT_EXCEEDED",
  },
  "of an envelope that DocuSign rejects with an unknown code": {
    fails: ({ docusign }) => docusign.failNext(1, SOMETHING_NEW, ENVELOPE),
    outcome: { reason: "import-failed", until: "2031-01-15T03:10:05.000Z" },
    error: "SOMETHING_NEW",
  },
  "of a document that DocuSign rejects with an unknown code": {
    fails: ({ docusign }) => docusign.failNext(1, SOMETHING_NEW, DOCUMENT),
    outcome: { reason: "import-failed", until: "2031-01-15T03:30:00.000Z" },
    error: "SOMETHING_NEW",
  },
};

for (const [whose, { fails, outcome, error }] of Object.entries(TOLD)) {
  test(`an import ${whose} reports what it waits for, also in the log`, async () => {
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
    const [logged] = linesOf(world, "import postponed");
    assert.deepEqual(
      [logged.envelopeId, logged.linkId, logged.fault],
      [envelope.envelopeId, (await linkOf(world)).id, error],
    );
  });
}

for (const [what, template] of Object.entries({ document: DOCUMENT, envelope: ENVELOPE } as const)) {
  test(`${what === "envelope" ? "an envelope" : "a document"} for which DocuSign rejects every token waits without delaying others`, async () => {
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

const rejections: { when: string; reject: (docusign: World["docusign"]) => void }[] = [
  {
    when: "DocuSign rejects it for the user too",
    reject: (docusign) => {
      docusign.failNext(2, GONE, DOCUMENT);
      docusign.failNext(2, GONE, USER);
    },
  },
  {
    when: "the refresh is rejected, even if the old token still works",
    reject: (docusign) => {
      docusign.failNext(1, GONE, DOCUMENT);
      docusign.failNext(1, { status: 400, body: { error: "invalid_grant" } }, "/oauth/token");
    },
  },
];

for (const { when, reject } of rejections) {
  test(`a document for which DocuSign rejects the token stops the link if ${when}`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, colleague } = companies;
    const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
    reject(world.docusign);

    await world.runJobs();

    assert.equal(await fateOf(world, envelope), "waiting link-error");
    assert.equal((await linkOf(world)).cause?.code, "authorization-revoked");
  });
}

test("an import interrupted by shutdown is not a failure, and another worker can continue at once", async () => {
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

test("a logged fault contains no token and no address", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin, colleague } = companies;
  world.docusign.failNext(1, { status: 500, body: { errorCode: "X", message: admin.email } }, ENVELOPE);

  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();

  assert.equal(world.logged.length, 1);
  assert.doesNotMatch(world.logged.join("\n"), /@|bearer|token":/i);
});
