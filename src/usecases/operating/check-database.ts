import { isCurrent } from "../../store/migrate.ts";
import {
  hasQueueSchema,
  isStandby,
  keepsSessions,
  readClock,
  readRole,
  readServerVersion,
} from "../../store/upkeep/inspect.ts";
import type { Uses } from "../capabilities.ts";
import { rehearseQueueing, rehearseReading, rehearseRecording } from "../health/rehearse-serving.ts";
import type { Examination } from "./examination.ts";

/** It also grants the runtime role what it needs. */
const MIGRATE = "run torikomi migrate";

/** Nothing else about the database is checked if this fails. */
export const DATABASE: Examination<Uses<"db">> = {
  name: "database",
  look: checkVersion,
  advice: "check that PostgreSQL 15 or newer runs at DATABASE_URL",
};

export const WITHIN_DATABASE: readonly Examination<Uses<"db" | "now">>[] = [
  { name: "primary", look: checkPrimary, advice: "set DATABASE_URL to the address of the primary" },
  {
    name: "sessions",
    look: checkSessions,
    advice: "connect to PostgreSQL directly, or put the pooler into session mode",
  },
  { name: "clock", look: checkClock, advice: "synchronize the clocks of both machines" },
  { name: "migrations", look: checkMigrations, advice: MIGRATE },
  { name: "database role", look: checkRole, advice: MIGRATE },
  { name: "queue", look: checkQueue, advice: MIGRATE },
  { name: "receiver", look: checkReceiver, advice: MIGRATE },
  { name: "feed", look: checkFeed, advice: MIGRATE },
];

const OLDEST_SERVER = 150_000;

async function checkVersion({ db }: Uses<"db">): Promise<string> {
  const { name, number } = await readServerVersion(db);
  if (number < OLDEST_SERVER) throw new Error(`PostgreSQL ${name} is too old`);
  return `PostgreSQL ${name}`;
}

async function checkPrimary({ db }: Uses<"db">): Promise<string> {
  if (await isStandby(db)) throw new Error("the database is a standby and accepts no writes");
  return "the database accepts writes";
}

async function checkSessions({ db }: Uses<"db">): Promise<string> {
  if (!(await keepsSessions(db)))
    throw new Error("a pooler in transaction mode changes sessions between statements");
  return "each connection keeps its session";
}

/** Workers' clocks must agree within a minute (docs/operations.md, "Scaling"). */
const MOST_DIFFERENCE_S = 60;

async function checkClock({ db, now }: Uses<"db" | "now">): Promise<string> {
  const [before, theirs, after] = [now(), await readClock(db), now()];
  const ours = (before.getTime() + after.getTime()) / 2;
  const seconds = (ours - theirs.getTime()) / 1_000;
  const difference = `${Math.abs(seconds).toFixed(1)} s ${seconds < 0 ? "behind" : "ahead of"} the database's`;
  if (Math.abs(seconds) > MOST_DIFFERENCE_S) throw new Error(`this machine's clock is ${difference}`);
  return difference;
}

async function checkMigrations({ db }: Uses<"db">): Promise<string> {
  if (!(await isCurrent(db))) throw new Error("the database is not current");
  return "current";
}

async function checkRole({ db }: Uses<"db">): Promise<string> {
  const { name, mayChangeSchema } = await readRole(db);
  return mayChangeSchema
    ? `${name} may change the schema, which only torikomi migrate needs (docs/operations.md, "Database roles")`
    : `${name} may not change the schema`;
}

async function checkQueue({ db }: Uses<"db">): Promise<string> {
  if (!(await hasQueueSchema(db))) throw new Error("the queue's schema is missing");
  await rehearseQueueing(db);
  return "a job can be queued";
}

async function checkReceiver({ db }: Uses<"db">): Promise<string> {
  await rehearseRecording(db);
  return "an event can be recorded";
}

async function checkFeed({ db }: Uses<"db">): Promise<string> {
  await rehearseReading(db);
  return "changes can be read";
}
