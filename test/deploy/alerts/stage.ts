import type { Companies } from "../../support/linked-world.ts";
import { createLinkedCompanies } from "../../support/linked-world.ts";
import type { World, WorldOptions } from "../../support/world.ts";
import { createTimeline, type Timeline } from "./promtool.ts";

const MINUTE_MS = 60_000;

/** A world whose metrics are collected from the beginning of a state on. */
export type Stage = AsyncDisposable &
  Companies & {
    readonly timeline: Timeline;
    /** Moves the clock to this minute, does something, and scrapes the service. */
    at(minute: number, act?: () => Promise<unknown>): Promise<void>;
    /** As `at`, for each minute from the first to the last. */
    each(first: number, last: number, act?: (minute: number) => Promise<unknown>): Promise<void>;
  };

export async function createStage(options: WorldOptions = {}): Promise<Stage> {
  const companies = await createLinkedCompanies({ expectErrors: true, ...options });
  const { world } = companies;
  const timeline = createTimeline();
  const begin = world.clock.now.getTime();
  const stage: Stage = {
    ...companies,
    timeline,
    async at(minute, act = async () => {}) {
      world.clock.now = new Date(begin + minute * MINUTE_MS);
      await act();
      timeline.show(minute, "serve", await scrape(world));
    },
    async each(first, last, act = async () => {}) {
      for (let minute = first; minute <= last; minute += 1)
        await stage.at(minute, async () => await act(minute));
    },
    [Symbol.asyncDispose]: async () => await companies[Symbol.asyncDispose](),
  };
  return stage;
}

/** The service shares each result for a short time, so this repeats the request until it has read the database. */
async function scrape({ service, url }: World): Promise<string> {
  const { pool } = service.foundation.serving;
  let hasRead = false;
  const note = (): void => {
    hasRead = true;
  };
  pool.on("acquire", note);
  try {
    for (;;) {
      const text = await (await fetch(`${url}/metrics`)).text();
      if (hasRead || text.includes("torikomi_database_up 0")) return text;
    }
  } finally {
    pool.off("acquire", note);
  }
}
