import { sql } from "kysely";

// Partial indexes cover these states. As parameters, a plan for all values could not use the indexes.
export const WAITING = sql.lit("waiting");
export const RUNNING = sql.lit("running");
export const DONE = sql.lit("done");
