import assert from "node:assert/strict";
import { test } from "node:test";
import { recordNotice, removeNotice } from "../../src/store/links/link-notices.ts";
import { createBrowser } from "../support/browser.ts";
import { CUSTOMER, createLinkedCompanies, fateOf, linkIdOf, linkOf } from "../support/linked-world.ts";
import { HOUR_MS, MINUTE_MS } from "../support/reconciling.ts";

const ENVELOPE = "/envelopes/{envelopeId}";

test("a link shows since when DocuSign cannot be reached, until a listing succeeds", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  world.docusign.goDown();
  await world.runHour();
  world.clock.pass(MINUTE_MS);
  await world.runJobs();

  const { state, notice } = await linkOf(world);
  assert.deepEqual(
    [state, notice.code, notice.since],
    ["active", "docusign-unavailable", "2031-01-15T04:00:00.000Z"],
  );
  assert.match(notice.message, /DocuSignに接続できない状態/);
  world.docusign.comeUp();
  world.clock.pass(MINUTE_MS);
  await world.runJobs();

  assert.equal((await linkOf(world)).notice, null);
});

test("an import that DocuSign fails sets the notice, and the next import removes it", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  world.docusign.failNext(1, { status: 503 }, ENVELOPE);
  const envelope = await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();

  assert.equal((await linkOf(world)).notice.code, "docusign-unavailable");
  world.clock.pass(5_000);
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "imported sent");
  assert.equal((await linkOf(world)).notice, null);
});

test("a link shows that DocuSign's limit stops its calls, until the limit ends", async () => {
  await using companies = await createLinkedCompanies();
  const { world, colleague } = companies;
  const body = { errorCode: "HOURLY_APIINVOCATION_LIMIT_EXCEEDED", message: "x" };
  world.docusign.failNext(1, { status: 429, body }, ENVELOPE);
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
  await world.runJobs();

  const { notice } = await linkOf(world);
  assert.deepEqual([notice.code, notice.since], ["account-throttled", "2031-01-15T03:10:00.000Z"]);
  world.clock.pass(HOUR_MS);

  assert.equal((await linkOf(world)).notice, null);
});

test("a recorded notice keeps its time and gives way only to a stronger one", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { db } = world.service.foundation.working;
  const id = await linkIdOf(world);
  const at = (minute: number) => new Date(`2031-01-15T03:0${minute}:00.000Z`);
  const shown = async () => {
    const { notice } = await linkOf(world);
    return notice && `${notice.code} ${notice.since}`;
  };

  await recordNotice(db, id, "docusign-slow", at(1));
  await recordNotice(db, id, "docusign-slow", at(2));
  await recordNotice(db, id, "connect-switched-off", at(3));
  assert.equal(await shown(), `docusign-slow ${at(1).toISOString()}`);
  await recordNotice(db, id, "docusign-unavailable", at(4));
  await removeNotice(db, id, "docusign-slow");
  assert.equal(await shown(), `docusign-unavailable ${at(4).toISOString()}`);
  await removeNotice(db, id, "docusign-unavailable");

  assert.equal(await shown(), null);
});

test("the page shows the notice of a link with its time in Japan", async () => {
  await using companies = await createLinkedCompanies();
  const { world } = companies;
  const { db } = world.service.foundation.working;
  await recordNotice(db, await linkIdOf(world), "docusign-slow", new Date("2031-01-15T03:00:00Z"));
  world.cabinet.nextSignIn(world.owner());

  const page = await createBrowser().get(`${world.url}/links`);

  assert.match(page.text, /DocuSignの応答に時間がかかっているため/);
  assert.match(page.text, /2031年1月15日 12:00<\/time>から/);
});
