import { Gauge, type Registry } from "prom-client";
import type { Figures } from "../../store/upkeep/figures.ts";

/** A connection pool's figures, as `pg.Pool` has them. */
export type PoolFigures = {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
};

export type Gauges = {
  /** Shows the state as the database tells it; null where it does not answer. */
  show(figures: Figures | null): void;
  showPools(pools: Readonly<Record<string, PoolFigures>>): void;
};

/** Gauges that are filled when they are asked for. */
export function createGauges(registry: Registry): Gauges {
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ name: `torikomi_${name}`, help, labelNames, registers: [registry] });
  const up = gauge("database_up", "1 where the database answered when these figures were read");
  const connections = gauge("database_connections", "Connections of this process", ["pool", "state"]);
  const state = createStateGauges(gauge);
  return {
    show(figures) {
      up.set(figures === null ? 0 : 1);
      state.forEach((show) => show(figures));
    },
    showPools(pools) {
      for (const [pool, { totalCount, idleCount, waitingCount }] of Object.entries(pools)) {
        connections.set({ pool, state: "in_use" }, totalCount - idleCount);
        connections.set({ pool, state: "idle" }, idleCount);
        connections.set({ pool, state: "waiting" }, waitingCount);
      }
    },
  };
}

type MakeGauge = (name: string, help: string, labelNames?: readonly string[]) => Gauge;
type Value = readonly [value: number, labels?: Readonly<Record<string, string>>];

/** One function for each gauge; what is not there any more, or not known, shows nothing rather than something old. */
function createStateGauges(make: MakeGauge): ((figures: Figures | null) => void)[] {
  return STATE_GAUGES.map(({ name, help, labels, values }) => {
    const gauge = make(name, help, labels);
    return (figures) => {
      gauge.reset();
      // Without labels, the reset leaves a zero, which would be a lie.
      if (labels.length === 0) gauge.remove();
      for (const [value, where] of figures === null ? [] : values(figures)) gauge.set({ ...where }, value);
    };
  });
}

type StateGauge = {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly values: (figures: Figures) => readonly Value[];
};

const LINK_STATES = ["active", "awaiting-approval", "error", "ended"];

const STATE_GAUGES: readonly StateGauge[] = [
  {
    name: "queue_depth",
    help: "Jobs that are due and not running, of all tasks",
    labels: [],
    values: ({ queue }) => [[queue.reduce((sum, { due }) => sum + due, 0)]],
  },
  {
    name: "queue_age_seconds",
    help: "How long the job that has been due longest has been due",
    labels: [],
    values: ({ queue }) => [[Math.max(0, ...queue.map(({ oldestDueSeconds }) => oldestDueSeconds))]],
  },
  {
    name: "queue_jobs",
    help: "Jobs by task and state: due, later, running, failed (out of attempts)",
    labels: ["task", "state"],
    values: ({ queue }) =>
      queue.flatMap(({ task, due, later, running, failed }) =>
        Object.entries({ due, later, running, failed }).map(
          ([state, count]) => [count, { task, state }] as const,
        ),
      ),
  },
  {
    name: "queue_oldest_due_seconds",
    help: "How long the job that has been due longest has been due, by task",
    labels: ["task"],
    values: ({ queue }) => queue.map(({ task, oldestDueSeconds }) => [oldestDueSeconds, { task }] as const),
  },
  {
    name: "envelopes_waiting",
    help: "Envelopes that wait to be imported, by cause",
    labels: ["reason"],
    values: ({ waiting }) => [...waiting].map(([reason, count]) => [count, { reason }] as const),
  },
  {
    name: "envelopes_parked",
    help: "Envelopes whose import failed for days and that wait to be taken up again",
    labels: [],
    values: ({ parked }) => [[parked]],
  },
  {
    name: "links",
    help: "Links by state",
    labels: ["state"],
    values: ({ links }) => LINK_STATES.map((state) => [links.get(state) ?? 0, { state }] as const),
  },
  {
    name: "links_in_error",
    help: "Links in state error by cause",
    labels: ["cause"],
    values: ({ causes }) => [...causes].map(([cause, count]) => [count, { cause }] as const),
  },
  {
    name: "reconciliation_lag_seconds",
    help: "Time since the moment up to which all completed envelopes are accounted for, of the active link that is furthest behind",
    labels: [],
    values: ({ lagSeconds }) => [[lagSeconds]],
  },
  {
    name: "first_import_wait_seconds",
    help: "How long the active link that has waited longest for its first import to start has waited",
    labels: [],
    values: ({ firstImportWaitSeconds }) => [[firstImportWaitSeconds]],
  },
  {
    name: "missed_by_events_ratio",
    help: "Share of the envelopes completed within 24 hours that no event announced, 0 to 1",
    labels: [],
    values: ({ missedRatio }) => [[missedRatio]],
  },
  {
    name: "feed_unpublished_changes",
    help: "Changes that have no place in the feed yet, since nobody has read it after them",
    labels: [],
    values: ({ feed }) => [[feed.unpublished]],
  },
  {
    name: "feed_oldest_unpublished_seconds",
    help: "Age of the oldest change that has no place in the feed yet",
    labels: [],
    values: ({ feed }) => [[feed.oldestSeconds]],
  },
  {
    name: "documents_to_erase",
    help: "Documents of deleted contracts that are still in the document store",
    labels: [],
    values: ({ toErase }) => [[toErase]],
  },
  {
    name: "docusign_calls_remaining",
    help: "What is left of the hour's API calls of a DocuSign account",
    labels: ["account"],
    values: ({ budgets }) =>
      budgets.flatMap(({ accountId, remaining }) =>
        remaining === null ? [] : [[remaining, { account: accountId }] as const],
      ),
  },
  {
    name: "docusign_calls_limit",
    help: "API calls an hour that a DocuSign account has",
    labels: ["account"],
    values: ({ budgets }) =>
      budgets.flatMap(({ accountId, limit }) =>
        limit === null ? [] : [[limit, { account: accountId }] as const],
      ),
  },
  {
    name: "docusign_accounts_paused",
    help: "Accounts that are not called for now since DocuSign refused calls",
    labels: [],
    values: ({ budgets }) => [[budgets.filter(({ paused }) => paused).length]],
  },
];
