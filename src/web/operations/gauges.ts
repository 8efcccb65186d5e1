import { Gauge, type Registry } from "prom-client";
import type { Figures } from "../../store/upkeep/figures.ts";

/** The figures of a `pg.Pool`. */
export type PoolFigures = {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
};

export type Gauges = {
  /** Sets the gauges to the state in the database. Pass null if the database did not answer. */
  show(figures: Figures | null): void;
  showPools(pools: Readonly<Record<string, PoolFigures>>): void;
};

/** Creates the gauges. Each request for `/metrics` updates them. */
export function createGauges(registry: Registry): Gauges {
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ name: `torikomi_${name}`, help, labelNames, registers: [registry] });
  const up = gauge("database_up", "1 if the database answered when these figures were read, else 0");
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

/** One function for each gauge. A missing or unknown value removes its series, so that no old value remains. */
function createStateGauges(make: MakeGauge): ((figures: Figures | null) => void)[] {
  return STATE_GAUGES.map(({ name, help, labels, values }) => {
    const gauge = make(name, help, labels);
    return (figures) => {
      gauge.reset();
      // Without labels, `reset` leaves a zero, which would be a wrong value.
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

const OFF_REASONS = ["person", "paused", "docusign", "deliveries-failed"];
const LINK_STATES = ["active", "paused", "awaiting-approval", "error", "ended"];

const STATE_GAUGES: readonly StateGauge[] = [
  {
    name: "queue_depth",
    help: "Jobs that are due and not running, across all tasks",
    labels: [],
    values: ({ queue }) => [[queue.reduce((sum, { due }) => sum + due, 0)]],
  },
  {
    name: "queue_age_seconds",
    help: "Seconds since the oldest due job became due",
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
    help: "Seconds since the oldest due job became due, by task",
    labels: ["task"],
    values: ({ queue }) => queue.map(({ task, oldestDueSeconds }) => [oldestDueSeconds, { task }] as const),
  },
  {
    name: "envelopes_waiting",
    help: "Envelopes waiting to be imported, by cause",
    labels: ["reason"],
    values: ({ waiting }) => [...waiting].map(([reason, count]) => [count, { reason }] as const),
  },
  {
    name: "envelopes_parked",
    help: "Envelopes whose import failed for days and that wait for a retry",
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
    name: "links_slowed",
    help: "Active links by the recorded cause that slows them",
    labels: ["code"],
    values: ({ slowed }) => [...slowed].map(([code, count]) => [count, { code }] as const),
  },
  {
    name: "connect_configurations",
    help: "Connect configurations of active links, by state",
    labels: ["state"],
    values: ({ connect }) => [...connect].map(([state, count]) => [count, { state }] as const),
  },
  {
    name: "document_store_outage_seconds",
    help: "Seconds since the document store began to refuse writes, by its error code; absent while it accepts them",
    labels: ["code"],
    values: ({ outage }) => (outage === null ? [] : [[outage.seconds, { code: outage.code }] as const]),
  },
  {
    name: "connect_configurations_off",
    help: "Connect configurations that are off: by a person, paused, by DocuSign, or after failed deliveries",
    labels: ["reason"],
    values: ({ connectOff }) =>
      OFF_REASONS.map((reason) => [connectOff.get(reason) ?? 0, { reason }] as const),
  },
  {
    name: "reconciliation_lag_seconds",
    help: "Seconds since the moment up to which all completed envelopes are accounted for, for the active link furthest behind",
    labels: [],
    values: ({ lagSeconds }) => [[lagSeconds]],
  },
  {
    name: "first_import_wait_seconds",
    help: "Longest time that an active link has waited for its first import to start",
    labels: [],
    values: ({ firstImportWaitSeconds }) => [[firstImportWaitSeconds]],
  },
  {
    name: "missed_by_events_ratio",
    help: "Share of the envelopes completed in the last 24 hours that no event announced, 0 to 1",
    labels: [],
    values: ({ missedRatio }) => [[missedRatio]],
  },
  {
    name: "feed_unpublished_changes",
    help: "Changes without a position in the feed; a reader of the feed assigns positions",
    labels: [],
    values: ({ feed }) => [[feed.unpublished]],
  },
  {
    name: "feed_oldest_unpublished_seconds",
    help: "Age of the oldest change without a position in the feed",
    labels: [],
    values: ({ feed }) => [[feed.oldestSeconds]],
  },
  {
    name: "publication_refused",
    help: "1 while the feed publishes nothing because the database's clock is more than 5 minutes behind, else 0",
    labels: [],
    values: ({ feed }) => [[feed.refused ? 1 : 0]],
  },
  {
    name: "documents_to_erase",
    help: "Documents of deleted contracts that are still in the document store",
    labels: [],
    values: ({ toErase }) => [[toErase]],
  },
  {
    name: "docusign_calls_remaining",
    help: "API calls that a DocuSign account has left this hour",
    labels: ["account"],
    values: ({ budgets }) =>
      budgets.flatMap(({ accountId, remaining }) =>
        remaining === null ? [] : [[remaining, { account: accountId }] as const],
      ),
  },
  {
    name: "docusign_calls_limit",
    help: "Hourly limit of API calls of a DocuSign account",
    labels: ["account"],
    values: ({ budgets }) =>
      budgets.flatMap(({ accountId, limit }) =>
        limit === null ? [] : [[limit, { account: accountId }] as const],
      ),
  },
  {
    name: "docusign_accounts_paused",
    help: "Accounts whose calls are paused because DocuSign refused calls",
    labels: [],
    values: ({ budgets }) => [[budgets.filter(({ paused }) => paused).length]],
  },
];
