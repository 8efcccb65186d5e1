import assert from "node:assert/strict";
import { test } from "node:test";
import { openDocuSignAccount } from "../../src/docusign/api/account.ts";
import { createAccessTokens } from "../../src/usecases/account/access-tokens.ts";
import { findMovedAccount } from "../../src/usecases/account/moved-account.ts";
import { reconcileStep } from "../../src/usecases/reconciling/reconcile-link.ts";
import type { OldSite } from "../support/docusign/state.ts";
import {
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  endLink,
  fateOf,
  linkIdOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";
import { HOUR_MS } from "../support/reconciling.ts";
import type { World } from "../support/world.ts";

const ANSWERS: readonly OldSite[] = ["no connection", "404 HTML", "401", "307", "unknown 400"];

async function addressOf({ service }: World): Promise<string> {
  const { db } = service.foundation.working;
  return (await db.selectFrom("link").select("base_uri").executeTakeFirstOrThrow()).base_uri;
}

function questions(world: World): number {
  return world.docusign.callsTo("/oauth/userinfo").length;
}

for (const oldSite of ANSWERS) {
  test(`an account that moved is found within the hour if its old site answers with ${oldSite}`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, account, colleague } = companies;
    await world.docusign.moveAccount(account, oldSite);
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "after the move" });

    await world.runHour();

    const { state, connect } = await linkOf(world);
    assert.equal(state, "active");
    assert.deepEqual(connect, { sent: "active", received: "active" });
    assert.equal(await addressOf(world), account.moved?.site);
    assert.deepEqual(await subjects(world), ["after the move"]);
    assert.equal(world.docusign.configurations(account).length, 2);
  });

  test(`a link in error whose account moved ends and leaves no configuration behind (${oldSite})`, async () => {
    await using companies = await createLinkedCompanies();
    const { world, account, admin } = companies;
    world.docusign.setRole(admin, account, "DS Sender");
    await world.runHour();
    assert.equal((await linkOf(world)).state, "error");
    world.docusign.setRole(admin, account, "DS Admin");
    await world.docusign.moveAccount(account, oldSite);

    assert.equal((await endLink(world)).status, 204);

    assert.deepEqual(world.docusign.configurations(account), []);
  });
}

/** The world's capabilities, with accounts that wait only briefly for an answer. */
function impatient({ service }: World) {
  const { tasks } = service.foundation;
  const tokens = createAccessTokens(tasks);
  const openAccount: typeof tasks.openAccount = (link) =>
    openDocuSignAccount({
      baseUri: link.account.baseUri,
      accountId: link.account.id,
      accessToken: async (stale) => await tokens.get(link.id, stale),
      timeoutMs: 300,
      findMoved: async (from) =>
        await findMovedAccount({ ...tasks, tokens, isApiAddress: () => true }, link, from),
    });
  return { ...tasks, openAccount };
}

test("an account that moved is found if its old site keeps silent", async () => {
  await using companies = await createLinkedCompanies();
  const { world, account, colleague } = companies;
  await world.docusign.moveAccount(account, "silence");
  const envelope = await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  world.clock.pass(HOUR_MS);

  const request = { linkId: await linkIdOf(world), to: world.clock.now };
  while ((await reconcileStep(impatient(world), request)).kind === "more");
  await world.runJobs();

  assert.equal(await fateOf(world, envelope), "imported sent");
});

test("DocuSign is asked at most once an hour where an account is, however many calls fail", async () => {
  await using companies = await createLinkedCompanies();
  const { world, admin } = companies;
  const before = questions(world);
  world.docusign.goDown();
  await world.runHour();
  world.clock.pass(HOUR_MS / 2);
  world.docusign.comeUp();
  world.docusign.failNext(50, { status: 404 }, "/users/{userId}");
  world.docusign.failNext(50, { status: 404 }, "/envelopes");
  await world.runJobs();
  await world.runJobs();
  const asked = questions(world) - before;
  await world.runHour();

  assert.equal(asked, 0);
  assert.equal(questions(world) - before, 1);
  assert.equal((await linkOf(world)).cause.code, "not-admin", admin.name);
});
