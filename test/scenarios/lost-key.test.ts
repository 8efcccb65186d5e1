import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import {
  type Companies,
  CUSTOMER,
  concludeUnheard,
  createLinkedCompanies,
  endLink,
  explain,
  fateOf,
  historyOf,
  linkOf,
  subjects,
} from "../support/linked-world.ts";

/** Restarts a linked company's service without the key that encrypted the link's tokens. */
async function loseKey(id: string): Promise<Companies> {
  const companies = await createLinkedCompanies({ expectErrors: true });
  await companies.world.restart({ encryptionKeys: [{ id, key: randomBytes(32) }] });
  return companies;
}

const LOST = { "that is missing": "another", "that was replaced under the same name": "local" };

for (const [what, id] of Object.entries(LOST)) {
  test(`a link encrypted with a key ${what} shows an error and makes no calls, and linking again repairs it in place`, async () => {
    await using companies = await loseKey(id);
    const { world, admin, colleague } = companies;
    const before = await linkOf(world);
    const asked = world.docusign.calls.length;
    const heard = await world.docusign.concludeEnvelope({
      from: colleague,
      to: [CUSTOMER],
      subject: "heard",
    });
    await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "unheard" });

    await world.runJobs();
    await world.runHour();
    const broken = await linkOf(world);
    assert.deepEqual([broken.state, broken.cause?.code], ["error", "authorization-revoked"]);
    assert.equal(await fateOf(world, heard), "waiting link-error");
    assert.equal((await explain(world, heard)).lastError, "tokens-sealed");
    assert.equal(world.docusign.calls.length, asked);
    assert.equal(await world.link(admin), "linked");
    await world.runJobs();

    const repaired = await linkOf(world);
    assert.deepEqual([repaired.id, repaired.state, repaired.cause], [before.id, "active", null]);
    assert.deepEqual(await subjects(world), ["heard", "unheard"]);
    assert.equal((await historyOf(world)).length, 1);
  });
}

test("a link whose key is lost can be ended, even before an hourly run notices the loss", async () => {
  await using companies = await loseKey("another");

  const { status } = await endLink(companies.world);

  assert.equal(status, 204);
});

test("restoring a key lets its links resume at the next hour", async () => {
  await using companies = await loseKey("another");
  const { world, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER], subject: "meanwhile" });
  await world.runHour();
  const broken = await linkOf(world);
  await world.restart();

  await world.runHour();

  assert.equal(broken.state, "error");
  assert.equal((await linkOf(world)).state, "active");
  assert.deepEqual(await subjects(world), ["meanwhile"]);
});

test("a lost key is reported to operators once, by name and without any token", async () => {
  await using companies = await loseKey("another");
  const { world } = companies;
  const { db } = world.service.foundation.working;
  const sealed = await db.selectFrom("link_token").selectAll().executeTakeFirstOrThrow();

  await world.runHour();
  const errors = world.logged.filter((line) => JSON.parse(line).level >= 50);
  await world.runHour();
  await world.runHour();

  assert.deepEqual(
    world.logged.filter((line) => JSON.parse(line).level >= 50),
    errors,
  );
  assert.equal(errors.length, 1);
  assert.equal(JSON.parse(errors[0]!).msg, "link tokens cannot be decrypted");
  assert.match(errors[0]!, /no encryption key \\"local\\".*ENCRYPTION_KEYS/);
  assert.ok(!errors[0]!.includes(sealed.access_token) && !errors[0]!.includes(sealed.refresh_token));
});
