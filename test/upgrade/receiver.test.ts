import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pino } from "pino";
import { parseConfig } from "../../src/config.ts";
import { type Service, startService } from "../../src/service.ts";
import { isCurrent } from "../../src/store/migrate.ts";
import { minimalEvent, post } from "../support/connect.ts";
import { migrateTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { HMAC_KEYS } from "../support/world.ts";
import { createDatabaseBefore } from "./previous.ts";

/** The link of the migrations' fixtures. */
const LINK = "00000000-0000-4000-8000-000000000001";
const LANES = 4;
const ROWS = 20_000;

test("events are accepted during a migration, and every event answered with 200 is stored", async () => {
  await using database = await createDatabaseBefore();
  await using service = await startReceiver(database);
  await growLarge(service);
  const posted = startPosting(service);
  await posted.some(20);

  const before = posted.answered();
  await migrateTestDatabase(database.connectionString);
  const meanwhile = posted.answered() - before;
  await posted.some(20);
  const { accepted, refused } = await posted.stop();

  assert.ok(meanwhile > 0, "nothing was posted while the migration ran");
  assert.deepEqual(refused, []);
  const { db } = service.foundation.serving;
  assert.equal(await isCurrent(db), true);
  const stored = await db.selectFrom("connect_event").select("envelope_id").execute();
  const envelopes = new Set(stored.map((row) => row.envelope_id));
  assert.deepEqual(
    accepted.filter((envelopeId) => !envelopes.has(envelopeId)),
    [],
  );
});

test("a new version is not ready before the migration; an old version keeps running after it", async () => {
  await using database = await createDatabaseBefore();
  await using service = await startReceiver(database);

  const before = await readiness(service);
  const lacking = await fetch(`${at(service).url}/readyz`);
  await migrateTestDatabase(database.connectionString);
  const after = await readiness(service);
  await service.foundation.working.pool.query(
    "insert into kysely_migration values ('9999-newer', '2999-01-01')",
  );
  const newer = await readiness(service);

  assert.deepEqual({ before, after, newer }, { before: 503, after: 200, newer: 200 });
  assert.equal(lacking.headers.get("content-type"), "application/problem+json; charset=utf-8");
  assert.match(await lacking.text(), /"detail":"migrations are not current"/);
  const answer = await post(at(service), LINK, minimalEvent());
  assert.equal(answer.status, 200);
});

/** `torikomi serve` as in a deployment: it does not migrate. */
async function startReceiver({ connectionString }: TestDatabase): Promise<Service> {
  const dataDir = await mkdtemp(join(tmpdir(), "torikomi-upgrade-"));
  const config = parseConfig({
    DATABASE_URL: connectionString,
    DATA_DIR: dataDir,
    HOST: "127.0.0.1",
    PORT: "0",
    CONNECT_HMAC_KEYS: HMAC_KEYS.join(","),
    DOCUSIGN_CLIENT_ID: "torikomi",
    DOCUSIGN_CLIENT_SECRET: "secret",
  });
  const log = pino({ level: "silent" });
  const service = await startService({ ...config, production: true }, "serve", {
    log,
    now: () => new Date(),
  });
  return {
    ...service,
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Enough envelopes and contracts for an index to take noticeable time. */
async function growLarge({ foundation }: Service): Promise<void> {
  await foundation.working.pool.query(`
    insert into envelope (tenant, envelope_id, link_id, state, reason, completed_at, found_by, found_at)
      select 'acme', gen_random_uuid(), '${LINK}', 'imported', 'sent', now(), 'event', now()
      from generate_series(1, ${ROWS})`);
}

type Posting = {
  readonly answered: () => number;
  /** Resolves after this many further answers. */
  readonly some: (count: number) => Promise<void>;
  readonly stop: () => Promise<{ accepted: string[]; refused: number[] }>;
};

/** Lanes that post one event after the other and repeat those answered with 503, as Connect does. */
function startPosting(service: Service): Posting {
  const accepted: string[] = [];
  const refused: number[] = [];
  const state = { isStopped: false };
  const lane = async (): Promise<void> => {
    while (!state.isStopped) {
      const envelopeId = crypto.randomUUID();
      const event = minimalEvent({}, { envelopeId });
      const statuses = [(await post(at(service), LINK, event)).status];
      while (statuses.at(-1) === 503) statuses.push((await post(at(service), LINK, event)).status);
      if (statuses.at(-1) === 200) accepted.push(envelopeId);
      else refused.push(statuses.at(-1) ?? 0);
    }
  };
  const lanes = Array.from({ length: LANES }, lane);
  const answered = (): number => accepted.length + refused.length;
  return {
    answered,
    some: async (count) => {
      const enough = answered() + count;
      while (answered() < enough) await new Promise((resolve) => void setImmediate(resolve));
    },
    stop: async () => {
      state.isStopped = true;
      await Promise.all(lanes);
      return { accepted, refused };
    },
  };
}

function at({ port }: Service): { url: string } {
  return { url: `http://127.0.0.1:${port}` };
}

async function readiness(service: Service): Promise<number> {
  return (await fetch(`${at(service).url}/readyz`)).status;
}
