import assert from "node:assert/strict";
import { test } from "node:test";
import { createBrowser } from "../support/browser.ts";
import { type Companies, createCompanies } from "../support/linked-world.ts";

/** Companies whose cabinet is listed among the origins, which is on loopback here. */
async function createListed(): Promise<Companies> {
  const companies = await createCompanies();
  const { world } = companies;
  const { origin } = new URL(world.cabinet.issuer);
  await world.restart({ cabinet: { ...world.config.cabinet, origins: [origin] } });
  return companies;
}

async function begin({ world }: Companies, returnTo: string): Promise<{ status: number; body: any }> {
  const api = await world.api();
  await api.send("PUT", "/v1/groups/group-1", { name: "契約書" });
  return await api.send("POST", "/v1/link", { groupId: "group-1", returnTo });
}

/** The addresses that the owner's browser visits on its way back from DocuSign. */
async function comeBack({ world }: Companies, address: string): Promise<readonly string[]> {
  world.cabinet.nextSignIn(world.owner());
  return (await createBrowser().get(address)).trail;
}

test("the browser returns to the cabinet with the result of a linking, and its query stays", async () => {
  await using companies = await createListed();
  const { world, admin } = companies;
  const page = `${new URL(world.cabinet.issuer).origin}/settings`;

  const cancelled = await begin(companies, `${page}?tab=a%20b`);
  const back = await comeBack(companies, await world.docusign.deny(cancelled.body.authorizationUrl));
  const begun = await begin(companies, `${page}?result=old&tab=1`);
  const linked = await comeBack(
    companies,
    await world.docusign.authorize(begun.body.authorizationUrl, admin),
  );

  assert.equal(back.at(-1), `${page}?tab=a%20b&result=cancelled`);
  assert.equal(linked.at(-1), `${page}?tab=1&result=linked`);
});

test("an expired attempt returns to the page, and so does one whose origin has left the list", async () => {
  await using companies = await createListed();
  const { world, admin } = companies;
  const page = `${new URL(world.cabinet.issuer).origin}/settings`;

  const late = await begin(companies, page);
  const lateAddress = await world.docusign.authorize(late.body.authorizationUrl, admin);
  world.clock.pass(15 * 60 * 1000);
  const expired = await comeBack(companies, lateAddress);
  const begun = await begin(companies, page);
  await world.restart({ cabinet: { ...world.config.cabinet, origins: [] } });
  const linked = await comeBack(
    companies,
    await world.docusign.authorize(begun.body.authorizationUrl, admin),
  );

  assert.equal(expired.at(-1), `${world.url}/links?result=expired`);
  assert.equal(linked.at(-1), `${world.url}/links?result=linked`);
});

test("an address whose origin is not listed is refused", async () => {
  await using companies = await createListed();

  const { status, body } = await begin(companies, "https://attacker.example/");

  assert.equal(status, 400);
  assert.match(body.detail, /^body\.returnTo: must be an absolute https address/);
});
