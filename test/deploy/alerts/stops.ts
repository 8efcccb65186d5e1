import assert from "node:assert/strict";
import { sql } from "kysely";
import pg from "pg";
import { pino } from "pino";
import { MOST_ATTEMPTS } from "../../../src/domain/retries.ts";
import { startOfHour } from "../../../src/domain/schedule.ts";
import { startService } from "../../../src/service.ts";
import { reconcileAll } from "../../../src/usecases/reconciling/reconcile-all.ts";
import { breakStore } from "../../support/broken-store.ts";
import { minimalEvent, post } from "../../support/connect.ts";
import type { Failure } from "../../support/docusign/faults.ts";
import { findFreePort } from "../../support/free-port.ts";
import { CUSTOMER, linkIdOf } from "../../support/linked-world.ts";
import { concludeQuietly } from "../../support/reconciling.ts";
import { allowWrites, refuseWrites } from "../../support/refused-writes.ts";
import type { World } from "../../support/world.ts";
import type { createStage, Stage } from "./stage.ts";

/** A state of the service in which imports stop or are late. The state begins at minute 0. */
export type Stop = {
  /** The causes of the runbook's table that the state stands for. */
  readonly causes: readonly string[];
  readonly options?: Parameters<typeof createStage>[0];
  readonly play: (stage: Stage) => Promise<void>;
};

export const STOPS: readonly Stop[] = [
  { causes: ["no process runs"], play: async (stage) => await endOf(stage, ["serve"]) },
  {
    causes: ["no worker runs"],
    play: async (stage) => await withWorker(stage, async () => await endOf(stage, ["work"])),
  },
  {
    causes: ["no process serves HTTP"],
    play: async (stage) => await withWorker(stage, async () => await endOf(stage, ["serve"])),
  },
  {
    causes: ["the database is down", "the receiver answers 503"],
    play: async (stage) => {
      const { world } = stage;
      const linkId = await linkIdOf(world);
      await using _outage = await closeDatabase(world);
      await stage.each(0, 8, async () => {
        assert.equal((await post(world, linkId, minimalEvent())).status, 503);
      });
    },
  },
  {
    causes: ["the database is read-only after a failover"],
    play: async (stage) => {
      const { world } = stage;
      const linkId = await linkIdOf(world);
      await setReadOnly(world, true);
      await stage.each(0, 8, async () => {
        assert.equal((await post(world, linkId, minimalEvent())).status, 503);
      });
      await setReadOnly(world, false);
    },
  },
  {
    causes: ["a Connect key is missing, so signatures are refused"],
    play: async (stage) => {
      const linkId = await linkIdOf(stage.world);
      await stage.each(0, 25, async () => {
        for (const key of ["unknown key 1", "unknown key 2"])
          assert.equal((await post(stage.world, linkId, minimalEvent(), { key })).status, 401);
      });
    },
  },
  {
    causes: ["the document store refuses writes"],
    play: async (stage) => {
      await breakStore(stage.world);
      await conclude(stage);
      await stage.each(0, 6, async () => await stage.world.runJobs());
    },
  },
  {
    causes: ["DocuSign is down"],
    play: async (stage) => {
      stage.world.docusign.holdDeliveries();
      await conclude(stage);
      stage.world.docusign.goDown();
      await stage.world.docusign.deliver("all");
      await stage.each(0, 17, async () => await stage.world.runJobs());
    },
  },
  {
    causes: ["the secret of the integration key is rejected"],
    play: async (stage) => {
      const { world } = stage;
      await world.restart({ docusign: { ...world.config.docusign, clientSecret: "wrong" } });
      world.docusign.expireAccessTokens(stage.admin);
      await conclude(stage);
      await stage.each(0, 17, async () => await world.runJobs());
      assert.match(String(world.docusign.takeProblems()), /Authorization is not the client's/);
    },
  },
  {
    causes: [
      "one link is late",
      "workers hang, or are too few",
      "imports that events request are late",
      "a first import does not start",
    ],
    play: async (stage) => {
      const { world } = stage;
      await linkAnother(world, "tenant-2");
      await conclude(stage);
      const { tasks, working } = world.service.foundation;
      await reconcileAll(tasks, startOfHour(world.clock.now));
      // The queue goes by the database's clock.
      await sql`update graphile_worker._private_jobs set run_at = ${world.clock.now}`.execute(working.db);
      for (const minute of [0, 5, 6, 60, 61, 120, 121]) await stage.at(minute);
      await forgetJobs(world);
    },
  },
  {
    causes: ["one envelope fails again and again"],
    play: async (stage) => {
      stage.world.docusign.failNext(100, REFUSED, "/envelopes/{envelopeId}");
      await conclude(stage);
      await stage.each(0, 32, async () => await stage.world.runJobs());
    },
  },
  {
    causes: ["an envelope has failed for days"],
    play: async (stage) => {
      const { world } = stage;
      world.docusign.failNext(2, REFUSED, "/envelopes/{envelopeId}");
      await conclude(stage);
      await world.runJobs();
      await sql`update envelope set attempts = ${MOST_ATTEMPTS - 1}`.execute(
        world.service.foundation.working.db,
      );
      await stage.at(0, async () => {
        world.clock.pass(5_000);
        await world.runJobs();
      });
    },
  },
  {
    causes: ["jobs fail their last attempt"],
    play: async (stage) => {
      const { db } = stage.world.service.foundation.working;
      await refuseWrites(db, "envelope");
      await conclude(stage);
      await sql`update graphile_worker._private_jobs set attempts = max_attempts - 1`.execute(db);
      await stage.at(0, async () => await stage.world.runJobs());
      await allowWrites(db, "envelope");
      await forgetJobs(stage.world);
    },
  },
  {
    causes: ["workers are killed again and again"],
    play: async (stage) => {
      const { world } = stage;
      await stage.at(0);
      const { db } = world.service.foundation.working;
      await sql`select graphile_worker.add_job('housekeeping', job_key := 'killed ' || n, run_at := '2999-01-01')
        from generate_series(1, 3) as n`.execute(db);
      await sql`update graphile_worker._private_jobs set locked_at = now(), locked_by = key
        where key like 'killed %'`.execute(db);
      await sql`select graphile_worker.add_job('rescue-jobs')`.execute(db);
      await stage.at(1, async () => await world.runJobs());
      await forgetJobs(world);
    },
  },
  {
    causes: ["an encryption key is missing"],
    play: async (stage) => {
      const { world } = stage;
      const [key, ...others] = world.config.encryptionKeys;
      assert.ok(key !== undefined && others.length === 0);
      await world.restart({ encryptionKeys: [{ ...key, id: "other" }] });
      await stage.at(0, async () => {
        await reconcileAll(world.service.foundation.tasks, startOfHour(world.clock.now));
        await world.runJobs();
      });
    },
  },
  {
    causes: ["a link is in error (small installation)", "many links are in error"],
    play: async (stage) => {
      const { world, admin } = stage;
      const admins = [admin];
      for (const tenant of ["tenant-2", "tenant-3", "tenant-4"])
        admins.push(await linkAnother(world, tenant));
      for (const user of admins) {
        world.docusign.revokeConsent(user);
        world.docusign.expireAccessTokens(user);
      }
      await stage.at(0, async () => {
        await reconcileAll(world.service.foundation.tasks, startOfHour(world.clock.now));
        await world.runJobs();
      });
    },
  },
  {
    causes: ["Connect configurations were switched off"],
    play: async (stage) => {
      const { world, account } = stage;
      for (const { connectId } of world.docusign.configurations(account))
        world.docusign.changeConfiguration(account, connectId, { allowEnvelopePublish: "false" });
      await stage.at(0, async () => {
        world.clock.pass(24 * 60 * 60_000);
        await world.runHour();
      });
    },
  },
  {
    causes: ["events do not arrive"],
    play: async (stage) => {
      const { world, colleague } = stage;
      await stage.at(0);
      concludeQuietly(world, 25, () => ({
        from: colleague,
        to: [CUSTOMER],
        completedAt: world.clock.now,
      }));
      await stage.at(1, async () => await world.runHour());
    },
  },
  {
    causes: ["the account's calls are spent"],
    options: { docusign: { limits: { hourly: 100 } } },
    play: async (stage) => {
      stage.world.docusign.spendCalls(stage.account, 85);
      await conclude(stage);
      await stage.at(0, async () => await stage.world.runJobs());
    },
  },
  {
    causes: ["imports run, but the feed publishes nothing"],
    play: async (stage) => {
      const { db } = stage.world.service.foundation.working;
      await sql`select setval('change_sequence',
        (extract(epoch from clock_timestamp() + interval '10 minutes') * 1000000)::bigint)`.execute(db);
      await stage.at(0);
    },
  },
  {
    causes: ["imports run, but a reader of the feed is stuck"],
    play: async (stage) => {
      await conclude(stage);
      await stage.world.runJobs();
      const api = await stage.world.api();
      await stage.each(0, 24, async () => {
        for (let time = 0; time < 2; time += 1)
          assert.equal((await api.get("/v1/changes?after=0")).body.items.length, 1);
      });
    },
  },
  {
    causes: ["imports run, but nobody reads the feed"],
    play: async (stage) => {
      await conclude(stage);
      await stage.at(0, async () => await stage.world.runJobs());
      await stage.each(1440, 1441);
    },
  },
];

const REFUSED: Failure = { status: 400, body: { errorCode: "SOMETHING_NEW", message: "x" } };

async function conclude({ world, colleague }: Stage): Promise<void> {
  await world.docusign.concludeEnvelope({ from: colleague, to: [CUSTOMER] });
}

/** Prometheus scrapes the processes once, and never again. */
async function endOf(stage: Stage, processes: readonly string[]): Promise<void> {
  await stage.at(0);
  for (const process of processes) stage.timeline.end(1, process);
}

/** Runs workers in a service of their own, and collects their metrics once. */
async function withWorker({ world, timeline }: Stage, play: () => Promise<void>): Promise<void> {
  const config = { ...world.config, port: await findFreePort(), operationsPort: null };
  const runtime = { log: pino({ level: "silent" }), now: () => world.clock.now };
  await using worker = await startService(config, "work", runtime);
  timeline.show(0, "work", await (await fetch(`http://127.0.0.1:${worker.operationsPort}/metrics`)).text());
  await play();
}

/** Links an account of its own for this tenant. */
async function linkAnother(world: World, tenant: string) {
  const account = world.docusign.addAccount({ name: tenant });
  const admin = world.docusign.addUser(account, { name: tenant, role: "DS Admin" });
  assert.equal(await world.link(admin, { tenant }), "linked");
  return admin;
}

async function forgetJobs({ service }: World): Promise<void> {
  await sql`delete from graphile_worker._private_jobs`.execute(service.foundation.working.db);
}

/** The database ends all connections and accepts none until this is disposed of. */
async function closeDatabase(world: World): Promise<AsyncDisposable> {
  await alterDatabase(world, "allow_connections false");
  return { [Symbol.asyncDispose]: async () => await alterDatabase(world, "allow_connections true") };
}

/** As on a standby: sessions can read, but not write. */
async function setReadOnly(world: World, isReadOnly: boolean): Promise<void> {
  await alterDatabase(world, `set default_transaction_read_only = ${isReadOnly ? "on" : "off"}`);
}

/** Ends all connections of the database, so that the change applies to all. */
async function alterDatabase({ database }: World, change: string): Promise<void> {
  const address = new URL(database.connectionString);
  const name = address.pathname.slice(1);
  address.pathname = "/postgres";
  const admin = new pg.Client({ connectionString: address.href });
  await admin.connect();
  await admin.query(`alter database "${name}" ${change}`);
  await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);
  await admin.end();
}
