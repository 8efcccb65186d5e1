import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { renderManifests } from "../manifests.ts";

/** The namespace that the rules select. */
const NAMESPACE = "torikomi";

/** Returns the path of promtool, from Debian's package `prometheus`; null if it is missing. */
export async function findPromtool(): Promise<string | null> {
  const { stdout } = await promisify(execFile)("sh", ["-c", "command -v promtool || true"]);
  return stdout.trim() || null;
}

/** The metrics of several processes over time, in minutes from the beginning of a state. */
export type Timeline = {
  /** The process exposes these metrics from this minute on. */
  show(minute: number, process: string, exposed: string): void;
  /** The process cannot be scraped from this minute on. */
  end(minute: number, process: string): void;
  /** Prometheus' input series, up to the given minute. */
  series(lastMinute: number): readonly { readonly series: string; readonly values: string }[];
};

type Scrape = { readonly minute: number; readonly lines: ReadonlyMap<string, string> };

export function createTimeline(): Timeline {
  const scrapes = new Map<string, Scrape[]>();
  const add = (process: string, scrape: Scrape): void => {
    scrapes.set(process, [...(scrapes.get(process) ?? []), scrape]);
  };
  return {
    show: (minute, process, exposed) => add(process, { minute, lines: readLines(exposed, process) }),
    end: (minute, process) => add(process, { minute, lines: new Map() }),
    series: (lastMinute) =>
      [...scrapes.values()].flatMap((some) => {
        const names = new Set(some.flatMap(({ lines }) => [...lines.keys()]));
        return [...names].map((series) => ({ series, values: valuesOf(series, some, lastMinute) }));
      }),
  };
}

/** Prometheus marks a series stale when a scrape lacks it. */
function valuesOf(series: string, scrapes: readonly Scrape[], lastMinute: number): string {
  let last: string | undefined;
  return Array.from({ length: lastMinute + 1 }, (_, minute) => {
    const value = scrapes.findLast((scrape) => scrape.minute <= minute)?.lines.get(series);
    const shown = value ?? (last === undefined ? "_" : "stale");
    last = value;
    return shown;
  }).join(" ");
}

/** Prometheus adds the labels of the target. */
function readLines(exposed: string, process: string): Map<string, string> {
  const own = exposed.split("\n").filter((line) => line.startsWith("torikomi_"));
  return new Map(
    own.map((line) => {
      const [, name = "", labels = "", value = ""] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const target = `namespace="${NAMESPACE}",pod="${process}"`;
      return [`${name}{${labels === "" ? "" : `${labels},`}${target}}`, value];
    }),
  );
}

/**
 * Evaluates the shipped rules over the timeline, once a minute. Returns the first minute in which each alert fires; null
 * if it does not until the given minute.
 */
export async function firstFirings(
  promtool: string,
  timeline: Timeline,
  { alerts, lastMinute }: { readonly alerts: readonly string[]; readonly lastMinute: number },
): Promise<Map<string, number | null>> {
  const questions = alerts.flatMap((alert) =>
    Array.from({ length: lastMinute + 1 }, (_, minute) => ({
      expr: `group by (alertname) (ALERTS{alertname="${alert}",alertstate="firing"}) # ${alert} ${minute}.`,
      eval_time: `${minute}m`,
      exp_samples: [{ labels: `{alertname="${alert}"}`, value: 1 }],
    })),
  );
  const output = await runRules(promtool, timeline.series(lastMinute), questions);
  const silent = new Set(Array.from(output.matchAll(/# (\w+ \d+)\./g), ([, question]) => question));
  return new Map(
    alerts.map((alert) => {
      const minutes = Array.from({ length: lastMinute + 1 }, (_, minute) => minute);
      return [alert, minutes.find((minute) => !silent.has(`${alert} ${minute}`)) ?? null] as const;
    }),
  );
}

const Rules = z.object({
  kind: z.literal("PrometheusRule"),
  spec: z.object({ groups: z.array(z.unknown()) }),
});
const RULES = (await renderManifests("monitoring"))
  .map((one) => Rules.safeParse(one).data?.spec)
  .find(Boolean);

/** Returns the output of `promtool test rules`, which names the questions without an answer. */
async function runRules(promtool: string, series: object, questions: readonly object[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "torikomi-rules-"));
  try {
    await writeFile(join(folder, "rules.json"), JSON.stringify(RULES));
    const test = { interval: "1m", input_series: series, promql_expr_test: questions };
    const file = { rule_files: ["rules.json"], evaluation_interval: "1m", tests: [test] };
    await writeFile(join(folder, "test.json"), JSON.stringify(file));
    await promisify(execFile)(promtool, ["test", "rules", "test.json"], { cwd: folder });
    return "";
  } catch (error) {
    const { stderr } = Failed.parse(error);
    if (!stderr.includes("got: nil")) throw error;
    return stderr;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const Failed = z.object({ stderr: z.string() });
