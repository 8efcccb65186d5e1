import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { pino } from "pino";
import type { LinkId } from "../../src/domain/identifiers.ts";
import { openFoundation } from "../../src/foundation.ts";
import { findTokens, type LinkTokens, storeTokens } from "../../src/store/links/link-tokens.ts";
import { type AccessTokens, createAccessTokens } from "../../src/usecases/account/access-tokens.ts";
import { isWaitingForLock } from "../support/database-locks.ts";
import { type Around, interceptPool } from "../support/intercept-pool.ts";
import { type Companies, createLinkedCompanies, linkIdOf } from "../support/linked-world.ts";
import { HOUR_MS } from "../support/reconciling.ts";
import type { World } from "../support/world.ts";

type Renewing = AsyncDisposable &
  Pick<Companies, "world"> & {
    readonly linkId: LinkId;
    /** Of a process of its own, whose statements go the way of `around`. */
    readonly tokens: AccessTokens;
    readonly stored: () => Promise<LinkTokens | null>;
  };

/** A linked company whose access token has run out. */
async function createRenewing(around: Around): Promise<Renewing> {
  await using opened = new AsyncDisposableStack();
  const { world } = opened.use(await createLinkedCompanies());
  const other = opened.use(
    await openFoundation(world.config, { log: pino({ level: "silent" }), now: () => world.clock.now }),
  );
  const linkId = await linkIdOf(world);
  world.clock.pass(8 * HOUR_MS);
  interceptPool(other.working.pool, around);
  const kept = opened.move();
  return {
    world,
    linkId,
    tokens: createAccessTokens(other.tasks),
    stored: async () => {
      const { db, vault } = world.service.foundation.tasks;
      return await findTokens(db, vault, linkId);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** What PostgreSQL answers while it starts. */
const STARTING = { code: "57P03" };

function fault(details: object): Error {
  return Object.assign(new Error("the database says no"), details);
}

/** The database that hands out tokens' transaction is lost when DocuSign has answered; `then` is what comes of the next statements. */
function loseTransaction({ docusign, service }: World, then: () => void): void {
  docusign.onNext("/oauth/token", async () => {
    then();
    await sql`
      select pg_terminate_backend(pid, 10000) from pg_stat_activity
      where datname = current_database() and state = 'idle in transaction'`.execute(
      service.foundation.working.db,
    );
  });
}

test("tokens that a lost transaction was to store are stored once the database is back, however often it says no before", async () => {
  let refusals = 0;
  await using renewing = await createRenewing(async (statement, act) => {
    if (refusals === 0 || statement !== "begin") return await act();
    refusals -= 1;
    throw fault(STARTING);
  });
  const { world, linkId, tokens, stored } = renewing;
  const before = await stored();
  loseTransaction(world, () => {
    refusals = 2;
  });

  const token = await tokens.get(linkId);

  const after = await stored();
  assert.equal(refusals, 0);
  assert.equal(after?.accessToken, token);
  assert.notEqual(after?.refreshToken, before?.refreshToken);
});

test("tokens that a database cannot store though it is there are not tried again and again", async () => {
  let refuses = false;
  await using renewing = await createRenewing(async (statement, act) => {
    if (!refuses || statement !== "begin") return await act();
    refuses = false;
    throw fault({ code: "XX001" });
  });
  const { world, linkId, tokens } = renewing;
  loseTransaction(world, () => {
    refuses = true;
  });

  await assert.rejects(tokens.get(linkId), { code: "XX001" });
});

test("tokens of a lost transaction do not replace those of a login that came meanwhile", async () => {
  let begins = -1;
  const login = {
    accessToken: "of the login",
    refreshToken: "login",
    accessExpiresAt: new Date("2032-01-01"),
  };
  await using renewing = await createRenewing(async (statement, act) => {
    if (statement === "begin" && begins >= 0) begins += 1;
    if (statement === "begin" && begins === 1) {
      const { db, vault } = renewing.world.service.foundation.tasks;
      await storeTokens(db, vault, { linkId: renewing.linkId, tokens: login, now: renewing.world.clock.now });
    }
    return await act();
  });
  const { world, linkId, tokens, stored } = renewing;
  loseTransaction(world, () => {
    begins = 0;
  });

  const token = await tokens.get(linkId);

  assert.equal(token, login.accessToken);
  assert.deepEqual(await stored(), login);
});

test("a database that cannot tell the tokens says nothing of the authorisation", async () => {
  await using renewing = await createRenewing(async (statement, act) => {
    if (statement.includes("link_token")) throw fault(STARTING);
    return await act();
  });

  await assert.rejects(renewing.tokens.get(renewing.linkId), STARTING);
});

test("who asks while another process renews waits for it, and is given what that was given", async () => {
  await using renewing = await createRenewing(async (_statement, act) => await act());
  const { world, linkId, tokens } = renewing;
  const asked: Promise<string>[] = [];
  world.docusign.onNext("/oauth/token", async () => {
    asked.push(tokens.get(linkId));
    while (!(await isWaitingForLock(world)));
  });
  const before = world.docusign.callsTo("/oauth/token").length;

  const first = await createAccessTokens(world.service.foundation.tasks).get(linkId);

  assert.deepEqual(await Promise.all(asked), [first]);
  assert.equal(world.docusign.callsTo("/oauth/token").length, before + 1);
});
