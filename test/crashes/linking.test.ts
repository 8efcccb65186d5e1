import assert from "node:assert/strict";
import { test } from "node:test";
import type { Foundation } from "../../src/foundation.ts";
import { tidy } from "../../src/usecases/keeping/housekeeping.ts";
import { beginLinking } from "../../src/usecases/linking/begin-linking.ts";
import { finishLinking, type Return } from "../../src/usecases/linking/finish-linking.ts";
import { type Companies, CUSTOMER, concludeUnheard, createCompanies } from "../support/linked-world.ts";
import { settleUntilNextHour } from "../support/settle.ts";
import type { World } from "../support/world.ts";
import { foreignSteps, strikeEverywhere } from "./everywhere.ts";
import { tellOutcome } from "./outcome.ts";

const OWNER = { tenant: "tenant-1", subject: "owner of tenant-1" };

test("a linking that fails at any step creates one complete link or none, with one configuration per side", async () => {
  await using companies = await createCompanies({ expectErrors: true, docusign: { validate: false } });
  const { world, colleague } = companies;
  await concludeUnheard(world, { from: colleague, to: [CUSTOMER] });
  await (await world.api()).send("PUT", "/v1/groups/group-1", { name: "契約書" });

  const { outcome, steps } = await strikeEverywhere(world, {
    act: async (process) => await link(companies, process),
    recover: async () => {
      await linkAgain(companies);
      await settleUntilNextHour(world);
    },
    tell: async () => await tellOutcome(world),
  });

  assert.deepEqual(outcome.links, [
    {
      user_name: "山田",
      state: "active",
      cause: null,
      connect_sent: "active",
      connect_received: "active",
      group_id: "group-1",
      tokens: 1,
      running: 0,
    },
  ]);
  const ofLink = "a link that is active";
  assert.deepEqual(outcome.configurations, [
    { type: "custom", of: ofLink },
    { type: "customrecipient", of: ofLink },
  ]);
  assert.equal(outcome.contracts.length, 1);
  assert.equal(outcome.linkings, 0);
  assert.deepEqual(foreignSteps(steps), CALLS);
});

const CALLS = [
  "POST /oauth/token",
  "GET /oauth/userinfo",
  "GET /users/{userId}",
  "GET /envelopes",
  "GET /envelopes",
  "GET /connect",
  "POST /connect",
  "GET /connect",
  "POST /connect",
];

/** The login at DocuSign and the return, without the page. */
async function link({ world, admin }: Companies, { tasks }: Pick<Foundation, "tasks">): Promise<void> {
  const { authorizationUrl } = await beginLinking(world.service.foundation.tasks, OWNER, {
    groupId: "group-1",
  });
  const { searchParams } = new URL(await world.docusign.authorize(authorizationUrl, admin));
  const returned: Return = {
    state: searchParams.get("state") ?? "",
    code: searchParams.get("code"),
    error: searchParams.get("error"),
  };
  const { result } = await finishLinking(tasks, OWNER, returned);
  if (result !== "linked") throw new Error(result);
}

/** The owner checks for a link and tries again if there is none. */
async function linkAgain(companies: Companies): Promise<void> {
  const { world } = companies;
  const { status } = await (await world.api()).get("/v1/link");
  if (status === 404) await link(companies, world.service.foundation);
  else assert.equal(status, 200);
  await forgetLinkings(world);
}

/** Unfinished linkings expire. */
async function forgetLinkings({ service, clock }: World): Promise<void> {
  clock.pass(16 * 60_000);
  await tidy(service.foundation.tasks);
}
