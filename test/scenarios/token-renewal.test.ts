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
    /** Token access of a separate process whose SQL statements go through `around`. */
    readonly tokens: AccessTokens;
    readonly stored: () => Promise<LinkTokens | null>;
  };

/** Returns a linked company whose access token has expired. */
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

/** PostgreSQL's error during its startup. */
const STARTING = { code: "57P03" };

function fault(details: object): Error {
  return Object.assign(new Error("the database refuses"), details);
}

/** Ends the refresh's database session after DocuSign has answered, then calls `then`, which affects the next statements. */
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

test("tokens of a lost transaction are stored once the database is back, even if it refuses several times first", async () => {
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

test("tokens are not stored again and again if a running database cannot store them", async () => {
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

test("tokens of a lost transaction do not replace those of a later login", async () => {
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

test("a database that cannot return the tokens does not count as a revoked authorization", async () => {
  await using renewing = await createRenewing(async (statement, act) => {
    if (statement.includes("link_token")) throw fault(STARTING);
    return await act();
  });

  await assert.rejects(renewing.tokens.get(renewing.linkId), STARTING);
});

test("a caller during another process's refresh waits for it and gets the same token", async () => {
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
